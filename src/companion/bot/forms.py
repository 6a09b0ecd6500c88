"""Opening the form for an API key, and taking what was typed into it."""

from __future__ import annotations

from typing import Protocol

from companion.bot import key_words
from companion.bot.answer import Answer
from companion.bot.exchange import Exchange
from companion.bot.modals import KeyEntry, KeyForm, decode_form, key_modal, read_entry
from companion.domain.accounts import KeyScope
from companion.domain.errors import ButtonExpired, CredentialRejected, ManagerOnly
from companion.services.accounts import AccountsService


class Form(Protocol):
    """A kind of form; its custom ids begin with the prefix and the kind's name."""

    async def take(self, exchange: Exchange) -> None:
        """Handle what was submitted; raises `CompanionError` and `Unacknowledged`."""
        ...


class KeyForms:
    """Shows the key form and saves what comes back."""

    def __init__(self, accounts: AccountsService, *, key_page: str) -> None:
        self._accounts = accounts
        self._key_page = key_page

    async def open(self, exchange: Exchange, scope: KeyScope) -> None:
        """Show the form; a server's only to someone who may manage that server."""
        may = exchange.place.guild_id is not None and exchange.actor.manages_guild
        if scope is KeyScope.SERVER and not may:
            raise ManagerOnly
        form = KeyForm(scope=scope, opener=exchange.user_id)
        await exchange.show(key_modal(form, self._key_page))

    async def take(self, exchange: Exchange) -> None:
        """Save a submitted key; raises `CompanionError` and `Unacknowledged`."""
        form = decode_form(str(exchange.data.get("custom_id", "")))
        if form is None:
            raise ButtonExpired
        if form.opener != exchange.user_id:
            await exchange.reply(key_words.not_for_you())
            return
        entry = read_entry(exchange.data)
        await exchange.defer(ephemeral=True)
        await exchange.reply(await self._save(exchange, form.scope, entry))

    async def _save(self, exchange: Exchange, scope: KeyScope, entry: KeyEntry) -> Answer:
        actor, place = exchange.actor, exchange.place
        if not entry.typed.strip():
            return key_words.empty(await self._accounts.status(actor, place, scope), scope)
        try:
            key = await self._accounts.save_key(
                actor, place, scope=scope, typed=entry.typed, keep_for=entry.keep_for
            )
        except CredentialRejected:
            return key_words.rejected(await self._accounts.status(actor, place, scope), scope)
        return key_words.saved(key, scope)
