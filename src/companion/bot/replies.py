"""Showing an answer where it was asked for."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

from companion.bot.exchange import Exchange
from companion.bot.interaction_responder import InteractionResponder
from companion.bot.output_pacing import OutputPacing
from companion.bot.reply_stream import ReplyStream
from companion.bot.words import ChatWords
from companion.domain.chat import ChatEvent, Failed
from companion.domain.errors import AlreadyAnswered
from companion.ports.clock import Clock


class Replies:
    """Renders chat events; one a process, because all replies share the pacing."""

    def __init__(self, *, pacing: OutputPacing, words: ChatWords, clock: Clock) -> None:
        self._pacing = pacing
        self._words = words
        self._clock = clock

    async def render(self, exchange: Exchange, events: AsyncGenerator[ChatEvent]) -> None:
        """Show the events as they come, after the exchange was deferred.

        What is refused before it starts is only seen by the person who asked, however
        public the answer would have been.
        """
        async with aclosing(events):
            first = await anext(events)
            if isinstance(first, Failed):
                if isinstance(first.error, AlreadyAnswered):
                    return  # another delivery of the same click or command is answering it
                await exchange.reply(self._words.failure(first))
                return
            exchange.hand_over()
            responder = InteractionResponder(exchange.interaction, clock=self._clock)
            stream = ReplyStream(responder, self._pacing, clock=self._clock)
            words = self._words.silenced() if exchange.was_silenced else self._words
            await stream.render(_from(first, events), words)
            if stream.refused:
                await exchange.reply(self._words.blocked())


async def _from(first: ChatEvent, rest: AsyncIterator[ChatEvent]) -> AsyncIterator[ChatEvent]:
    yield first
    async for event in rest:
        yield event
