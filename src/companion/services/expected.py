"""Those between the door and the bucket: a bucket's last token is not for all of them."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterable
from typing import Final

from companion.ports.clock import Clock
from companion.ports.limits import Bucket

EXPECTED_S: Final = 2.0
"""How long it takes from the door to the bucket at most, but for a long line at the desk."""


class Expected:
    """Who passed the door and has not taken a token yet, by bucket, the latest at the end.

    Nobody who went away says so: who did not come after a while is not expected any more.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._until: OrderedDict[Bucket, deque[float]] = OrderedDict()

    def __len__(self) -> int:
        """Return how many buckets are in memory."""
        return len(self._until)

    def add(self, buckets: Iterable[Bucket]) -> None:
        """Expect one."""
        now = self._clock.monotonic()
        for bucket in buckets:
            self._until.setdefault(bucket, deque()).append(now + EXPECTED_S)
            self._until.move_to_end(bucket)
        while next(iter(self._until.values()))[-1] <= now:
            self._until.popitem(last=False)

    def remove(self, buckets: Iterable[Bucket]) -> None:
        """Note that one came, or somebody else whom nobody expected."""
        for bucket in buckets:
            if waiting := self._until.get(bucket):
                waiting.popleft()
                self.count(bucket)

    def count(self, bucket: Bucket) -> int:
        """Return how many are expected."""
        waiting, now = self._until.get(bucket), self._clock.monotonic()
        while waiting and waiting[0] <= now:
            waiting.popleft()
        if not waiting:
            self._until.pop(bucket, None)
            return 0
        return len(waiting)
