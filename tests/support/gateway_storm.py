"""Commands and mentions that keep arriving while the gateway is dropped again and again."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import cycle, islice
from typing import Any, Final

from companion.playground.interaction import Interaction
from companion.playground.local_discord import LocalDiscord
from companion.playground.state import Channel, Message, Person
from tests.support.provider_script import Answer
from tests.support.scripted_provider import ScriptedProvider

BEAT_MS: Final = 1000
PATIENCE_S: Final = 30.0
PEOPLE: Final = 20
"""So many that nobody's own limit binds."""


class Drop(StrEnum):
    """How a connection ends. The silent one stays open and says nothing more."""

    CUT = "cut"
    CODE_4000 = "close 4000"
    GOING_AWAY = "close 1001"
    RECONNECT = "op 7"
    INVALID = "op 9 true"
    SILENT = "silent"


@dataclass(slots=True)
class Question:
    """Something that was asked, and where its answer stands."""

    number: int
    where: Channel
    asked: Interaction | Message

    def answers(self, discord: LocalDiscord) -> int:
        """Return how often its answer is there to be read."""
        expected = answer_to(self.number)
        return sum(
            message.content.count(expected)
            for message in discord.messages(self.where)
            if message.author is discord.world.app
        )

    @property
    def acknowledged_s(self) -> float | None:
        """Return the seconds to its first response; nothing for a mention."""
        asked = self.asked
        if isinstance(asked, Message) or asked.acknowledged_at is None:
            return None
        return asked.acknowledged_at - asked.created_at


@dataclass(slots=True, kw_only=True)
class Storm:
    """People who ask, by command and by mention in turns, while connections end.

    Each of `drops` connections lives for about `every_s`.
    """

    discord: LocalDiscord
    model: ScriptedProvider
    drops: int
    every_s: float
    asks_per_s: float
    questions: list[Question] = field(default_factory=list[Question])
    dropped: list[Drop] = field(default_factory=list[Drop])

    async def run(self) -> None:
        """Drop and ask, then wait until all that was asked is answered, or patience ends."""
        self.model.default = _answer
        seats = self._seats()
        await asyncio.sleep(0.2)
        asking = asyncio.create_task(self._keep_asking(seats))
        for kind in islice(cycle(Drop), self.drops):
            await asyncio.sleep(self.every_s)
            await self._until_connected()
            self._drop(kind)
        await self._until_connected()
        asking.cancel()
        await self._until_answered()

    @property
    def unanswered(self) -> list[int]:
        """The questions without an answer."""
        return [q.number for q in self.questions if q.answers(self.discord) == 0]

    @property
    def doubled(self) -> list[int]:
        """The questions with more than one answer, or that the model was asked twice."""
        asked = [_number(record.body) for record in self.model.chats]
        return [
            q.number
            for q in self.questions
            if q.answers(self.discord) > 1 or asked.count(q.number) > 1
        ]

    def _seats(self) -> list[tuple[Person, Channel]]:
        """Make people and channels: a channel's third turn would start a thread."""
        world = self.discord.world
        people = [world.add_person(f"storm-{number}") for number in range(PEOPLE)]
        guild = world.add_guild("Storm", owner=people[0], members=tuple(people[1:]))
        count = round(self.drops * (self.every_s + 1.0) * self.asks_per_s / 2) + 1
        rooms = [world.add_channel(guild, f"storm-{number}") for number in range(count)]
        return list(zip(cycle(people), rooms, strict=False))

    async def _keep_asking(self, seats: Sequence[tuple[Person, Channel]]) -> None:
        for who, where in cycle(seats):
            await self._ask(who, where)
            await asyncio.sleep(1 / self.asks_per_s)

    async def _until_connected(self) -> None:
        gateway = self.discord.gateway
        async with asyncio.timeout(PATIENCE_S):
            while not any(c.session and not c.zombie for c in gateway.connections):  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    def _drop(self, kind: Drop) -> None:
        faults = self.discord.faults
        match kind:
            case Drop.CUT:
                faults.drop_gateway()
            case Drop.CODE_4000:
                faults.drop_gateway(4000)
            case Drop.GOING_AWAY:
                faults.drop_gateway(1001)
            case Drop.RECONNECT:
                faults.ask_reconnect()
            case Drop.INVALID:
                faults.invalidate_session(resumable=True)
            case Drop.SILENT:
                faults.zombie()
        self.dropped.append(kind)

    async def _ask(self, who: Person, where: Channel) -> None:
        number, discord = len(self.questions), self.discord
        text = f"Question {number}."
        asked = (
            await discord.invoke(who, where, "ask", {"prompt": text})
            if number % 2
            else await discord.say(who, where, f"<@{discord.application_id}> {text}")
        )
        self.questions.append(Question(number, where, asked))

    async def _until_answered(self) -> None:
        loop = asyncio.get_running_loop()
        until = loop.time() + PATIENCE_S
        while self.unanswered and loop.time() < until:  # noqa: ASYNC110  nobody announces it
            await asyncio.sleep(0.05)
        await asyncio.sleep(0.3)  # what would be doubled comes now


def answer_to(number: int) -> str:
    """Return what the model says to a question."""
    return f"Answer {number}."


def _answer(body: Mapping[str, Any]) -> Answer:
    return Answer(text=answer_to(_number(body)))


def _number(body: Mapping[str, Any]) -> int:
    return int(re.findall(r"Question (\d+)\.", str(body["messages"]))[-1])
