"""One process of the race for a budget: asks, all at once, and says what became of it.

    python -m benchmarks.budget_racer '{"url": …}'

Begins when a line comes in, so that all processes begin together.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from collections import Counter
from dataclasses import asdict, dataclass
from itertools import count
from typing import Final

from tests.support.wiring import Wish, opened

from benchmarks.flat_prices import FlatPrices
from companion.db.keyring import KeyRing
from companion.domain.actor import Actor, ChannelId, DiscordUserId, Door, Place, PlaceKind
from companion.domain.chat import ChatRequest, Failed
from companion.domain.money import Caps, most_prompt_tokens
from companion.domain.usage import Micros
from companion.services.container import Services

PROMPT: Final = "Why?"
ANSWER_TOKENS: Final = 80
WORST: Final = most_prompt_tokens([PROMPT]) + ANSWER_TOKENS
"""Micro-dollars that one request holds: a token costs one."""
ASKER: Final = Actor(name="Ada", discord_id=DiscordUserId(1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Race:
    """What one process is told: where, how many, and the budget."""

    url: str
    ring: str
    provider: str
    asks: int
    at_once: int
    first_channel: int
    budget_micros: int


def _wish(race: Race) -> Wish:
    """Return flat prices, and no limits but the budget."""
    return Wish(
        prices=FlatPrices(),
        at_once=race.at_once,
        at_once_for_one=race.at_once,
        caps=Caps(person_day=Micros(race.budget_micros)),
        system_prompt="",  # the race counts the tokens of its own prompt only
    )


async def ask(services: Services, channel: int) -> str:
    """Ask once; return `finished`, or the code of the error."""
    place = Place(kind=PlaceKind.DM, channel_id=ChannelId(channel))
    request = ChatRequest(
        actor=ASKER, place=place, door=Door.SLASH, prompt=PROMPT, max_tokens=ANSWER_TOKENS
    )
    last = None
    async for event in services.chat.ask(request):
        last = event
    return last.error.code if isinstance(last, Failed) else "finished"


async def run(race: Race) -> Counter[str]:
    ring = KeyRing.parse(race.ring)
    async with opened(race.url, ring, race.provider, _wish(race)) as (_, services):
        channels = count(race.first_channel)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.readline)
        became: Counter[str] = Counter()
        for _ in range(0, race.asks, race.at_once):
            size = min(race.at_once, race.asks - became.total())
            became.update(
                await asyncio.gather(*(ask(services, next(channels)) for _ in range(size)))
            )
        return became


def main(told: str) -> None:
    """Run one process of the race."""
    logging.disable(logging.WARNING)  # one line a failure is not what is measured
    sys.stdout.write(json.dumps(asyncio.run(run(Race(**json.loads(told))))) + "\n")


def told(race: Race) -> str:
    """Return what `main` takes."""
    return json.dumps(asdict(race))


if __name__ == "__main__":
    main(sys.argv[1])
