"""The messages of a reply to an ordinary message: a reply to it, and more below that."""

from __future__ import annotations

from collections.abc import Sequence

from companion.bot.buttons import Button
from companion.bot.channel_messages import ChannelMessages
from companion.bot.responder import TextFile


class ChannelResponder:
    """Implements `Responder`. Nothing is there yet: the first edit sends part 0."""

    def __init__(self, messages: ChannelMessages) -> None:
        self._messages = messages

    @property
    def may_send_more(self) -> bool:
        """Always: a channel takes any number of messages."""
        return True

    @property
    def seconds_left(self) -> float:
        """For ever: the bot's token does not run out."""
        return float("inf")

    @property
    def bot_channel(self) -> int | None:
        """The channel."""
        return self._messages.channel_id

    def wait_s(self, part: int | None) -> float:
        """Return 0: the library waits for Discord's limits, the pacing before that."""
        return 0.0

    async def edit(
        self,
        part: int,
        content: str,
        *,
        buttons: Sequence[Button] = (),
        file: TextFile | None = None,
    ) -> None:
        """Replace a part's text and buttons."""
        if part == len(self._messages.ids):
            await self._messages.send(content, buttons, file)
        else:
            await self._messages.edit(part, content, buttons, file)

    async def send(
        self, content: str, *, buttons: Sequence[Button] = (), file: TextFile | None = None
    ) -> int:
        """Send a new part and return its number."""
        return await self._messages.send(content, buttons, file)

    @property
    def may_move_on(self) -> bool:
        """Never: there is no other way than the channel."""
        return False

    def move_on(self) -> None:
        """Do nothing: see `may_move_on`."""
