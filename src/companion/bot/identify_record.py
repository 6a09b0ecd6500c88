"""When this process, and those before it, began sessions with Discord: a small file.

Every new session counts (1,000 a day, then Discord resets the token), so a process that
crashes and is started again for ever must be slowed down, and that over its restarts. A
session that served anyone, or ended in an orderly way, is no sign of a crash.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import msgspec
import structlog

from companion.ports.clock import Clock

log = structlog.get_logger()

WINDOW_S: Final = 600.0
MOST_WASTED: Final = 5
PAUSE_S: Final = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """The beginning of one: which shard, when (seconds since 1970), and whether it was any use."""

    shard: int
    at: float
    wasted: bool = True


class IdentifyRecord:
    """The beginnings of the last ten minutes; without a `path` only of this process."""

    def __init__(self, path: Path | None, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._sessions: Sequence[Session] | None = None
        self._writing = asyncio.Lock()

    async def wait_s(self, shard: int) -> float:
        """Return how long that shard shall wait before it begins another session."""
        wasted = [s.at for s in await self._recent() if s.shard == shard and s.wasted]
        if len(wasted) < MOST_WASTED:
            return 0.0
        return max(0.0, max(wasted) + PAUSE_S - self._now())

    async def note(self, shard: int) -> None:
        """Note that a session begins now."""
        await self._replace([*await self._recent(), Session(shard=shard, at=self._now())])

    async def note_use(self) -> None:
        """Note that the sessions so far are of use."""
        sessions = await self._recent()
        if any(session.wasted for session in sessions):
            await self._replace([replace(session, wasted=False) for session in sessions])

    def _now(self) -> float:
        return self._clock.now().timestamp()

    async def _recent(self) -> list[Session]:
        if self._sessions is None:
            self._sessions = await asyncio.to_thread(_read, self._path) if self._path else []
        now = self._now()
        # a clock that was set back leaves times in the future, which mean nothing
        return [session for session in self._sessions if now - WINDOW_S < session.at <= now]

    async def _replace(self, sessions: Sequence[Session]) -> None:
        self._sessions = sessions
        if self._path is not None:
            async with self._writing:
                await asyncio.to_thread(_write, self._path, self._sessions)


def _read(path: Path) -> list[Session]:
    try:
        return msgspec.json.decode(path.read_bytes(), type=list[Session])
    except FileNotFoundError:
        return []
    except (OSError, msgspec.MsgspecError) as error:
        log.warning("session_record_unreadable", why=type(error).__name__)
        return []


def _write(path: Path, sessions: Sequence[Session]) -> None:
    """Write it whole or not at all; a disk that takes nothing keeps nobody from connecting."""
    new = path.with_suffix(".new")
    try:
        new.write_bytes(msgspec.json.encode(sessions))
        new.replace(path)
    except OSError as error:
        log.warning("session_record_not_written", why=type(error).__name__)
