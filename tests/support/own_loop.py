"""Async work for fixtures that are not async."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor


def in_own_loop(work: Coroutine[None, None, None]) -> None:
    """Run it on another thread's loop: a fixture may be made while a test's loop runs."""
    with ThreadPoolExecutor(1) as threads:
        threads.submit(asyncio.run, work).result()
