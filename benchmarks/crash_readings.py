"""What became of a reply whose process was killed, as people and the database see it."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import text

from companion.db.engine import open_engines
from companion.playground.interaction import Interaction
from companion.playground.local_discord import LocalDiscord
from companion.playground.state import Channel, Message

_SMALL = re.compile(r"^-# .*$", flags=re.MULTILINE)
_RESTARTED = re.compile(r"had to restart|I'm restarting")


class Fate(StrEnum):
    """How a reply stands."""

    WHOLE = "whole"
    MARKED = "marked"
    TOLD = "told"
    PENDING = "pending"
    TWICE = "twice"
    SPOILED = "spoiled"

    @property
    def is_pending(self) -> bool:
        """Whether it is not over yet."""
        return self is Fate.PENDING

    @property
    def is_wrong(self) -> bool:
        """Whether it must never be so in the end."""
        return self in {Fate.PENDING, Fate.TWICE, Fate.SPOILED}


@dataclass(slots=True)
class Asked:
    """One question, asked by command or by mention."""

    name: str
    where: Channel
    words: str
    began: float = field(default_factory=time.monotonic)
    asked_at: float = 0.0
    interaction: Interaction | None = None
    message: Message | None = None
    seen: list[str] = field(default_factory=list[str])

    def was_accepted(self, stored: frozenset[int]) -> bool:
        """Whether the app took it on: acknowledged it, or stored the message that asked."""
        if self.interaction is not None:
            return self.interaction.acknowledged_at is not None
        return self.message is not None and self.message.id in stored

    def describe(self) -> str:
        """Return what can be seen of it."""
        how = "mention" if self.message else "command"
        return f"{self.name} by {how} at {self.asked_at - self.began:.2f} s: {self.seen}"


def read_fate(asked: Asked, discord: LocalDiscord) -> Fate:
    """Say how a reply stands, from what its channel shows."""
    app = discord.world.app
    after = asked.message.id if asked.message else 0
    private = asked.interaction.messages if asked.interaction else []
    public = [m for m in discord.messages(asked.where) if m.author is app and m.id > after]
    shown = list({m.id: m for m in (*private, *public)}.values())
    asked.seen = [f"{'thinking' if m.thinking else m.content[-90:]!r}" for m in shown]
    if not shown or any(m.thinking or "Stop" in _labels(m) for m in shown):
        return Fate.PENDING
    if len(shown) > 1:
        return Fate.TWICE
    content, labels = shown[0].content, _labels(shown[0])
    body = _SMALL.sub("", content).split()
    expected = asked.words.split()
    if body == expected and _SMALL.search(content):
        return Fate.WHOLE
    if _RESTARTED.search(content) and "Continue" in labels:
        return Fate.MARKED if _is_beginning(body, expected) else Fate.SPOILED
    return Fate.TOLD if _RESTARTED.search(content) else Fate.SPOILED


def _is_beginning(body: list[str], expected: list[str]) -> bool:
    """Whether it is the beginning of the answer, the last word perhaps half."""
    whole, last = body[:-1], body[-1:]
    rest = expected[len(whole) : len(whole) + 1]
    return whole == expected[: len(whole)] and bool(rest) and rest[0].startswith("".join(last))


def _labels(message: Message) -> list[str]:
    return [str(button.get("label")) for button in message.buttons()]


class Ledger:
    """The app's database, looked at from outside."""

    def __init__(self, url: str | None, folder: Path) -> None:
        self._url = url or f"sqlite:///{folder}/companion.db"

    async def origins(self) -> frozenset[int]:
        """Return what asked for the turns that are stored."""
        found = await self._numbers(
            "SELECT interaction_id FROM turns WHERE interaction_id IS NOT NULL"
        )
        return frozenset(found)

    async def left_behind(self) -> int:
        """Return how many replies nobody has brought to their end yet."""
        return (await self._numbers("SELECT count(*) FROM replies"))[0]

    async def complaints(self) -> list[str]:
        """Return what must not be: open requests, answers paid twice, replies left behind."""
        checks = {
            "requests left open": "SELECT count(*) FROM provider_calls WHERE status = 'running'",
            "turns left open": "SELECT count(*) FROM turns WHERE finish IS NULL",
            "replies left behind": "SELECT count(*) FROM replies",
            "answers paid twice": "SELECT count(*) FROM (SELECT conversation_id FROM provider_calls"
            " WHERE status = 'ok' GROUP BY conversation_id HAVING count(*) > 1) AS twice",
            "reservations left": "SELECT count(*) FROM reservations",
            "budgets with money still held": "SELECT count(*) FROM budgets WHERE held_micros <> 0",
            "answers without a cost": "SELECT count(*) FROM provider_calls"
            " WHERE status = 'ok' AND coalesce(cost_micros, 0) = 0",
        }
        counts = {what: (await self._numbers(query))[0] for what, query in checks.items()}
        return [f"{number} {what}" for what, number in counts.items() if number] + [
            f"budget of {who}: {spent} counted, its requests say {said}"
            for who, (spent, said) in (await self._accounts()).items()
            if spent != said
        ]

    async def counted(self) -> int:
        """Return how many micro-dollars all people's budgets count together."""
        return sum(spent for who, (spent, _) in (await self._accounts()).items() if "person" in who)

    async def _accounts(self) -> dict[str, tuple[int, int]]:
        """Return, of each person and server, what their budgets count and what the log says."""
        counted, said = Counter[str](), Counter[str]()
        for name, spent in await self._rows("SELECT name, spent_micros FROM budgets"):
            counted[name.split("/")[1]] += spent
        logged = "SELECT person_id, guild_id, coalesce(cost_micros, 0) FROM provider_calls"
        for person, guild, cost in await self._rows(logged):
            said[f"person:{UUID(str(person)).hex}"] += cost
            said[f"server:{guild}"] += cost
        return {who: (counted[who], said[who]) for who in counted | said}

    async def _numbers(self, query: str) -> list[int]:
        return [int(row[0]) for row in await self._rows(query)]

    async def _rows(self, query: str) -> Sequence[Any]:
        async with open_engines(self._url) as engines, engines.reader.connect() as connection:
            return (await connection.execute(text(query))).all()
