"""A reply while it is being written: chat events in, Discord messages out."""

from __future__ import annotations

from collections.abc import AsyncIterator

from companion.bot.output_pacing import OutputPacing
from companion.bot.reply_words import ReplyWords
from companion.bot.responder import Responder
from companion.domain.chat import ChatEvent
from companion.ports.clock import Clock


class ReplyStream:
    """Renders one reply into the messages of one responder."""

    def __init__(self, responder: Responder, pacing: OutputPacing, *, clock: Clock) -> None:
        self._responder = responder
        self._pacing = pacing
        self._clock = clock

    async def render(self, events: AsyncIterator[ChatEvent], words: ReplyWords) -> ChatEvent:
        """Show the events as they come and return the terminal one.

        The final edit goes out whatever happens: on failure after partial text, on an
        exception in `events` (which is raised again), on cancellation.
        """
        raise NotImplementedError
