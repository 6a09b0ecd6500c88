"""The decision itself, made within Redis: one script for many requests at once.

A bucket is one number, the moment at which it is full again (GCRA, the generic cell rate
algorithm): taking a token moves it one interval on, and a token is there while it lies
less than a whole period ahead. Redis runs a script alone, so that looking at all buckets of
a request and taking from all of them is one step for all processes. The clock is Redis's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from companion.limits.bucket_size import BucketSize

# The braces keep all keys in one slot, which a script over several keys asks for.
KEYS: Final = "{companion}:limit"
_MICROS: Final = 1_000_000


class Deed(StrEnum):
    """What to do with the buckets of one request."""

    TAKE = "take"
    """Take a token from each, or from none."""
    LOOK = "look"
    OWE = "owe"
    """Take tokens that were given out elsewhere already, down to none at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One bucket of a request."""

    key: str
    size: BucketSize
    tokens: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What Redis found: seconds until each bucket has a token, and until it is full."""

    waits_s: tuple[float, ...]
    full_in_s: tuple[float, ...]


SCRIPT: Final = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local out, a, k = {}, 1, 0
while ARGV[a] do
  local deed, count = ARGV[a], tonumber(ARGV[a + 1])
  local next, refused = {}, false
  a = a + 2
  for i = 1, count do
    local period, tokens = tonumber(ARGV[a]), tonumber(ARGV[a + 2])
    local step = period / tonumber(ARGV[a + 1])
    local full = tonumber(redis.call('GET', KEYS[k + i]) or 0)
    -- a clock set back, or a size made smaller, shuts a bucket for a period at most
    full = math.min(math.max(full, now), now + period)
    local wait = math.max(0, math.floor(full + step - now - period))
    refused = refused or wait > 0
    next[i] = full + tokens * step
    if deed == 'owe' then next[i] = math.min(next[i], now + period) end
    out[#out + 1] = string.format('%.0f', wait)
    out[#out + 1] = string.format('%.0f', full - now)
    a = a + 3
  end
  if deed == 'owe' or (deed == 'take' and not refused) then
    for i = 1, count do
      local ms = math.ceil((next[i] - now) / 1000) + 1
      redis.call('SET', KEYS[k + i], string.format('%.0f', next[i]), 'PX', ms)
    end
  end
  k = k + count
end
return out
"""


def encoded(requests: Sequence[tuple[Deed, Sequence[Line]]]) -> tuple[list[str], list[str]]:
    """Return the script's keys and arguments."""
    keys: list[str] = []
    arguments: list[str] = []
    for deed, lines in requests:
        arguments += [deed.value, str(len(lines))]
        for line in lines:
            keys.append(f"{KEYS}:{line.key}")
            period = str(round(line.size.period_s * _MICROS))
            arguments += [period, str(line.size.capacity), str(line.tokens)]
    return keys, arguments


def decoded(
    requests: Sequence[tuple[Deed, Sequence[Line]]], answer: Sequence[bytes]
) -> list[Verdict]:
    """Return the verdict on each request."""
    numbers = iter(answer)
    verdicts: list[Verdict] = []
    for _, lines in requests:
        pairs = [(_seconds(next(numbers)), _seconds(next(numbers))) for _ in lines]
        verdicts.append(
            Verdict(
                waits_s=tuple(wait for wait, _ in pairs), full_in_s=tuple(full for _, full in pairs)
            )
        )
    return verdicts


def _seconds(micros: bytes) -> float:
    return int(micros) / _MICROS
