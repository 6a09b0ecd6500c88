"""Asking, and what can be done with an answer: stop it, have it anew, go on with it.

The events of a reply end with exactly one `Finished` or `Failed`, whatever happens.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

from companion.domain.actor import Actor, Door, InteractionId, MessageId, Place
from companion.domain.chat import ChatEvent, ChatRequest, Failed
from companion.domain.conversation import TurnId
from companion.domain.delivery import Delivery, Terms
from companion.domain.errors import (
    ButtonExpired,
    CompanionError,
    Draining,
    NotYours,
    Refused,
)
from companion.services.access import identity, may_moderate
from companion.services.deliveries import Deliveries
from companion.services.job import Job, Mode
from companion.services.replying import Replier
from companion.services.revising import Revising
from companion.services.running_turns import Cut, Running, RunningTurns
from companion.services.titling import Titler


class ChatService:
    """Conversations with a model."""

    def __init__(
        self,
        *,
        replier: Replier,
        running_turns: RunningTurns,
        revising: Revising,
        titler: Titler,
        deliveries: Deliveries,
    ) -> None:
        self._replier = replier
        self._revising = revising
        self._titler = titler
        self._deliveries = deliveries
        self._running_turns = running_turns

    @property
    def running(self) -> int:
        """How many replies are being made right now."""
        return len(self._running_turns)

    def knock(self, actor: Actor, place: Place) -> None:
        """Raise the `Refused` that any question of theirs would end with, if it is known already.

        Asks nobody, so a door may do it before it acknowledges; once for each question.
        """
        self._replier.knock(actor, place)

    def ask(self, request: ChatRequest) -> AsyncGenerator[ChatEvent]:
        """Answer a request.

        Closing the generator early ends the reply; what it has so far is stored as interrupted.
        """
        return self._events(Job.of_request(request))

    def regenerate(
        self,
        turn_id: TurnId,
        *,
        actor: Actor,
        place: Place,
        interaction_id: InteractionId | None,
        model: str | None = None,
        delivery: Delivery | None = None,
    ) -> AsyncGenerator[ChatEvent]:
        """Answer a turn's prompt anew; the new answer replaces the old one once there is one.

        Only for its author and who manages the server. Whoever asks pays.
        """
        return self._events(
            Job(
                actor=actor,
                place=place,
                door=Door.COMPONENT,
                mode=Mode.AGAIN,
                earlier=turn_id,
                interaction_id=interaction_id,
                model=model,
                delivery=delivery,
            )
        )

    def resume(
        self,
        turn_id: TurnId,
        *,
        actor: Actor,
        place: Place,
        interaction_id: InteractionId | None,
        delivery: Delivery | None = None,
    ) -> AsyncGenerator[ChatEvent]:
        """Go on where a turn's answer stopped, as a new turn; for the same people."""
        return self._events(
            Job(
                actor=actor,
                place=place,
                door=Door.COMPONENT,
                mode=Mode.ONWARD,
                earlier=turn_id,
                interaction_id=interaction_id,
                delivery=delivery,
            )
        )

    def repeat(
        self, turn_id: TurnId, *, speaker: str, terms: Terms, delivery: Delivery
    ) -> AsyncGenerator[ChatEvent]:
        """Make a reply once more that another process began: on the key it was begun with.

        The rights that its asker had are not known any more: they count as none.
        """
        return self._events(
            Job(
                actor=Actor(name=speaker or "someone", discord_id=delivery.asker),
                place=delivery.place,
                door=delivery.door,
                mode=Mode.AGAIN,
                earlier=turn_id,
                temperature=terms.temperature,
                max_tokens=terms.max_tokens,
                private=delivery.private,
                delivery=delivery,
                paid_with=terms.fingerprint,
            )
        )

    async def revise(
        self, request: ChatRequest, *, message_id: MessageId
    ) -> AsyncGenerator[ChatEvent]:
        """Answer anew what the asker's own last message says since it was edited.

        The new answer takes the old one's place. Fails with `TurnGone` when the message
        asked for nothing that is still there, `NotYours` when it is somebody else's or not
        their last one, and `AlreadyRunning` while it is still being answered.
        """
        try:
            turn_id = await self._revising.own_last(message_id, request.actor, request.place)
        except CompanionError as error:
            yield Failed(error=error)
            return
        job = replace(
            Job.of_request(request), mode=Mode.REVISED, earlier=turn_id, interaction_id=None
        )
        async with aclosing(self._events(job)) as events:
            async for event in events:
                yield event

    async def title(self, turn_id: TurnId, actor: Actor, place: Place) -> str | None:
        """Return a short title for the conversation that begins with a turn, by the model.

        `None` when there is none to be had: nothing waits for it and nothing fails by it.
        """
        return await self._titler.title(turn_id, actor, place)

    async def stop(self, turn_id: TurnId, actor: Actor, place: Place | None = None) -> None:
        """End a running reply, keeping what it has; raises `NotYours` or `ButtonExpired`.

        Besides whoever asked, people who moderate there may, when `place` is in that server.
        """
        running = self._running_turns.find(turn_id)
        if running is None:
            raise ButtonExpired
        guild_id = running.place.guild_id
        in_its_server = place is not None and place.guild_id == guild_id
        manages = in_its_server and may_moderate(actor, guild_id)
        if identity(actor) != running.owner and not manages:
            raise NotYours
        running.cut(Cut.STOPPED)

    async def drain(self, timeout_s: float) -> int:
        """Refuse new requests and let the running ones finish; return how many had to be cut."""
        return await self._running_turns.drain(timeout_s)

    async def _events(self, job: Job) -> AsyncGenerator[ChatEvent]:
        running = Running(
            owner=identity(job.actor),
            place=job.place,
            turn_ids=(job.earlier,) if job.earlier else (),
        )
        try:
            task = self._running_turns.start(running, lambda r: self._replier.reply(job, r))
        except Refused as error:
            yield Failed(error=error)
            return
        if job.delivery is not None:
            self._deliveries.watch(job.delivery, running)
        try:
            async for event in running.events():
                yield event
        finally:
            if not running.is_over:
                running.cut(Cut.DOOR_GONE)
            await asyncio.wait({task})
        if task.cancelled():
            yield Failed(error=Draining())
        else:
            task.result()  # raises what nobody foresaw, for the door's last resort
