"""Measures what a stretch of work costs this process: stalls of its event loop, and memory."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import psutil

EVERY_S = 0.005


@dataclass(slots=True)
class Watched:
    """The longest stall in seconds, and how many bytes the process grew at its largest."""

    longest_stall_s: float = 0.0
    growth_bytes: int = 0


@asynccontextmanager
async def watching() -> AsyncGenerator[Watched]:
    """Look at the loop every 5 ms; how late a look comes is how long the loop stood still."""
    gc.collect()
    process = psutil.Process()
    before = process.memory_info().rss
    watched = Watched()

    async def watch() -> None:
        while True:
            began = time.perf_counter()
            await asyncio.sleep(EVERY_S)
            late = time.perf_counter() - began - EVERY_S
            watched.longest_stall_s = max(watched.longest_stall_s, late)
            grown = process.memory_info().rss - before
            watched.growth_bytes = max(watched.growth_bytes, grown)

    watcher = asyncio.create_task(watch(), name="watching the loop")
    try:
        yield watched
    finally:
        watcher.cancel()
        await asyncio.wait({watcher})
