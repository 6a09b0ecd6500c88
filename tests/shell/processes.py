"""The command as a real process: what it prints, what it logs, how it ends."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

SLOW_MACHINE_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A command that ran to its end."""

    code: int
    out: str
    err: str

    @property
    def sentence(self) -> str:
        """Return the one line that it said of its failure, and check that it is one."""
        (line,) = self.err.splitlines()
        assert line.startswith("companion: ")
        assert line.endswith(".")
        return line


class Running:
    """A command that runs. Its log is JSON, a line each."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.out: list[str] = []
        self.log: list[dict[str, Any]] = []
        self._news = asyncio.Condition()
        self.readers = [
            asyncio.create_task(self._read(process.stdout, self.out.append)),
            asyncio.create_task(self._read(process.stderr, self._note)),
        ]

    @property
    def text(self) -> str:
        """Return everything it said."""
        return "\n".join([*self.out, *map(json.dumps, self.log)])

    async def event(self, name: str) -> dict[str, Any]:
        """Wait for an event in its log."""
        return await self._until(lambda: next((e for e in self.log if e["event"] == name), None))

    async def line(self, start: str) -> str:
        """Wait for a line of its output."""
        return await self._until(lambda: next((o for o in self.out if o.startswith(start)), None))

    def signal(self, number: int) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    async def ended(self) -> int:
        """Wait for its end and return its exit code."""
        async with asyncio.timeout(SLOW_MACHINE_S):
            await asyncio.gather(*self.readers)
            return await self.process.wait()

    async def _until(self, look: Any) -> Any:
        async with asyncio.timeout(SLOW_MACHINE_S), self._news:
            while (found := look()) is None:
                assert self.process.returncode is None, self.text
                await self._news.wait()
            return found

    async def _read(self, stream: asyncio.StreamReader | None, take: Any) -> None:
        assert stream is not None
        async for line in stream:
            take(line.decode().rstrip("\n"))
            async with self._news:
                self._news.notify_all()
        await self.process.wait()
        async with self._news:  # there will be no more
            self._news.notify_all()

    def _note(self, line: str) -> None:
        self.log.append(json.loads(line) if line.startswith("{") else {"event": line})


async def spawn(*arguments: str, **environment: str) -> Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "companion", *arguments),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=PIPE,
        stderr=PIPE,
        env=os.environ | environment,
    )


async def run(*arguments: str, **environment: str) -> Ended:
    """Run a command to its end."""
    process = await spawn(*arguments, **environment)
    async with asyncio.timeout(SLOW_MACHINE_S):
        out, err = await process.communicate()
    assert process.returncode is not None
    return Ended(code=process.returncode, out=out.decode(), err=err.decode())


@asynccontextmanager
async def running(*arguments: str, **environment: str) -> AsyncGenerator[Running]:
    """Run a command until the block ends; killed then, if it still runs."""
    process = await spawn(*arguments, **environment)
    command = Running(process)
    try:
        yield command
    finally:
        if process.returncode is None:
            process.kill()
        await command.ended()
