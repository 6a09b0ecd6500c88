"""Showing an answer where it was asked for."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final

from discord.http import HTTPClient

from companion.bot.aftermath import Aftermath
from companion.bot.being_written import BeingWritten, Subject
from companion.bot.channel_messages import ChannelMessages, Spot
from companion.bot.channel_responder import ChannelResponder
from companion.bot.exchange import Exchange
from companion.bot.giving_back import given_back
from companion.bot.incoming import Incoming
from companion.bot.interaction_responder import InteractionResponder, Target
from companion.bot.notices import Notices
from companion.bot.output_pacing import OutputPacing
from companion.bot.reply_stream import ReplyStream
from companion.bot.reply_words import ReplyWords
from companion.bot.responder import Responder
from companion.bot.threads import Shown as ShownAnswer
from companion.bot.tracked_responder import TrackedResponder
from companion.bot.words import SILENCED, ChatWords
from companion.domain.chat import ChatEvent, Failed, Finished
from companion.domain.delivery import ReplyId, Shown
from companion.domain.errors import AlreadyAnswered, AlreadyRunning, NotYours, TurnGone
from companion.ports.clock import Clock
from companion.services.deliveries import Deliveries

NOT_REVISED: Final = (TurnGone, NotYours, AlreadyRunning)
"""Why a changed message is not answered anew: not the last one, say. Nobody asked for words."""


@dataclass(frozen=True, slots=True)
class Way:
    """How and where a reply is written, which messages show it, and which of those all see."""

    responder: Responder
    channel_id: int | None
    shown: Callable[[], Shown]
    messages: Callable[[], Sequence[int]]

    @classmethod
    def of_interaction(cls, responder: InteractionResponder) -> Way:
        """Return the way of an interaction's answers."""
        return cls(
            responder,
            responder.channel_id,
            lambda: responder.shown,
            lambda: responder.public_messages,
        )

    @classmethod
    def in_channel(cls, messages: ChannelMessages) -> Way:
        """Return the way of messages in a channel."""
        return cls(
            ChannelResponder(messages),
            messages.channel_id,
            lambda: Shown(in_channel=tuple(messages.ids)),
            lambda: messages.ids,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """How a reply ended, whether all of it is shown, and whether Discord refused its text.

    `withdrawn`: the message that asked was deleted meanwhile.
    """

    end: ChatEvent
    delivered: bool
    refused: bool
    withdrawn: bool


class Replies:
    """Renders chat events; one a process, because all replies share the pacing."""

    def __init__(
        self,
        *,
        pacing: OutputPacing,
        words: ChatWords,
        clock: Clock,
        http: HTTPClient,
        notices: Notices,
        aftermath: Aftermath,
        deliveries: Deliveries,
    ) -> None:
        self._pacing = pacing
        self._words = words
        self._clock = clock
        self._http = http
        self._notices = notices
        self._aftermath = aftermath
        self._deliveries = deliveries
        self.being_written = BeingWritten(deliveries.give_up)
        """The replies under way: whoever hears of deletions tells it."""

    async def render(
        self,
        exchange: Exchange,
        events: AsyncGenerator[ChatEvent],
        *,
        note: str = "",
        asked: str = "",
    ) -> None:
        """Show the events as they come, after the exchange was deferred.

        `note` is one more small line below the answer, `asked` what a thread is named
        after. What is refused before it starts is only seen by the person who asked,
        however public the answer would have been.
        """
        async with aclosing(events):
            first = await anext(events)
            if isinstance(first, Failed):
                if isinstance(first.error, AlreadyAnswered):
                    return  # another delivery of the same click or command is answering it
                refusal = self._words.failure(first)
                await exchange.reply(given_back(refusal, exchange.typed, first.error))
                return
            exchange.hand_over()
            responder = InteractionResponder(Target.of(exchange.interaction), clock=self._clock)
            way = Way.of_interaction(responder)
            notes = tuple(filter(None, (note, SILENCED if exchange.was_silenced else "")))
            words = self._words.where(exchange.place, private=exchange.ephemeral, notes=notes)
            written = await self.write(exchange.reply_id, way, from_first(first, events), words)
        end = written.end
        if written.refused:
            await exchange.reply(self._words.blocked())
        messages = responder.public_messages
        await self._aftermath.note(end, exchange.place, messages)
        if isinstance(end, Finished) and written.delivered:
            await self._aftermath.consider_thread(
                ShownAnswer(
                    actor=exchange.actor,
                    place=exchange.place,
                    finished=end,
                    messages=messages,
                    channel=exchange.interaction.channel,
                    asked=asked,
                )
            )

    async def answer(
        self,
        incoming: Incoming,
        events: AsyncGenerator[ChatEvent],
        *,
        reused: Sequence[int] = (),
    ) -> None:
        """Show the events below the message that asked, as they come.

        `reused` are messages of an earlier answer, which this one is written over. What is
        refused before it starts is told too, but not to someone who is told all the time.
        """
        async with aclosing(events):
            first = await anext(events)
            if isinstance(first, Failed):
                if not (reused and isinstance(first.error, NOT_REVISED)):
                    await self._refuse(incoming, first)
                return
            messages = self._messages_below(incoming, reused)
            way = Way.in_channel(messages)
            words = self._words.where(incoming.place, private=False)
            written = await self.write(
                incoming.reply_id,
                way,
                from_first(first, events),
                words,
                asked=incoming.message.id,
            )
        end = written.end
        if written.withdrawn:
            await messages.delete_all()
            return
        if written.refused:
            await incoming.reply(self._words.blocked())
        await messages.delete_unused()
        await self._aftermath.note(end, incoming.place, messages.ids)
        if isinstance(end, Finished) and written.delivered:
            await self._aftermath.consider_thread(
                ShownAnswer(
                    actor=incoming.actor,
                    place=incoming.place,
                    finished=end,
                    messages=tuple(messages.ids),
                    channel=incoming.message.channel,
                    asked=incoming.words,
                )
            )

    async def write(
        self,
        reply: ReplyId,
        way: Way,
        events: AsyncIterator[ChatEvent],
        words: ReplyWords,
        *,
        asked: int | None = None,
    ) -> Written:
        """Show the events of a reply by that way, while it is this process's.

        `asked` is the message that is answered.
        """
        subject = Subject(
            reply=reply, channel_id=way.channel_id, asked=asked, messages=way.messages
        )
        with self.being_written.watched(subject):
            stream = ReplyStream(
                TrackedResponder(way.responder, self._deliveries, subject, way.shown),
                self._pacing,
                clock=self._clock,
                give_up=lambda: self._deliveries.give_up(reply),
            )
            try:
                end = await stream.render(events, words)
            finally:
                if stream.delivered:  # also when this task is being cancelled
                    self._deliveries.finish(reply)
        return Written(
            end=end,
            delivered=stream.delivered,
            refused=stream.refused,
            withdrawn=subject.question_deleted,
        )

    def _messages_below(self, incoming: Incoming, reused: Sequence[int]) -> ChannelMessages:
        message = incoming.message
        spot = Spot(channel_id=message.channel.id, origin=message.id, reply_to=message.id)
        return ChannelMessages(self._http, spot, reused=reused)

    async def _refuse(self, incoming: Incoming, failed: Failed) -> None:
        if isinstance(failed.error, AlreadyAnswered):
            return
        if self._notices.may(incoming.actor.discord_id, incoming.place.channel_id):
            await incoming.reply(self._words.failure(failed))


async def from_first(first: ChatEvent, rest: AsyncIterator[ChatEvent]) -> AsyncIterator[ChatEvent]:
    """Yield an event that was taken from others, and then those."""
    yield first
    async for event in rest:
        yield event
