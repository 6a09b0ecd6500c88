"""What a call through Companion takes beyond calling the provider directly, in the same run.

    python -m benchmarks.http_overhead

The app, the provider (`instant_provider`) and the callers are three processes.
"""

from __future__ import annotations

import asyncio
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.app_process import running_app

PROVIDER_MS: Final = 500
AT_ONCE: Final = 50
ROOM: Final = 1.2
"""Of a call's period to the provider's time."""
ROUNDS: Final = 20
STREAMS: Final = 20
STREAM_TURNS: Final = 5
BUSY_S: Final = 8.0
_LENGTH: Final = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_STAMP: Final = re.compile(rb'"content": ?"(\d+\.\d+) "')


@dataclass(frozen=True, slots=True)
class Target:
    """Whom to call."""

    name: str
    port: int
    path: str
    key: str

    def request(self, body: bytes) -> bytes:
        """Return a whole chat request."""
        return (
            f"POST {self.path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {self.key}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        ).encode() + body


def body(*, stream: bool = False, wait_ms: int = 0) -> bytes:
    """Return the body of a chat request; the provider takes that long for it."""
    streams = "true" if stream else "false"
    return (
        '{"model": "gpt-6-luna", "messages": [{"role": "user", "content": "Why is the sky blue?"}],'
        f' "stream": {streams}, "user": "{wait_ms}"}}'
    ).encode()


class Line:
    """One connection that is kept."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, target: Target) -> Line:
        """Connect."""
        return cls(*await asyncio.open_connection("127.0.0.1", target.port))

    async def call(self, request: bytes) -> float:
        """Call once; return the seconds it took."""
        began = time.monotonic()
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if not head.startswith(b"HTTP/1.1 200") or length is None:
            raise RuntimeError(head.decode(errors="replace"))
        await self._reader.readexactly(int(length[1]))
        return time.monotonic() - began

    async def stream(self, request: bytes) -> list[float]:
        """Read a stream; return how old each event was when it came, in seconds."""
        self._writer.write(request)
        ages: list[float] = []
        while b"[DONE]" not in (line := await self._reader.readline()):
            if stamp := _STAMP.search(line):
                ages.append(time.monotonic() - float(stamp[1]))
            if not line:
                raise RuntimeError("cut")
        return ages

    def send(self, request: bytes) -> None:
        """Send a request, and read nothing."""
        self._writer.write(request)

    def close(self) -> None:
        """Hang up."""
        self._writer.close()


async def paced(target: Target) -> list[float]:
    """Keep 50 calls going, begun evenly; return what each took beyond the provider's time.

    Each begins at its own moment, however late the one before was: calls that were held
    up together would else go on together, and be measured against each other.
    """
    request = target.request(body(wait_ms=PROVIDER_MS))
    began, period_s = time.monotonic(), PROVIDER_MS / 1000 * ROOM

    async def one(number: int) -> list[float]:
        line = await Line.open(target)
        times: list[float] = []
        for turn in range(ROUNDS):
            due = began + period_s * (turn + number / AT_ONCE)
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            times.append(await line.call(request))
        line.close()
        return times[1:]  # the first one connects

    taken = await asyncio.gather(*(one(number) for number in range(AT_ONCE)))
    return [(each - PROVIDER_MS / 1000) * 1000 for times in taken for each in times]


async def busy(target: Target) -> float:
    """Call as fast as 50 connections can; return the calls a second."""
    request = target.request(body())
    ends = time.monotonic() + BUSY_S

    async def one() -> int:
        line = await Line.open(target)
        calls = 0
        while time.monotonic() < ends:
            await line.call(request)
            calls += 1
        line.close()
        return calls

    return sum(await asyncio.gather(*(one() for _ in range(AT_ONCE)))) / BUSY_S


async def streamed(target: Target) -> list[float]:
    """Read 20 streams at once; return how old events were when they came, in ms."""
    request = target.request(body(stream=True))

    async def one() -> list[float]:
        line = await Line.open(target)
        ages = await line.stream(request)
        line.close()
        return ages

    found = await asyncio.gather(*(one() for _ in range(STREAMS)))
    return [age * 1000 for ages in found for age in ages]


async def measure(direct: Target, through: Target) -> None:
    """Print the table."""
    for target in (direct, through):  # what is done once is done before
        await Line.call(await Line.open(target), target.request(body()))
    print("| | direct | through Companion | added |\n|---|---|---|---|")
    for name, measured, turns in (("call", paced, 1), ("streamed event", streamed, STREAM_TURNS)):
        theirs, ours = list[float](), list[float]()
        for _ in range(turns):  # how many events come in one moment differs from turn to turn
            theirs += await measured(direct)
            ours += await measured(through)
        for share, label in ((0.5, "median"), (0.95, "95 %")):
            a, b = _share(theirs, share), _share(ours, share)
            print(f"| {name}, {label}, ms | {a:.2f} | {b:.2f} | {b - a:.2f} |")
    print(f"| calls a second | {await busy(direct):.0f} | {await busy(through):.0f} | |")


def _share(times: list[float], share: float) -> float:
    return statistics.quantiles(times, n=100)[round(share * 100) - 1]


@asynccontextmanager
async def provider() -> AsyncGenerator[int]:
    """Run the provider as a process of its own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.instant_provider", str(port))
    )
    try:
        await asyncio.sleep(1)
        yield port
    finally:
        process.terminate()
        await process.wait()


async def main() -> None:
    """Start everything and measure."""
    async with provider() as port:
        with tempfile.TemporaryDirectory() as folder:
            environment = {
                "OPENAI_API_KEY": "sk-benchmark-0000",
                "OPENAI_BASE_URL": f"http://127.0.0.1:{port}/v1",
                "COMPANION_LIMIT_USER": "1000000/1s",
                "COMPANION_LIMIT_KEY": "1000000/1s",
                "COMPANION_MAX_STREAMS": "1000",
                "COMPANION_MAX_STREAMS_PER_USER": "100",
            }
            async with running_app(environment, Path(folder), "--no-discord") as app:
                token = new_token(environment, Path(folder))
                ours = int(app.health.rpartition(":")[2])
                await measure(
                    Target("direct", port, "/v1/chat/completions", "sk-benchmark-0000"),
                    Target("through", ours, "/modules/openai/chat/completions", token),
                )
                print(f"\nCPU of the app: {app.cpu_s():.1f} s, peak {app.rss_mib():.0f} MiB")


def new_token(environment: dict[str, str], data: Path) -> str:
    """Make a token for the HTTP API of the app whose data are there."""
    made = subprocess.run(
        [sys.executable, "-m", "companion", "tokens", "create", "benchmark"],
        env={**os.environ, **environment, "COMPANION_DATA_DIR": str(data)},
        capture_output=True,
        text=True,
        check=True,
    )
    found = re.search(r"cmp_\S+", made.stdout)
    assert found is not None, made.stdout
    return found[0]


if __name__ == "__main__":
    asyncio.run(main())
