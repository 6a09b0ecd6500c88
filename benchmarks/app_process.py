"""The real app as a process of its own, watched from outside."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import time
import urllib.error
import urllib.request
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

MIB = 1024 * 1024


@dataclass(slots=True)
class AppProcess:
    """A running app: its process, its health address, its memory so far."""

    process: asyncio.subprocess.Process
    health: str
    log: Path
    ready_s: float = 0.0
    peak_mib: float = 0.0
    samples: list[float] = field(default_factory=list[float])

    @property
    def watched(self) -> psutil.Process:
        return psutil.Process(self.process.pid)

    def forget_peak(self) -> None:
        """Begin to look for the memory's peak anew."""
        self.peak_mib = 0.0

    def cpu_s(self) -> float:
        """Return user and system seconds of the process so far."""
        times = self.watched.cpu_times()
        return times.user + times.system

    def rss_mib(self) -> float:
        """Return its resident memory now."""
        rss = self.watched.memory_info().rss / MIB
        self.peak_mib = max(self.peak_mib, rss)
        return rss

    async def sample(self) -> None:
        """Watch the memory until cancelled."""
        while True:
            self.samples.append(self.rss_mib())
            await asyncio.sleep(0.1)


@asynccontextmanager
async def running_app(
    environment: dict[str, str], data: Path, *options: str, module: str = "companion"
) -> AsyncGenerator[AppProcess]:
    """Start `companion run`, wait until it is ready, stop it with SIGTERM at the end.

    `module` takes the place of `companion`.
    """
    port = _free_port()
    kept = {"PATH", "HOME", "LANG", "SYSTEMROOT"}
    full = {k: v for k, v in os.environ.items() if k in kept} | {
        "COMPANION_DATA_DIR": str(data),
        "COMPANION_HTTP_PORT": str(port),
        "COMPANION_LOG_LEVEL": "WARNING",
        **environment,
    }
    log_file = data / "app.log"
    log = log_file.open("ab")
    began = time.monotonic()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", module, "run", *options),
        env=full,
        stdout=log,
        stderr=log,
        cwd=data,
    )
    app = AppProcess(process, f"http://127.0.0.1:{port}", log_file)
    try:
        await _until_ready(app)
        app.ready_s = time.monotonic() - began
        yield app
    finally:
        if process.returncode is None:
            process.terminate()
            await asyncio.wait_for(process.wait(), 40)
        log.close()


async def _until_ready(app: AppProcess) -> None:
    async with asyncio.timeout(30):
        while not await asyncio.to_thread(is_ready, app.health):
            if app.process.returncode is not None:
                raise RuntimeError(f"the app ended with {app.process.returncode}")
            await asyncio.sleep(0.02)


def is_ready(health: str) -> bool:
    try:
        with urllib.request.urlopen(f"{health}/readyz", timeout=1) as answer:
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
