"""A circuit breaker for each endpoint and model: what fails for everyone is not asked by everyone.

Of at least twenty requests within thirty seconds half failed: then nothing is sent for a
while, and people hear at once that the provider is down. After the while one request
goes out as a probe; its answer closes the circuit, its failure opens it for longer.
Only outages count: a refused key, model or request is an answer.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

from companion.domain.errors import (
    ProviderBroken,
    ProviderDown,
    ProviderError,
    ProviderOverloaded,
    ProviderRateLimited,
    ProviderTimedOut,
    ProviderUnreachable,
)
from companion.ports.clock import Clock

WINDOW_S: Final = 30.0
FEWEST: Final = 20
"""Requests within the window before it is judged: a few failures say little."""

SHARE: Final = 0.5
OPEN_S: Final = 5.0
LONGEST_OPEN_S: Final = 60.0
PROBE_S: Final = 1.0
"""When it makes sense to come back while a probe is under way."""

_OUTAGES: Final = (ProviderUnreachable, ProviderTimedOut, ProviderOverloaded, ProviderBroken)
_MOST: Final = 256


class Breakers:
    """The circuits of this process, the longest unused forgotten first."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._circuits: OrderedDict[tuple[str, str], _Circuit] = OrderedDict()

    def __len__(self) -> int:
        """Return how many circuits are remembered."""
        return len(self._circuits)

    @contextmanager
    def watch(self, base_url: str, model: str) -> Generator[None]:
        """Run one request in the block, and learn from how it ends.

        Raises `ProviderDown` before anything is sent while the circuit is open.
        """
        circuit = self._circuit((base_url, model))
        is_probe = circuit.enter(self._clock.monotonic())
        outage: bool | None = None
        try:
            yield
            outage = False
        except ProviderError as error:
            # a limit is the key's, and says nothing of the provider
            if not isinstance(error, ProviderRateLimited):
                outage = isinstance(error, _OUTAGES)
            raise
        finally:
            circuit.leave(self._clock.monotonic(), outage=outage, is_probe=is_probe)

    def _circuit(self, name: tuple[str, str]) -> _Circuit:
        circuit = self._circuits.get(name)
        if circuit is None:
            circuit = self._circuits[name] = _Circuit()
            if len(self._circuits) > _MOST:
                self._circuits.popitem(last=False)
        self._circuits.move_to_end(name)
        return circuit


class _Circuit:
    """One endpoint and model."""

    def __init__(self) -> None:
        self._ends: deque[tuple[float, bool]] = deque()
        self._outages = 0
        self._open_until: float | None = None
        self._open_s = OPEN_S
        self._is_probed = False

    def enter(self, now: float) -> bool:
        """Say whether this request is a probe; raises `ProviderDown` when it may not go out."""
        if self._open_until is None:
            return False
        if now < self._open_until:
            raise ProviderDown(retry_after_s=self._open_until - now)
        if self._is_probed:
            raise ProviderDown(retry_after_s=PROBE_S)
        self._is_probed = True
        return True

    def leave(self, now: float, *, outage: bool | None, is_probe: bool) -> None:
        """Learn how a request ended; `None` says nothing of the provider."""
        if is_probe:
            self._is_probed = False
            self._judge_probe(now, outage=outage)
        elif outage is not None and self._open_until is None:
            self._count(now, outage=outage)
            if len(self._ends) >= FEWEST and self._outages >= SHARE * len(self._ends):
                self._open(now)

    def _judge_probe(self, now: float, *, outage: bool | None) -> None:
        if outage is True:
            self._open_s = min(2 * self._open_s, LONGEST_OPEN_S)
            self._open(now)
        elif outage is False:
            self._open_until, self._open_s = None, OPEN_S

    def _open(self, now: float) -> None:
        self._open_until = now + self._open_s
        self._ends.clear()
        self._outages = 0

    def _count(self, now: float, *, outage: bool) -> None:
        self._ends.append((now, outage))
        self._outages += outage
        while self._ends[0][0] <= now - WINDOW_S:
            self._outages -= self._ends.popleft()[1]
