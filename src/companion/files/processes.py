"""Runs the reading processes: few at once, each with a deadline, killed when it is over.

A pipe is written and read in a thread, so that megabytes cost the event loop nothing
and it works alike on every system and loop. The kill is what ends the thread.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import Final

from companion.domain.file_errors import FilesBusy
from companion.domain.file_kinds import FileKind
from companion.files import caps

AT_ONCE: Final = 2
WAITING: Final = 16
RETRY_S: Final = 10.0
_NEEDED: Final = ("SYSTEMROOT",)
"""Of our environment, which holds keys: what Windows cannot start a process without."""


class ReaderFailed(Exception):
    """The process ended without a result; `exhausted` when a limit ended it."""

    def __init__(self, *, exhausted: bool) -> None:
        super().__init__()
        self.exhausted = exhausted


class ReadingProcesses:
    """The processes of this process. Build it inside the running loop."""

    def __init__(
        self, *, wall_s: float = caps.WALL_S, cpu_s: int = caps.CPU_S, at_once: int = AT_ONCE
    ) -> None:
        self._wall_s = wall_s
        self._cpu_s = cpu_s
        self._slots = asyncio.Semaphore(at_once)
        self._waiting = 0

    async def run(self, kind: FileKind, data: bytes) -> bytes:
        """Return what a process makes of a file; raises `ReaderFailed` or `FilesBusy`."""
        async with self._slot():
            child = _Child(kind, self._cpu_s)
            work = asyncio.create_task(asyncio.to_thread(child.run, data), name="reading a file")
            work.add_done_callback(_look)
            try:
                async with asyncio.timeout(self._wall_s):
                    return await asyncio.shield(work)
            except TimeoutError:
                raise ReaderFailed(exhausted=True) from None
            finally:
                child.kill()
                await asyncio.wait({work})

    @asynccontextmanager
    async def _slot(self) -> AsyncGenerator[None]:
        if self._slots.locked() and self._waiting >= WAITING:
            raise FilesBusy(retry_after_s=RETRY_S)
        self._waiting += 1
        try:
            await self._slots.acquire()
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._slots.release()


class _Child:
    """One process and its two pipes."""

    def __init__(self, kind: FileKind, cpu_s: int) -> None:
        self._limits = (kind.value, str(cpu_s))
        self._lock = threading.Lock()
        self._killed = False
        self._process: subprocess.Popen[bytes] | None = None

    def run(self, data: bytes) -> bytes:
        """Start it, hand it the file and read what it says. Blocks: for a thread."""
        with self._lock:
            if self._killed:
                raise ReaderFailed(exhausted=True)
            process = self._process = self._started()
        try:
            with process:
                said = _talked(process, data)
        finally:
            self._process = None
        if process.returncode != 0 or len(said) > caps.RESULT_BYTES:
            raise ReaderFailed(exhausted=process.returncode < 0)
        return said

    def kill(self) -> None:
        """End it, wherever it stands; nothing happens when it has ended."""
        with self._lock:
            self._killed = True
            if self._process is not None:
                self._process.kill()

    def _started(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(  # noqa: S603 — our own module, our own arguments
            [sys.executable, "-I", "-B", "-m", "companion.files.worker", *self._limits],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={name: os.environ[name] for name in _NEEDED if name in os.environ},
        )


def _look(work: asyncio.Task[bytes]) -> None:
    """Note that the task has ended: whatever a kill led to was expected."""
    if not work.cancelled():
        work.exception()


def _talked(process: subprocess.Popen[bytes], data: bytes) -> bytes:
    assert process.stdin is not None
    assert process.stdout is not None
    with suppress(BrokenPipeError, ConnectionResetError):  # it ended early: its code says why
        process.stdin.write(data)
        process.stdin.flush()
    with suppress(BrokenPipeError, ConnectionResetError):
        process.stdin.close()
    said = process.stdout.read(caps.RESULT_BYTES + 1)
    if len(said) > caps.RESULT_BYTES:
        process.kill()
    return said
