"""How large a token bucket is, as the environment says it: `20/60s`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Self

_TEXT: Final = re.compile(r"(\d+)\s*/\s*(\d+(?:\.\d+)?)\s*(s|m|h)?")
_SECONDS: Final = {None: 1, "s": 1, "m": 60, "h": 3600}


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketSize:
    """`capacity` tokens at most; an empty bucket is full again after `period_s` seconds."""

    capacity: int
    period_s: float

    def __post_init__(self) -> None:
        if self.capacity < 1 or self.period_s <= 0:
            raise ValueError("a bucket holds a token at least and refills in some time")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `20/60s` (also `20/60`, `20/1m`, `500/1h`); raises `ValueError`."""
        found = _TEXT.fullmatch(text.strip().lower())
        if found is None:
            raise ValueError("not of the form 20/60s")
        capacity, period, unit = found.groups()
        return cls(capacity=int(capacity), period_s=float(period) * _SECONDS[unit])

    def share(self, parts: int) -> BucketSize:
        """Return one of so many equal shares: it refills that much slower, and is that much less.

        A share holds a token at least.
        """
        capacity = max(1, self.capacity // parts)
        return BucketSize(
            capacity=capacity, period_s=self.period_s * parts * capacity / self.capacity
        )
