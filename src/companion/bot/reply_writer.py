"""Brings Discord up to date with a `ReplyDisplay`, one request at a time.

The newest state is asked for right before each request, so nothing is ever queued and
text that came during a wait or a failed try is in the next one.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from companion.bot.output_pacing import ReplyPace
from companion.bot.reply_display import ReplyDisplay, Write
from companion.bot.responder import (
    ARCHIVED,
    UNKNOWN_MESSAGE,
    DeliveryDelayed,
    DeliveryGone,
    Responder,
)
from companion.ports.clock import Clock

log = logging.getLogger(__name__)

_LAST_EDIT_S: Final = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteTimings:
    """Seconds between tries, and how often an ending is tried."""

    first_wait_s: float = 1.0
    longest_wait_s: float = 32.0
    final_tries: int = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeUp:
    """What to say when an interaction's time is over: here, and where it was cut off."""

    text: str
    rest_note: str


class ReplyWriter:
    """Writes one reply. `run` ends when its end is shown, or nothing can be shown any more."""

    def __init__(
        self,
        display: ReplyDisplay,
        responder: Responder,
        pace: ReplyPace,
        *,
        clock: Clock,
        time_up: TimeUp,
        give_up: Callable[[], None] | None = None,
        timings: WriteTimings | None = None,
    ) -> None:
        self._display = display
        self._responder = responder
        self._pace = pace
        self._clock = clock
        self._time_up = time_up
        self._give_up = give_up
        self._timings = timings or WriteTimings()
        self._changed = asyncio.Event()
        self._urgent = asyncio.Event()
        self._left = False
        self._moved = False
        self._may_send = True
        self._is_begun = False
        self._failures = 0
        self._not_before = 0.0
        self.delivered = True
        """False once Discord would not take all of it."""
        self.refused = False
        """True when it was the text that Discord did not accept (a server's rule, a bad link)."""

    def notify(self, *, urgent: bool) -> None:
        """Hear that the display changed; `urgent` ends a wait for the next regular edit."""
        self._changed.set()
        if urgent:
            self._urgent.set()

    async def run(self) -> None:
        """Write until the end is shown."""
        try:
            while await self._step():
                pass
        except DeliveryGone as gone:
            # someone deleted the message, or there is no way left
            self.delivered = False
            self.refused = gone.status == HTTPStatus.BAD_REQUEST and gone.code != ARCHIVED
            log.warning("reply_gone", extra={"status": gone.status, "code": gone.code})
            # with a token that ran out nothing is lost: the whole answer is kept to go on from
            if self._give_up is not None and gone.status != HTTPStatus.UNAUTHORIZED:
                self._give_up()

    async def _step(self) -> bool:
        """Do or wait for one thing; false when all is done."""
        self._changed.clear()
        self._urgent.clear()
        if self._responder.seconds_left <= 0 and not self._left:
            await self._leave()
        may_send_more = self._may_send and self._responder.may_send_more
        write = self._display.next_write(may_send_more=may_send_more)
        if write is not None:
            await self._perform_in_time(write)
        elif self._display.ended:
            return False
        else:
            await self._pause(self._responder.seconds_left, self._changed)
        return True

    async def _perform_in_time(self, write: Write) -> None:
        now = self._clock.monotonic()
        forced_s = max(self._responder.wait_s(write.message), self._not_before - now)
        paced_s = self._pace.wait_s(write.urgency, bot_bucket=self._bot_bucket(write))
        if forced_s > 0:
            await self._sleep(forced_s)
        elif paced_s > 0:
            await self._pause(paced_s, self._urgent)
        else:
            await self._perform(write)

    async def _perform(self, write: Write) -> None:
        try:
            await self._request(write)
        except DeliveryDelayed as delayed:
            self._back_off(delayed)
        except DeliveryGone as gone:
            # a deleted message was deleted by someone, and a text that is refused here is
            # refused elsewhere; only a lost way is worth another
            lost_the_way = gone.status != HTTPStatus.BAD_REQUEST and gone.code != UNKNOWN_MESSAGE
            if lost_the_way and self._responder.may_move_on:
                self._move_on()
            elif gone.status == HTTPStatus.FORBIDDEN and write.message is None and not self._moved:
                self._may_send = False  # what stands there may still be edited, and takes a file
            else:
                raise

    async def _request(self, write: Write) -> None:
        bucket = self._bot_bucket(write)
        self._pace.note_write(bot_bucket=bucket)
        try:
            await self._put(write)
        finally:
            self._pace.note_answer(bot_bucket=bucket)
        self._failures = 0
        self._is_begun = True
        self._display.confirm(write)

    def _bot_bucket(self, write: Write) -> Hashable | None:
        """Return whose limit the write counts against: new messages and edits have one each."""
        channel = self._responder.bot_channel
        if channel is None:
            return None
        return channel, write.message is None or not self._is_begun

    async def _put(self, write: Write) -> None:
        if write.message is None:
            await self._responder.send(write.content, buttons=write.buttons, file=write.file)
        else:
            await self._responder.edit(
                write.message, write.content, buttons=write.buttons, file=write.file
            )

    def _back_off(self, delayed: DeliveryDelayed) -> None:
        """Wait before the next try, which will carry the newest text; at last give up."""
        timings = self._timings
        self._failures += 1
        if self._display.ended and self._failures >= timings.final_tries:
            raise DeliveryGone(status=delayed.status, code=delayed.code) from delayed
        wait_s = min(timings.longest_wait_s, timings.first_wait_s * 2 ** (self._failures - 1))
        self._not_before = self._clock.monotonic() + max(wait_s, delayed.retry_after_s)

    # The end of an interaction's time

    async def _leave(self) -> None:
        """Finish what stands here while Discord still lets us; go on elsewhere, if we can."""
        self._left = True
        if not self._responder.may_move_on:
            self._display.end(self._time_up.text, (), rest_note=self._time_up.rest_note)
            return
        last = self._display.leave(self._time_up.text)
        if last is not None:
            await self._sleep(min(self._responder.wait_s(last.message), _LAST_EDIT_S))
            try:
                await self._request(last)
            except DeliveryDelayed as delayed:
                log.warning("last_edit_lost", extra={"status": delayed.status})
        self._move_on()

    def _move_on(self) -> None:
        self._moved = True
        self._responder.move_on()
        self._display.relocate()

    # Waiting

    async def _pause(self, seconds: float, event: asyncio.Event) -> None:
        """Wait that long, or until the event."""
        if event.is_set():
            return
        waits: list[asyncio.Task[bool] | asyncio.Task[None]] = [asyncio.create_task(event.wait())]
        if seconds != float("inf"):
            waits.append(asyncio.create_task(self._sleep(seconds)))
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    async def _sleep(self, seconds: float) -> None:
        if seconds <= 0:
            return
        due = self._clock.monotonic() + seconds
        await self._clock.sleep(seconds)
        self._pace.note_lag(self._clock.monotonic() - due)
