"""The panel of `/settings`: which channels are chat channels."""

from __future__ import annotations

from typing import Final, cast

from companion.bot.answer import Answer, ChannelMenu
from companion.bot.buttons import Action, Button
from companion.bot.exchange import Exchange
from companion.bot.wording import count
from companion.domain.actor import ChannelId
from companion.services.rooms import RoomsService

NOT_READING: Final = (
    "\n-# I run without the Message Content permission, so even there I see only messages "
    "that mention me. Whoever runs me can turn it on (`COMPANION_MESSAGE_CONTENT=true`)."
)


class SettingsPanel:
    """Shows the panel and saves what is chosen in it. The service checks who may."""

    def __init__(self, rooms: RoomsService, *, reads_messages: bool) -> None:
        self._rooms = rooms
        self._reads_messages = reads_messages

    async def open(self, exchange: Exchange) -> None:
        """Show the panel; raises `ManagerOnly`."""
        await exchange.defer(ephemeral=True)
        chosen = await self._rooms.chat_channels(exchange.actor, exchange.place)
        await exchange.reply(self._panel(chosen))

    async def choose(self, exchange: Exchange) -> None:
        """Save the chosen channels; raises `ManagerOnly`."""
        await exchange.defer_update()
        values = exchange.data.get("values")
        picked = cast("list[object]", values) if isinstance(values, list) else []
        chosen = frozenset(ChannelId(int(str(value))) for value in picked)
        await self._rooms.set_chat_channels(exchange.actor, exchange.place, chosen)
        await exchange.replace(self._panel(chosen, saved=True))

    def _panel(self, chosen: frozenset[ChannelId], *, saved: bool = False) -> Answer:
        where = ", ".join(f"<#{channel}>" for channel in sorted(chosen))
        now = f"Now: {where}." if chosen else "Now: none."
        done = f"Saved: {count(len(chosen), 'chat channel')}. " if saved else ""
        return Answer(
            text="**Chat channels**: I answer every message there, without a mention or command.\n"
            f"{done}{now}{'' if self._reads_messages else NOT_READING}",
            channels=ChannelMenu(
                custom_id=Button(action=Action.CHAT_CHANNELS, label="").custom_id,
                placeholder="Choose chat channels",
                chosen=tuple(sorted(chosen)),
            ),
        )
