"""`/help`: what the app can do, from the commands that are registered."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import discord
import structlog

from companion.bot.answer import Answer
from companion.bot.command_shapes import CommandShape
from companion.bot.context import CompanionContext
from companion.bot.definitions import BOTH_INSTALLS, EVERYWHERE, HELP
from companion.bot.help_text import besides_commands, details, overview
from companion.domain.accounts import KeyScope, StoredKey
from companion.domain.actor import Actor, Place
from companion.domain.errors import StorageError
from companion.services.accounts import AccountsService

log = structlog.get_logger()


class Helping(discord.Cog):
    """Explains."""

    def __init__(
        self,
        accounts: AccountsService,
        commands: Callable[[], Sequence[CommandShape]],
        *,
        reads_messages: bool,
    ) -> None:
        self._accounts = accounts
        self._commands = commands
        self._reads_messages = reads_messages

    @discord.slash_command(
        name="help",
        description="What I can do, and how; with a command's name: everything about it",
        options=list(HELP),
        contexts=EVERYWHERE,
        integration_types=BOTH_INSTALLS,
    )
    async def help(self, ctx: CompanionContext, command: str | None) -> None:
        """Explain everything, or one command."""
        if command:
            await ctx.exchange.reply(details(self._commands(), command))
            return
        await ctx.exchange.defer(ephemeral=True)
        await ctx.exchange.reply(await self._overview(ctx.exchange.actor, ctx.exchange.place))

    async def _overview(self, actor: Actor, place: Place) -> Answer:
        keys, is_provided_for = None, False
        try:
            keys = await self._keys(actor, place)
            is_provided_for = await self._accounts.is_provided_for(actor, place)
        except StorageError:
            # help is wanted most when something is down
            log.warning("help_without_keys")
        return overview(
            self._commands(),
            keys,
            besides=besides_commands(place, reads_messages=self._reads_messages),
            is_provided_for=is_provided_for,
        )

    async def _keys(self, actor: Actor, place: Place) -> dict[KeyScope, StoredKey | None]:
        """Return the keys this person may know of."""
        manages = actor.manages_guild and place.guild_id is not None
        scopes = (KeyScope.ME, KeyScope.SERVER) if manages else (KeyScope.ME,)
        return {scope: await self._accounts.status(actor, place, scope) for scope in scopes}
