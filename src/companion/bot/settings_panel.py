"""The panel of `/settings`: which channels are chat channels, and what may be spent."""

from __future__ import annotations

from typing import Final, cast

from companion.bot import budget_form
from companion.bot.answer import Answer, ChannelMenu
from companion.bot.buttons import Action, Button, Click
from companion.bot.exchange import Exchange
from companion.bot.wording import count
from companion.domain.actor import ChannelId
from companion.domain.errors import OptionOutOfRange
from companion.domain.money import Caps
from companion.services.rooms import RoomsService
from companion.services.spending import SpendingService

NOT_READING: Final = (
    "\n-# I run without the Message Content permission, so even there I see only messages "
    "that mention me. Whoever runs me can turn it on (`COMPANION_MESSAGE_CONTENT=true`)."
)


class SettingsPanel:
    """Shows the panel and saves what is chosen in it. The services check who may."""

    def __init__(
        self, rooms: RoomsService, spending: SpendingService, *, reads_messages: bool
    ) -> None:
        self._rooms = rooms
        self._spending = spending
        self._reads_messages = reads_messages

    async def open(self, exchange: Exchange) -> None:
        """Show the panel; raises `ManagerOnly`."""
        await exchange.defer(ephemeral=True)
        await exchange.reply(await self._panel(exchange))

    async def choose(self, exchange: Exchange) -> None:
        """Save the chosen channels; raises `ManagerOnly`."""
        await exchange.defer_update()
        values = exchange.data.get("values")
        picked = cast("list[object]", values) if isinstance(values, list) else []
        chosen = frozenset(ChannelId(int(str(value))) for value in picked)
        await self._rooms.set_chat_channels(exchange.actor, exchange.place, chosen)
        saved = f"Saved: {count(len(chosen), 'chat channel')}. "
        await exchange.replace(await self._panel(exchange, saved=saved))

    async def ask_budgets(self, exchange: Exchange, click: Click) -> None:
        """Show the form for the budgets, filled in with what the panel showed."""
        await exchange.show(budget_form.modal(budget_form.packed_caps(click.argument)))

    async def take(self, exchange: Exchange) -> None:
        """Save the submitted budgets; raises `ManagerOnly`."""
        await exchange.defer(ephemeral=True)
        try:
            caps = budget_form.read(exchange.data)
        except OptionOutOfRange:
            now = await self._spending.caps(exchange.actor, exchange.place)
            await exchange.reply(budget_form.no_amount(now))
            return
        await self._spending.set_caps(exchange.actor, exchange.place, caps)
        await exchange.reply(Answer(text=f"**Saved.** {budget_form.said(caps)}"))

    async def _panel(self, exchange: Exchange, *, saved: str = "") -> Answer:
        actor, place = exchange.actor, exchange.place
        chosen = await self._rooms.chat_channels(actor, place)
        caps = await self._spending.caps(actor, place)
        where = ", ".join(f"<#{channel}>" for channel in sorted(chosen))
        now = f"Now: {where}." if chosen else "Now: none."
        return Answer(
            text="**Chat channels**: I answer every message there, without a mention or command.\n"
            f"{saved}{now}{'' if self._reads_messages else NOT_READING}\n{_budgets(caps)}",
            channels=ChannelMenu(
                custom_id=Button(action=Action.CHAT_CHANNELS, label="").custom_id,
                placeholder="Choose chat channels",
                chosen=tuple(sorted(chosen)),
            ),
            buttons=(budget_form.button(caps),),
        )


def _budgets(caps: Caps) -> str:
    said = budget_form.said(caps)
    return f"**Budgets** of this server's own API key (`/setkey scope:server`):\n{said}"
