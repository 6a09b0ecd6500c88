"""When a failed try is worth another, and when.

Ours alone: the SDK retries nothing. At most three tries a call, waits with full
jitter, together bounded; retries at most a tenth of the calls of a minute; nothing
for refusals that the same request would meet again; nothing after the first token
(the caller's duty). When the provider says how long to wait, all calls of that key
hold still that long, and no other key's.
"""

from __future__ import annotations

import random
from collections import deque
from dataclasses import dataclass
from typing import Final

from tenacity import AsyncRetrying, RetryCallState, wait_random_exponential

from companion.domain.errors import (
    ProviderBroken,
    ProviderError,
    ProviderOverloaded,
    ProviderRateLimited,
    ProviderTimedOut,
    ProviderUnreachable,
)
from companion.domain.models import KeyFingerprint
from companion.llm.timings import ProviderTimings
from companion.ports.clock import Clock

LONGEST_BACKOFF_S: Final = 8.0
BUDGET_WINDOW_S: Final = 60.0
BUDGET_SHARE: Final = 0.1
BUDGET_FLOOR: Final = 10
"""Retries a minute that are always allowed: a tenth of few calls would be none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """How often, and after which wait (the first one; it doubles)."""

    retries: int
    backoff_s: float


_TRANSIENT_STATUS: Final = {408, 409}
_NEVER: Final = Rule(retries=0, backoff_s=0.0)


def rule_for(error: BaseException | None) -> Rule:
    """Return the rule for an error of a try that brought no token."""
    match error:
        case ProviderUnreachable():
            return Rule(retries=2, backoff_s=0.25)
        case ProviderTimedOut():
            return Rule(retries=1, backoff_s=1.0)
        case ProviderOverloaded():
            return Rule(retries=2, backoff_s=2.0)
        case ProviderRateLimited():
            return Rule(retries=2, backoff_s=1.0)
        case ProviderBroken() if _is_transient(error):
            return Rule(retries=2, backoff_s=0.5)
        case _:
            return _NEVER


class Retries:
    """What all calls of the process share: the budget, and which keys hold still."""

    def __init__(self, clock: Clock, timings: ProviderTimings) -> None:
        self._clock = clock
        self._longest_wait_s = timings.retry_waits_s
        self._calls: deque[float] = deque()
        self._retried: deque[float] = deque()
        self._paused: dict[KeyFingerprint, float] = {}

    def begin(self, fingerprint: KeyFingerprint) -> Tries:
        """Begin a call. Raises `ProviderRateLimited` when its key must hold still for long."""
        pause = self._paused.get(fingerprint, 0.0) - self._clock.monotonic()
        if pause > self._longest_wait_s:
            raise ProviderRateLimited(retry_after_s=pause)
        self.count()
        wait_s = _spread(pause) if pause > 0 else 0.0
        return Tries(self, fingerprint, wait_s=wait_s, longest_wait_s=self._longest_wait_s)

    def count(self) -> None:
        """Count a call: retries are a share of them."""
        now = self._clock.monotonic()
        self._calls.append(now)
        _drop_old(self._calls, now)

    def check(self, fingerprint: KeyFingerprint) -> None:
        """Raise `ProviderRateLimited` while a key must hold still; for who does not wait."""
        pause = self._paused.get(fingerprint, 0.0) - self._clock.monotonic()
        if pause > 0:
            raise ProviderRateLimited(retry_after_s=pause)

    def heed(self, fingerprint: KeyFingerprint, error: BaseException | None) -> None:
        """Let a key hold still for as long as the provider said in a refusal, if it did."""
        if asked := _asked_wait(error):
            self.pause(fingerprint, asked)

    def pause(self, fingerprint: KeyFingerprint, seconds: float) -> None:
        """Let all calls of a key wait."""
        now = self._clock.monotonic()
        self._paused = {key: until for key, until in self._paused.items() if until > now}
        self._paused[fingerprint] = max(self._paused.get(fingerprint, 0.0), now + seconds)

    def spend(self) -> bool:
        """Take one retry from the minute's budget; false when it is used up."""
        now = self._clock.monotonic()
        _drop_old(self._calls, now)
        _drop_old(self._retried, now)
        if len(self._retried) >= max(BUDGET_FLOOR, BUDGET_SHARE * len(self._calls)):
            return False
        self._retried.append(now)
        return True


class Tries:
    """The tries of one call. Before each, the caller waits for `wait_s` seconds.

    `failed` is what the try before ended with; `None` before the first.
    """

    def __init__(
        self,
        retries: Retries,
        fingerprint: KeyFingerprint,
        *,
        wait_s: float,
        longest_wait_s: float,
    ) -> None:
        self.wait_s = wait_s
        self.failed: ProviderError | None = None
        self._retries = retries
        self._fingerprint = fingerprint
        self._longest_wait_s = longest_wait_s

    def attempts(self) -> AsyncRetrying:
        """Return tenacity's iterator over the tries; the last try's error comes out as it is.

        tenacity only decides: waiting is left to the caller, who announces it first.
        """
        return AsyncRetrying(
            retry=self._is_worth_it,
            wait=self._wait,
            stop=self._must_stop,
            sleep=self._note,
            reraise=True,
        )

    def _is_worth_it(self, state: RetryCallState) -> bool:
        error = _error(state)
        self.failed = error if isinstance(error, ProviderError) else None
        self._retries.heed(self._fingerprint, error)
        return state.attempt_number <= rule_for(error).retries

    def _wait(self, state: RetryCallState) -> float:
        error = _error(state)
        rule = rule_for(error)
        backoff = wait_random_exponential(multiplier=rule.backoff_s, max=LONGEST_BACKOFF_S)(state)
        asked = _asked_wait(error)
        return backoff if asked is None else _spread(asked)

    def _must_stop(self, state: RetryCallState) -> bool:
        waits = state.idle_for + state.upcoming_sleep
        return waits > self._longest_wait_s or not self._retries.spend()

    async def _note(self, seconds: float) -> None:
        self.wait_s = seconds


def _drop_old(times: deque[float], now: float) -> None:
    while times and times[0] <= now - BUDGET_WINDOW_S:
        times.popleft()


def _is_transient(error: ProviderBroken) -> bool:
    status = error.status or 0
    return (
        status >= 500 or status in _TRANSIENT_STATUS or error.upstream_code == "server_error"  # noqa: PLR2004
    )


def _error(state: RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome is not None else None


def _spread(wait_s: float) -> float:
    """Return a little more than asked for, so that not everyone comes back at once."""
    return wait_s + random.uniform(0, max(0.1 * wait_s, 0.25))  # noqa: S311 — guards nothing


def _asked_wait(error: BaseException | None) -> float | None:
    if isinstance(error, ProviderRateLimited | ProviderOverloaded):
        return error.retry_after_s
    return None
