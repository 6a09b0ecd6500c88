"""A budget for ten requests, asked for by two hundred at once in two processes.

    python -m benchmarks.budget_race                    # SQLite and PostgreSQL
    python -m benchmarks.budget_race --only sqlite --failures 200 --json race.json

Each process is real: its own store, services and HTTP client, one database, one provider
that counts what reaches it. An answer costs exactly what was held for it, so that exactly
ten fit whatever the timing. Then requests fail, one thousand by default, and nothing may
stay held or be counted.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from asyncio.subprocess import PIPE, Process
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from tests.db.postgres import postgres_server
from tests.support.provider_script import Answer, Status
from tests.support.scripted_provider import ScriptedProvider

from benchmarks.budget_racer import ASKER, WORST, Race, told
from benchmarks.figures import table
from companion.db import migrations
from companion.db.keyring import KeyRing
from companion.db.uow import open_store
from companion.domain.models import Payer
from companion.domain.money import Caps, budgets
from companion.domain.usage import Micros

FITTING = 10
PROCESSES = 2
CROWD = 200
PATIENCE_S = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of the asks, what reached the provider, and how the budget stands."""

    became: Counter[str]
    reached: int
    spent: int
    held: int
    seconds: float


async def race(
    url: str, ring: str, *, failures: int, crowd: int = CROWD
) -> list[dict[str, object]]:
    """Run both parts on a migrated database, without failures the first; return a row each."""
    async with ScriptedProvider.start() as provider:
        plan = Race(
            url=url,
            ring=ring,
            provider=provider.base_url,
            asks=crowd // PROCESSES,
            at_once=crowd // PROCESSES,
            first_channel=1,
            budget_micros=FITTING * WORST,
        )
        usage = {"prompt_tokens": WORST, "completion_tokens": 0, "total_tokens": WORST}
        provider.default = Answer(text="Because.", usage=usage)
        rows = [_row("race", await _outcome(plan, provider))]
        if failures:
            provider.default = Status(status=400, code="invalid_value")
            # a thousand failures need room to be let in: a larger budget of the same name
            roomy = replace(plan, budget_micros=(FITTING + crowd) * WORST)
            roomy = replace(roomy, asks=failures // PROCESSES, first_channel=1_000_000)
            rows.append(_row("failures", await _outcome(roomy, provider)))
    return rows


async def _outcome(plan: Race, provider: ScriptedProvider) -> Outcome:
    before, began = len(provider.chats), time.monotonic()
    plans = [replace(plan, first_channel=plan.first_channel + n * 100_000) for n in (0, 1)]
    async with asyncio.timeout(PATIENCE_S):
        racers = [await _started(one) for one in plans]
        became = Counter[str]()
        for counted in await asyncio.gather(*map(_raced, racers)):
            became.update(counted)
    spent, held = await _standing(plan)
    return Outcome(
        became=became,
        reached=len(provider.chats) - before,
        spent=spent,
        held=held,
        seconds=time.monotonic() - began,
    )


async def _started(plan: Race) -> Process:
    racer = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.budget_racer", told(plan)), stdin=PIPE, stdout=PIPE
    )
    assert racer.stdout is not None
    assert await racer.stdout.readline() == b"ready\n"
    return racer


async def _raced(racer: Process) -> dict[str, int]:
    said, _ = await racer.communicate(b"go\n")
    found: dict[str, int] = json.loads(said)
    return found


async def _standing(plan: Race) -> tuple[int, int]:
    """Return what is spent and held of all budgets there are."""
    async with open_store(plan.url, KeyRing.parse(plan.ring)) as store, store.read() as unit:
        person = await unit.people.find(ASKER)
        caps = Caps(person_day=Micros(plan.budget_micros))
        counted = budgets(caps, Payer.OPERATOR, person, None, datetime.now(UTC))
        (spending,) = await unit.ledger.spending(counted)
    return spending.spent, spending.held


def _row(part: str, outcome: Outcome) -> dict[str, object]:
    became = outcome.became
    return {
        "part": part,
        "asked": became.total(),
        "finished": became["finished"],
        "refused": became["budget_spent"],
        "failed": became.total() - became["finished"] - became["budget_spent"],
        "reached the provider": outcome.reached,
        "spent, of the budget's": f"{outcome.spent / WORST:g} of {FITTING}",
        "held": outcome.held,
        "seconds": round(outcome.seconds, 1),
    }


async def _on(kind: str, failures: int) -> list[dict[str, object]]:
    ring = KeyRing.new_entry("k1")
    if kind == "sqlite":
        with tempfile.TemporaryDirectory() as folder:
            url = f"sqlite:///{Path(folder) / 'race.db'}"
            await migrations.upgrade(url)
            rows = await race(url, ring, failures=failures)
    else:
        with postgres_server() as server:
            rows = await race(await server.empty("companion"), ring, failures=failures)
    return [{"database": kind, **row} for row in rows]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the race and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--only", choices=("sqlite", "postgres"))
    parser.add_argument("--failures", type=int, default=1000)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args(arguments)
    kinds = [given.only] if given.only else ["sqlite", "postgres"]
    rows = [row for kind in kinds for row in asyncio.run(_on(kind, given.failures))]
    sys.stdout.write(table(rows) + "\n")
    if given.json:
        given.json.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
