"""When the next edit of a reply may go out. One per process, shared by all replies.

Discord's own limits come with its answers and are obeyed by the responder. This is what
no header says: how much this process should want. A growing text is edited about as
often as Discord allows (5 per 5 s), with one edit left over for the ending, and less
often the more replies run and the later the event loop wakes us, because edits that
nobody waits for must not delay acknowledgements. Writes with the bot's token
also share Discord's 50 a second; there, endings go first and a reserve stays free.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Hashable
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Final

from companion.ports.clock import Clock

_GOLDEN: Final = 0.618
_SMOOTHING: Final = 0.2


class Urgency(IntEnum):
    """How much a reader waits for a request."""

    SPARE = -1
    """Nobody misses it: that an answer is coming."""
    GROWTH = 0
    """More of a text that can be seen already; a thread's better name."""
    PART = 1
    """The first text, a notice, a full part or a new one."""
    ENDING = 2
    """The end of the answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PacingRules:
    """Seconds and counts. The defaults are what is observed of Discord, minus a margin.

    `writes` may go out within any `window_s` before the ending; one more is left for it.
    """

    interval_s: float = 1.25
    edits_per_s: float = 80.0
    writes: int = 4
    window_s: float = 5.0
    bot_writes_per_s: int = 40
    bot_endings_per_s: int = 45
    lag_tolerated_s: float = 0.05
    most_stretch: float = 4.0

    def for_share(self, share: float) -> PacingRules:
        """Return these for a process with only a part of the bot's shards.

        All processes of a bot use one token, and so one limit.
        """
        return replace(
            self,
            bot_writes_per_s=max(1, int(self.bot_writes_per_s * share)),
            bot_endings_per_s=max(1, int(self.bot_endings_per_s * share)),
        )


class OutputPacing:
    """Decides how often each running reply may be edited."""

    def __init__(
        self,
        clock: Clock,
        rules: PacingRules | None = None,
        *,
        is_restrained: Callable[[], bool] = lambda: False,
    ) -> None:
        self._clock = clock
        self._rules = rules or PacingRules()
        self.is_restrained = is_restrained
        """Whether only what people wait for may be sent."""
        self._running = 0
        self._opened = 0
        self._lag_s = 0.0
        self._bot_writes = _Window(1.0)
        self._bucket_writes: dict[Hashable, _Window] = {}

    @property
    def interval_s(self) -> float:
        """The seconds between two edits of one growing text, as things are now."""
        rules = self._rules
        stretch = min(rules.most_stretch, max(1.0, self._lag_s / rules.lag_tolerated_s))
        return max(rules.interval_s * stretch, self._running / rules.edits_per_s)

    @contextmanager
    def reply(self) -> Generator[ReplyPace]:
        """Count a reply as running for the length of the block."""
        self._running += 1
        self._opened += 1
        try:
            yield ReplyPace(self, self._clock, phase=self._opened * _GOLDEN % 1.0)
        finally:
            self._running -= 1

    def note_lag(self, seconds: float) -> None:
        """Learn how much later than asked the event loop woke someone."""
        self._lag_s += _SMOOTHING * (max(0.0, seconds) - self._lag_s)

    @property
    def rules(self) -> PacingRules:
        """The numbers this goes by."""
        return self._rules

    def bot_wait_s(self, bucket: Hashable, urgency: Urgency) -> float:
        """Return the seconds until a write with the bot's token may go to that bucket."""
        rules, now = self._rules, self._clock.monotonic()
        ending = urgency is Urgency.ENDING
        in_bucket = self._bucket_writes.get(bucket)
        return max(
            self._bot_writes.wait_s(self._most(urgency), now),
            in_bucket.wait_s(rules.writes + ending, now) if in_bucket else 0.0,
        )

    def note_bot_write(self, bucket: Hashable) -> None:
        """Say that a write with the bot's token goes out; `note_bot_answer` must follow."""
        now = self._clock.monotonic()
        self._bot_writes.begin()
        self._bucket_writes.setdefault(bucket, _Window(self._rules.window_s)).begin()
        for old in [key for key, writes in self._bucket_writes.items() if writes.is_empty(now)]:
            del self._bucket_writes[old]

    def note_bot_answer(self, bucket: Hashable) -> None:
        """Say that Discord answered a write, or never will."""
        now = self._clock.monotonic()
        self._bot_writes.end(now)
        self._bucket_writes[bucket].end(now)

    def request_wait_s(self, urgency: Urgency) -> float:
        """Return the seconds until any other request with the bot's token may go out."""
        return self._bot_writes.wait_s(self._most(urgency), self._clock.monotonic())

    @contextmanager
    def request(self) -> Generator[None]:
        """Count such a request for the length of the block."""
        self._bot_writes.begin()
        try:
            yield
        finally:
            self._bot_writes.end(self._clock.monotonic())

    def _most(self, urgency: Urgency) -> int:
        """Return how many requests a second may go out before one of that urgency."""
        rules = self._rules
        match urgency:
            case Urgency.SPARE:
                return rules.bot_writes_per_s // 4
            case Urgency.GROWTH:
                # none while first texts take all there is
                return max(1, rules.bot_writes_per_s * 3 // 4)
            case Urgency.ENDING:
                return rules.bot_endings_per_s
            case _:
                return rules.bot_writes_per_s


class ReplyPace:
    """The pace of one reply."""

    def __init__(self, pacing: OutputPacing, clock: Clock, *, phase: float) -> None:
        self._pacing = pacing
        self._clock = clock
        self._writes: deque[float] = deque(maxlen=pacing.rules.writes)
        # replies that start together shall not edit together for ever
        self._stretch = 0.8 + 0.4 * phase

    def wait_s(self, urgency: Urgency, *, bot_bucket: Hashable | None = None) -> float:
        """Return the seconds until this reply may be written to; 0 is now."""
        waits = [0.0]
        now, rules = self._clock.monotonic(), self._pacing.rules
        if urgency is Urgency.GROWTH and self._pacing.is_restrained():
            waits.append(rules.window_s)
        if self._writes and urgency is Urgency.GROWTH:
            waits.append(self._writes[-1] + self._pacing.interval_s * self._stretch - now)
        if urgency is not Urgency.ENDING:
            waits.append(_wait_s(self._writes, rules.writes, rules.window_s, now))
        if bot_bucket is not None:
            waits.append(self._pacing.bot_wait_s(bot_bucket, urgency))
        return max(waits)

    def note_write(self, *, bot_bucket: Hashable | None = None) -> None:
        """Say that a write goes out now."""
        if self._writes:
            self._stretch = 1.0
        self._writes.append(self._clock.monotonic())
        if bot_bucket is not None:
            self._pacing.note_bot_write(bot_bucket)

    def note_answer(self, *, bot_bucket: Hashable | None = None) -> None:
        """Say that Discord answered that write, or never will."""
        if bot_bucket is not None:
            self._pacing.note_bot_answer(bot_bucket)

    def note_lag(self, seconds: float) -> None:
        """Say how much too late a wait ended."""
        self._pacing.note_lag(seconds)


class _Window:
    """Requests that Discord may count in the same window.

    Nobody knows when a request arrives there, only that it is between its sending and its
    answer. So it counts from the one until a window's length after the other: counted from
    its sending alone, a crowd that was held up on the way arrives as one.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._under_way = 0
        self._answered: deque[float] = deque()

    def begin(self) -> None:
        """Count a request that goes out."""
        self._under_way += 1

    def end(self, now: float) -> None:
        """Note that one was answered."""
        self._under_way -= 1
        self._answered.append(now)

    def wait_s(self, most: int, now: float) -> float:
        """Return the seconds until fewer than `most` count; a guess while none was answered."""
        self._forget(now)
        too_many = self._under_way + len(self._answered) - most + 1
        if too_many <= 0:
            return 0.0
        if too_many > len(self._answered):
            return self._seconds
        return self._answered[too_many - 1] + self._seconds - now

    def is_empty(self, now: float) -> bool:
        """Say whether nothing counts any more."""
        self._forget(now)
        return not self._under_way and not self._answered

    def _forget(self, now: float) -> None:
        while self._answered and self._answered[0] + self._seconds <= now:
            self._answered.popleft()


def _wait_s(writes: deque[float], most: int, window_s: float, now: float) -> float:
    if len(writes) < most:
        return 0.0
    return max(0.0, writes[-most] + window_s - now)
