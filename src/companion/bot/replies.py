"""Showing an answer where it was asked for."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

from discord.http import HTTPClient

from companion.bot.channel_messages import ChannelMessages, Spot
from companion.bot.channel_responder import ChannelResponder
from companion.bot.closed_channels import ClosedChannels
from companion.bot.exchange import Exchange
from companion.bot.incoming import Incoming
from companion.bot.interaction_responder import InteractionResponder
from companion.bot.notices import Notices
from companion.bot.output_pacing import OutputPacing
from companion.bot.reply_stream import ReplyStream
from companion.bot.words import SILENCED, ChatWords
from companion.domain.chat import ChatEvent, Failed
from companion.domain.errors import AlreadyAnswered
from companion.ports.clock import Clock


class Replies:
    """Renders chat events; one a process, because all replies share the pacing."""

    def __init__(
        self,
        *,
        pacing: OutputPacing,
        words: ChatWords,
        clock: Clock,
        http: HTTPClient,
        closed: ClosedChannels,
        notices: Notices,
    ) -> None:
        self._pacing = pacing
        self._words = words
        self._clock = clock
        self._http = http
        self._closed = closed
        self._notices = notices

    async def render(
        self, exchange: Exchange, events: AsyncGenerator[ChatEvent], *, note: str = ""
    ) -> None:
        """Show the events as they come, after the exchange was deferred.

        `note` is one more small line below the answer. What is refused before it starts is
        only seen by the person who asked, however public the answer would have been.
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
            notes = (note, SILENCED if exchange.was_silenced else "")
            words = self._words.noting(*filter(None, notes))
            await stream.render(_from(first, events), words)
            if stream.refused:
                await exchange.reply(self._words.blocked())

    async def answer(self, incoming: Incoming, events: AsyncGenerator[ChatEvent]) -> None:
        """Show the events below the message that asked, as they come.

        What is refused before it starts is told too, but not to someone who is told
        all the time.
        """
        async with aclosing(events):
            first = await anext(events)
            if isinstance(first, Failed):
                await self._refuse(incoming, first)
                return
            spot = Spot(
                channel_id=incoming.message.channel.id,
                origin=incoming.message.id,
                reply_to=incoming.message.id,
            )
            messages = ChannelMessages(self._http, spot, closed=self._closed)
            stream = ReplyStream(ChannelResponder(messages), self._pacing, clock=self._clock)
            await stream.render(_from(first, events), self._words)
            if stream.refused:
                await incoming.reply(self._words.blocked())

    async def _refuse(self, incoming: Incoming, failed: Failed) -> None:
        if isinstance(failed.error, AlreadyAnswered):
            return
        if self._notices.may(incoming.actor.discord_id, incoming.place.channel_id):
            await incoming.reply(self._words.failure(failed))


async def _from(first: ChatEvent, rest: AsyncIterator[ChatEvent]) -> AsyncIterator[ChatEvent]:
    yield first
    async for event in rest:
        yield event
