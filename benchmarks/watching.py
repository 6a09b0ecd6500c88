"""What people see, and when: one reading a conversation."""

from __future__ import annotations

import asyncio
import re
import time
from collections import Counter
from dataclasses import dataclass, field
from math import isnan

from companion.playground.events import EventKind, WorldEvent
from companion.playground.interaction import Interaction
from companion.playground.local_discord import LocalDiscord
from companion.playground.state import Channel, Message

NAN = float("nan")
FOOTER = re.compile(r"^-# .*$", flags=re.MULTILINE)


@dataclass(slots=True)
class Reading:
    """One conversation, as its person saw it. Moments are `time.monotonic()` seconds."""

    name: str
    channel: Channel
    expected: str
    began: float = field(default_factory=time.monotonic)
    interaction: Interaction | None = None
    asked: Message | None = None
    acknowledged_at: float = NAN
    first_seen_at: float = NAN
    last_seen_at: float = NAN
    first_text_s: float = NAN
    last_text_s: float = NAN
    words: list[str] = field(default_factory=list[str])
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def acknowledged_s(self) -> float:
        interaction = self.interaction
        if interaction is None or interaction.acknowledged_at is None:
            return NAN
        return interaction.acknowledged_at - interaction.created_at

    @property
    def whole(self) -> bool:
        """Whether every word is there once, in order."""
        return self.words == self.expected.split()

    @property
    def lost(self) -> int:
        """How many words the model wrote that are not there."""
        return (Counter(self.expected.split()) - Counter(self.words)).total()

    @property
    def doubled(self) -> int:
        """How many words are there that the model did not write, or not so often."""
        return (Counter(self.words) - Counter(self.expected.split())).total()

    def owns(self, message: Message) -> bool:
        """Say whether a message is of this conversation; its words say so, too."""
        if self.asked is not None:
            return message.reply_to is self.asked or self._is_meant(message)
        if self.interaction is None:
            return False
        return message in self.interaction.messages or self._is_meant(message)

    def _is_meant(self, message: Message) -> bool:
        return message is not self.asked and message.content[:3] == self.expected[:3]

    def saw(self, messages: list[Message], now: float) -> None:
        """Take in what the channel shows now."""
        text = "\n".join(m.content for m in messages if not m.thinking)
        if text and isnan(self.first_seen_at):
            self.first_seen_at = now
        was_whole = self.whole
        self.words = FOOTER.sub("", text).split()
        if self.whole and not was_whole:
            self.last_seen_at = now
        if FOOTER.search(text):
            self.ended.set()

    def model_wrote(self, first_token_at: float, last_token_at: float) -> None:
        """Compare with when the model wrote."""
        self.first_text_s = self.first_seen_at - first_token_at
        self.last_text_s = self.last_seen_at - last_token_at


class Watcher:
    """Follows all channels at once."""

    def __init__(self, discord: LocalDiscord) -> None:
        self._discord = discord
        self._events = discord.subscribe()
        self._readings: dict[int, list[Reading]] = {}
        self._task: asyncio.Task[None] | None = None

    def expect(self, where: Channel, name: str, text: str) -> Reading:
        """Follow one conversation that will answer `text`."""
        reading = Reading(name, where, text)
        self._readings.setdefault(where.id, []).append(reading)
        return reading

    async def __aenter__(self) -> Watcher:
        self._task = asyncio.create_task(self._follow())
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._task is not None
        self._task.cancel()

    async def _follow(self) -> None:
        async for event in self._events:
            self._take(event)

    def _take(self, event: WorldEvent) -> None:
        if event.kind not in {EventKind.MESSAGE_CREATED, EventKind.MESSAGE_EDITED}:
            return
        assert event.channel is not None
        assert event.message is not None
        for reading in self._readings.get(event.channel.id, ()):
            if not reading.owns(event.message):
                continue
            shown = self._discord.messages(event.channel)
            reading.saw([m for m in shown if reading.owns(m)], time.monotonic())
