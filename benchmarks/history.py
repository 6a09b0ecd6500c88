"""What one turn costs in a short and in a very long conversation.

    python -m benchmarks.history                        # 10 and 10,000 turns, SQLite and PostgreSQL
    python -m benchmarks.history --turns 10 1000 --only sqlite

The whole service runs over a real database; the model is a script that answers at once.
What is counted: SQL statements, and the time from the question to the stored answer. What
goes on in the background (a summary of older turns) is let finish before each turn.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from tests.db.postgres import postgres_server
from tests.support.long_conversations import LongTalk, counted

from benchmarks.figures import spread, table
from companion.db import migrations
from companion.db.keyring import KeyRing
from companion.db.uow import SqlStore, open_store

WARM_UP = 20


async def measure(
    kind: str, store: SqlStore, turns: Sequence[int], samples: int
) -> list[dict[str, object]]:
    """Take the sizes in turns, so that a busy machine is busy for all of them."""
    talks = {size: LongTalk(store) for size in turns}
    for size, talk in talks.items():
        await talk.grow(size)
    times: dict[int, list[float]] = {size: [] for size in turns}
    statements: dict[int, set[int]] = {size: set() for size in turns}
    for sample in range(WARM_UP + samples):
        for size, talk in talks.items():
            with counted() as seen:
                began = time.perf_counter()
                asked = await talk.ask()
                took = time.perf_counter() - began
            await talk.settle()
            await talk.take_back(asked)
            if sample >= WARM_UP:
                times[size].append(took)
                statements[size].add(len(seen.statements))
    for talk in talks.values():
        await talk.services.close()
    return [
        {
            "database": kind,
            "turns": f"{size:,}",
            "statements": " or ".join(map(str, sorted(statements[size]))),
            **{f"{name} ms": value for name, value in spread(times[size]).items()},
        }
        for size in turns
    ]


@asynccontextmanager
async def opened(kind: str, folder: Path) -> AsyncGenerator[SqlStore]:
    """Open an empty database of that kind."""
    ring = KeyRing.parse(KeyRing.new_entry("k1"))
    if kind == "sqlite":
        url = f"sqlite:///{folder}/history.db"
        await migrations.upgrade(url)
        async with open_store(url, ring) as store:
            yield store
        return
    with postgres_server() as server:
        async with open_store(await server.empty("companion"), ring) as store:
            yield store


async def run(kinds: Sequence[str], turns: Sequence[int], samples: int) -> None:
    """Measure every kind and print one table."""
    rows: list[dict[str, object]] = []
    for kind in kinds:
        with tempfile.TemporaryDirectory() as folder:
            async with opened(kind, Path(folder)) as store:
                rows += await measure(kind, store, turns, samples)
    print(table(rows))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, nargs="+", default=[10, 10_000])
    parser.add_argument("--samples", type=int, default=100)
    parser.add_argument("--only", choices=["sqlite", "postgres"])
    asked = parser.parse_args()
    kinds = [asked.only] if asked.only else ["sqlite", "postgres"]
    asyncio.run(run(kinds, asked.turns, asked.samples))


if __name__ == "__main__":
    main()
