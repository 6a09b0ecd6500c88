"""A responder that keeps Discord's rules and says when they are broken."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from companion.bot.buttons import Button
from companion.bot.responder import DeliveryDelayed, DeliveryError, DeliveryGone, TextFile
from companion.ports.clock import Clock

LIMIT = 2000
BUCKET = 5
WINDOW_S = 5.0


@dataclass
class FakeMessage:
    content: str = ""
    buttons: tuple[Button, ...] = ()
    files: list[TextFile] = field(default_factory=list[TextFile])
    in_channel: bool = False


@dataclass(frozen=True)
class Written:
    at: float
    message: int
    content: str
    buttons: tuple[Button, ...]
    sent: bool


class FakeResponder:
    """Implements `Responder`. Its rate limit is Discord's: a window of 5 s that 5 writes fill."""

    def __init__(
        self,
        clock: Clock,
        *,
        latency_s: float = 0.08,
        life_s: float = float("inf"),
        follow_ups: int | None = None,
        may_move_on: bool = False,
    ) -> None:
        self.messages = [FakeMessage()]
        self.writes: list[Written] = []
        self.limit_hits = 0
        self.faults: deque[DeliveryError | None] = deque()
        self.requests = 0
        self.filed = asyncio.Event()
        self.may_move_on = may_move_on
        self.bot_channel: int | None = None
        self._clock = clock
        self._latency_s = latency_s
        self._ends_at = clock.monotonic() + life_s
        self._follow_ups = follow_ups
        self._busy = False
        self._window_ends = 0.0
        self._left = BUCKET

    @property
    def text(self) -> str:
        return "".join(message.content for message in self.messages)

    @property
    def files(self) -> list[TextFile]:
        return [file for message in self.messages for file in message.files]

    @property
    def may_send_more(self) -> bool:
        return self._follow_ups is None or len(self.messages) - 1 < self._follow_ups

    @property
    def seconds_left(self) -> float:
        return float("inf") if self.bot_channel else self._ends_at - self._clock.monotonic()

    def wait_s(self, part: int | None) -> float:
        now = self._clock.monotonic()
        return max(0.0, self._window_ends - now) if self._left == 0 else 0.0

    async def edit(
        self,
        part: int,
        content: str,
        *,
        buttons: Sequence[Button] = (),
        file: TextFile | None = None,
    ) -> None:
        message = self.messages[part]
        same = content.strip() == message.content.strip() and tuple(buttons) == message.buttons
        assert not same or file, f"an edit that changes nothing: {content[-80:]!r}"
        assert not self.bot_channel or message.in_channel, "an edit after the token's time"
        await self._request(part, content, buttons, file, sent=False)

    async def send(
        self, content: str, *, buttons: Sequence[Button] = (), file: TextFile | None = None
    ) -> int:
        assert self.may_send_more, "40094"
        await self._request(len(self.messages), content, buttons, file, sent=True)
        return len(self.messages) - 1

    def move_on(self) -> None:
        assert self.may_move_on
        self.may_move_on = False
        self.bot_channel = 1

    async def _request(
        self,
        number: int,
        content: str,
        buttons: Sequence[Button],
        file: TextFile | None,
        *,
        sent: bool,
    ) -> None:
        assert not self._busy, "two requests at once"
        assert content.strip(), "50006: an empty message"
        assert len(content.encode("utf-16-le")) // 2 <= LIMIT, "50035: too long"
        assert len(buttons) <= 5
        self._busy = True
        self.requests += 1
        try:
            await asyncio.sleep(self._latency_s)
            self._answer()
        finally:
            self._busy = False
        if sent:
            self.messages.append(FakeMessage(in_channel=self.bot_channel is not None))
        message = self.messages[number]
        message.content, message.buttons = content, tuple(buttons)
        if file is not None:
            message.files.append(file)
            self.filed.set()
        now = self._clock.monotonic()
        self.writes.append(Written(now, number, content, tuple(buttons), sent))

    def _answer(self) -> None:
        now = self._clock.monotonic()
        if self.seconds_left < -30:
            raise DeliveryGone(status=401, code=50027)
        if now >= self._window_ends:
            self._window_ends, self._left = now + WINDOW_S, BUCKET
        if self._left == 0:
            self.limit_hits += 1
            raise DeliveryDelayed(status=429, retry_after_s=self._window_ends - now)
        self._left -= 1
        fault = self.faults.popleft() if self.faults else None
        if fault is not None:
            raise fault
