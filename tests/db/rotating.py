"""A rotation in a process of its own, which stops and waits to be killed.

`python -m tests.db.rotating URL RING between|within`: prints `stopped` once it
stands between two batches, or within the transaction of one.
"""

from __future__ import annotations

import asyncio
import sys
import threading

from companion.db import rotation
from companion.db.keyring import KeyRing

ROWS_BEFORE = 20


def stop_here() -> None:
    print("stopped", flush=True)  # noqa: T201 - the parent waits for it
    threading.Event().wait()


def stop_after_a_batch(done: int, _total: int) -> None:
    if done >= rotation.BATCH:
        stop_here()


class StopWithin:
    """Stands in for storing a row; stops in the middle of a batch."""

    def __init__(self) -> None:
        self.replace = rotation.replace_values
        self.rows = 0

    async def __call__(self, *arguments: object) -> int:
        self.rows += 1
        if self.rows > ROWS_BEFORE:
            stop_here()
        return await self.replace(*arguments)  # type: ignore[arg-type]  # handed through


def main(url: str, ring: str, where: str) -> None:
    if where == "within":
        rotation.replace_values = StopWithin()
    progress = stop_after_a_batch if where == "between" else None
    asyncio.run(rotation.rotate(url, KeyRing.parse(ring), progress))


if __name__ == "__main__":
    main(*sys.argv[1:])
