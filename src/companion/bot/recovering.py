"""Bringing replies to their end that another process left behind."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Final

import aiohttp
import structlog
from discord.http import HTTPClient

from companion.bot.aftermath import Aftermath
from companion.bot.channel_messages import ChannelMessages, Spot
from companion.bot.interaction_responder import InteractionResponder, Target
from companion.bot.interaction_webhook import Address
from companion.bot.replies import Replies, Way, from_first
from companion.bot.words import ChatWords
from companion.domain.chat import ChatEvent, Failed
from companion.domain.delivery import Delivery
from companion.domain.errors import AlreadyAnswered, Draining, StorageError
from companion.ports.clock import Clock
from companion.ports.replies import StoredReply
from companion.services.background import BackgroundTasks
from companion.services.deliveries import LEASE_S, Deliveries
from companion.services.later import AGAIN_AFTER_S
from companion.services.recovery import Recovered, Recovery

log = structlog.get_logger()

LOOK_EVERY_S: Final = 2.0


class Recovering:
    """Looks for such replies, and shows what became of them; one a process."""

    def __init__(
        self,
        *,
        recovery: Recovery,
        deliveries: Deliveries,
        replies: Replies,
        aftermath: Aftermath,
        words: ChatWords,
        http: HTTPClient,
        session: aiohttp.ClientSession,
        clock: Clock,
        tasks: BackgroundTasks,
    ) -> None:
        self._recovery = recovery
        self._deliveries = deliveries
        self._replies = replies
        self._aftermath = aftermath
        self._words = words
        self._http = http
        self._session = session
        self._clock = clock
        self._tasks = tasks
        self._looking = False

    def start(self) -> None:
        """Look from now on, in the background."""
        self._looking = True
        self._tasks.start("recovering", self._run())

    def stop(self) -> None:
        """Take over nothing more; what was taken over goes on."""
        self._looking = False

    async def _run(self) -> None:
        while self._looking:
            try:
                taken = await self._recovery.take()
            except StorageError as error:
                log.warning("nothing_recovered", error=error.code)
                # others were cut off too: first they get the time to renew what is theirs
                await self._clock.sleep(2 * LEASE_S)
                continue
            for each in taken:
                self._tasks.start("recovered reply", self._bring(each))
            if not taken:
                await self._clock.sleep(LOOK_EVERY_S)

    async def _bring(self, reply: StoredReply) -> None:
        """Bring a reply to its end, now or when the database is back."""
        for pause_s in AGAIN_AFTER_S:
            try:
                if await self._end(await self._recovery.bring(reply)):
                    break
            except StorageError as error:
                log.warning("reply_not_recovered", error=error.code)
                await self._clock.sleep(pause_s)
            else:
                return
        self._deliveries.finish(reply.lease.reply)

    async def _end(self, recovered: Recovered) -> bool:
        """Show what became of a reply; false when this process stops and the next one has to."""
        async with aclosing(recovered.events) as events:
            first = await anext(events)
            error = first.error if isinstance(first, Failed) else None
            if not isinstance(error, Draining | AlreadyAnswered):
                await self._show(recovered, from_first(first, events))
            return not isinstance(error, Draining)

    async def _show(self, recovered: Recovered, events: AsyncIterator[ChatEvent]) -> None:
        delivery = recovered.reply.delivery
        way = self._way(recovered)
        if way is None:
            async for _ in events:
                pass  # what is stored of it is settled all the same
            log.info("reply_not_deliverable", private=delivery.private)
            return
        words = self._words.where(delivery.place, private=delivery.private)
        written = await self._replies.write(delivery.id, way, events, words)
        if not delivery.private:
            await self._aftermath.note(written.end, delivery.place, way.messages())

    def _way(self, recovered: Recovered) -> Way | None:
        if not recovered.deliverable:
            return None
        delivery, shown = recovered.reply.delivery, recovered.reply.shown
        if self._seconds_left(delivery) > 0 and not shown.in_channel:
            responder = InteractionResponder(self._target(recovered), clock=self._clock)
            return Way.of_interaction(responder)
        channel_id = delivery.place.channel_id
        if channel_id is None or not (delivery.reply_to or delivery.may_move_on):
            return None
        spot = Spot(channel_id=channel_id, origin=delivery.origin, reply_to=delivery.reply_to)
        messages = ChannelMessages(self._http, spot, reused=shown.in_channel or delivery.reused)
        return Way.in_channel(messages)

    def _seconds_left(self, delivery: Delivery) -> float:
        if delivery.token is None or delivery.token_until is None:
            return 0.0
        return (delivery.token_until - self._clock.now()).total_seconds()

    def _target(self, recovered: Recovered) -> Target:
        delivery = recovered.reply.delivery
        assert delivery.token is not None
        assert delivery.application_id is not None
        return Target(
            address=Address(
                application_id=delivery.application_id, token=delivery.token, session=self._session
            ),
            http=self._http,
            channel_id=delivery.place.channel_id,
            origin=delivery.origin,
            may_speak=delivery.may_move_on,
            only_person=delivery.place.user_install_only,
            seconds_left=self._seconds_left(delivery),
            ephemeral=delivery.private,
            follow_ups=recovered.reply.shown.follow_ups,
            # one that was sent and not noted would come twice: the rest goes into a file
            sends_more=recovered.anew,
        )
