"""kill -9 at random moments with replies in flight, on SQLite and on PostgreSQL.

    python -m benchmarks.crashes                       # 10 runs with 20 replies on each
    python -m benchmarks.crashes --runs 100 --on postgres --json crashes.json
    python -m benchmarks.crashes --stop --at-once 50   # SIGTERM instead

In each run people ask by command, privately, and by mention. The app is killed at a random
moment and started again. Within 30 seconds each reply it had accepted (acknowledged, or a
mention that it had stored) has to be whole, or marked with a button or a sentence; none
twice, none still "thinking", none paid twice, no request left open in the log.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import uvloop
from tests.support.provider_script import Answer
from tests.support.scripted_provider import ScriptedProvider

from benchmarks import flat_prices
from benchmarks.app_process import AppProcess, running_app
from benchmarks.asking import By, Seat, name_in, seats
from benchmarks.crash_readings import Asked, Fate, Ledger, read_fate
from benchmarks.databases import Kind, database, settings
from benchmarks.figures import percentile, table
from benchmarks.surroundings import NO_LIMITS, surroundings
from companion.playground.interaction import InteractionFailed
from companion.playground.local_discord import LocalDiscord

PATIENCE_S = 30.0
FAR_OFF = "1000"
"""US dollars, of which each answer takes a few hundredths of a cent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to run. `stops`: with SIGTERM, which lets replies end."""

    database: Kind
    runs: int
    at_once: int
    seed: int
    stops: bool = False
    tokens: int = 200
    asking_s: float = 1.5
    latest_kill_s: float = 4.5
    folder: Path = field(default_factory=Path)


@dataclass(slots=True)
class Tally:
    """What came of all runs."""

    fates: Counter[Fate] = field(default_factory=Counter[Fate])
    settled_s: list[float] = field(default_factory=list[float])
    wrong: list[str] = field(default_factory=list[str])
    exits: Counter[int] = field(default_factory=Counter[int])
    counted_micros: int = 0

    def row(self, plan: Plan) -> dict[str, object]:
        """Return it as a row of a table."""
        return {
            "database": plan.database,
            "runs": plan.runs,
            "replies": sum(self.fates.values()),
            **{fate.value: self.fates[fate] for fate in Fate},
            "settled s p50/max": f"{percentile(self.settled_s, 0.5):.1f}"
            f" / {max(self.settled_s, default=0.0):.1f}",
            "micro-dollars counted": f"{self.counted_micros:,}",
            "exit": ", ".join(f"{code}: {count}" for code, count in self.exits.items()),
        }


class Drill:
    """One app on one database, killed and started again."""

    def __init__(
        self, plan: Plan, discord: LocalDiscord, model: ScriptedProvider, url: str | None
    ) -> None:
        self._plan = plan
        self._discord = discord
        self._url = url
        self._chance = random.Random(plan.seed)  # noqa: S311  moments, not secrets
        self._environment = _environment(discord, model, url)
        self._model = model

    async def run(self) -> Tally:
        """Run it all."""
        tally, plan = Tally(), self._plan
        app = await self._start()
        try:
            for number in range(plan.runs):
                app = await self._once(number, app, tally)
                print(f"{plan.database} run {number + 1}: {dict(tally.fates)}", flush=True)
        finally:
            await app.aclose()
        return tally

    async def _once(self, number: int, app: Running, tally: Tally) -> Running:
        plan, chance = self._plan, self._chance
        killing = asyncio.create_task(self._kill(app, chance.uniform(0.05, plan.latest_kill_s)))
        crowd = seats(self._discord, f"{number}", plan.at_once, by=By.COMMAND, channels=0)
        asked = await asyncio.gather(
            *(self._ask(seat, chance.uniform(0, plan.asking_s), n) for n, seat in enumerate(crowd))
        )
        killed_at, code = await killing
        tally.exits[code] += 1
        ledger = Ledger(self._url, plan.folder)
        accepted = [each for each in asked if each.was_accepted(await ledger.origins())]
        again = await self._start()
        await self._settle(accepted, killed_at, tally, ledger)
        tally.fates.update(read_fate(each, self._discord) for each in accepted)
        killed_s = killed_at - min(each.began for each in asked)
        wrong = [
            f"run {number}, killed after {killed_s:.2f} s: {each.describe()}"
            for each in accepted
            if read_fate(each, self._discord).is_wrong
        ]
        wrong += [f"run {number}: {said}" for said in await ledger.complaints()]
        tally.wrong += wrong
        tally.counted_micros = await ledger.counted()
        print("\n".join(wrong), flush=True)
        return again

    async def _ask(self, seat: Seat, after_s: float, n: int) -> Asked:
        name, who, where = seat.name, seat.who, seat.where
        asked = Asked(name=name, where=where, words=written(name, self._plan.tokens))
        await asyncio.sleep(after_s)
        asked.asked_at = time.monotonic()
        prompt = f"Conversation {name}: count."
        if n % 4 == 3:
            mention = f"<@{self._discord.application_id}> {prompt}"
            asked.message = await self._discord.say(who, where, mention)
        else:
            options: dict[str, Any] = {"prompt": prompt, "private": n % 4 == 2}
            with suppress(InteractionFailed):  # nobody was connected: never accepted
                asked.interaction = await self._discord.invoke(who, where, "ask", options)
        return asked

    async def _kill(self, app: Running, after_s: float) -> tuple[float, int]:
        await asyncio.sleep(after_s)
        process = app.process.process
        at = time.monotonic()
        process.terminate() if self._plan.stops else process.kill()
        code = await asyncio.wait_for(process.wait(), 40)
        await app.aclose()
        return at, code

    async def _settle(
        self, asked: Sequence[Asked], since: float, tally: Tally, ledger: Ledger
    ) -> None:
        until = time.monotonic() + PATIENCE_S
        waiting = list(asked)
        while waiting and time.monotonic() < until:
            await asyncio.sleep(0.1)
            waiting = [each for each in waiting if read_fate(each, self._discord).is_pending]
        tally.settled_s.append(time.monotonic() - since)
        while await ledger.left_behind() and time.monotonic() < until:  # noqa: ASYNC110  untold
            await asyncio.sleep(0.5)
        await asyncio.sleep(1.5)  # what would come twice has come by then

    async def _start(self) -> Running:
        running = Running(self._environment, self._plan.folder)
        await running.start()
        await self._discord.wait_for_commands(["ask"])
        return running


class Running:
    """A started app, and its end."""

    def __init__(self, environment: dict[str, str], folder: Path) -> None:
        self._stack = AsyncExitStack()
        self._opening = (environment, folder)
        self.process: AppProcess

    async def start(self) -> None:
        """Start it and wait until it is ready."""
        app = running_app(*self._opening, module=flat_prices.__name__)
        self.process = await self._stack.enter_async_context(app)

    async def aclose(self) -> None:
        """Stop it if it still runs."""
        await self._stack.aclose()


def written(name: str, tokens: int) -> str:
    """Return the answer of one conversation: every word tells where it belongs."""
    return " ".join(f"{name}w{n}" for n in range(tokens // 2)) + "."


def _environment(discord: LocalDiscord, model: ScriptedProvider, url: str | None) -> dict[str, str]:
    return {
        **surroundings(discord, model),
        **NO_LIMITS,
        "COMPANION_LOG_LEVEL": "INFO",
        "COMPANION_MAX_STREAMS": "200",
        "COMPANION_BUDGET_USER_DAY": FAR_OFF,
        "COMPANION_BUDGET_GUILD_MONTH": FAR_OFF,
        "PYTHONPATH": str(Path(__file__).parents[1]),
        **settings(url),
    }


async def drilled(plan: Plan) -> Tally:
    """Run a plan."""
    with tempfile.TemporaryDirectory() as folder:
        plan = replace(plan, folder=Path(folder))
        async with (
            LocalDiscord.start() as discord,
            ScriptedProvider.start(validate=False) as model,
            database(plan.database) as url,
        ):
            model.default = lambda body: _answer(body, plan)
            return await Drill(plan, discord, model, url).run()


def _answer(body: dict[str, object], plan: Plan) -> Answer:
    return Answer(text=written(name_in(body), plan.tokens), ttft_s=0.3, tokens_per_s=100.0, chunk=6)


def main() -> None:
    """Parse the arguments, run, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--at-once", type=int, default=20)
    parser.add_argument("--on", type=Kind, nargs="+", choices=list(Kind), default=list(Kind))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--stop", action="store_true", help="SIGTERM instead of kill -9")
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    rows: list[dict[str, object]] = []
    wrong: list[str] = []
    for kind in chosen.on:
        plan = Plan(
            database=kind,
            runs=chosen.runs,
            at_once=chosen.at_once,
            seed=chosen.seed,
            stops=chosen.stop,
        )
        tally = uvloop.run(drilled(plan))
        rows.append(tally.row(plan))
        wrong += [f"{kind} {said}" for said in tally.wrong]
    print(table(rows))
    print("\n".join(wrong) or "nothing lost, doubled or left open")
    if chosen.json:
        chosen.json.write_text(json.dumps({"rows": rows, "wrong": wrong}, indent=2) + "\n")
    raise SystemExit(1 if wrong else 0)


if __name__ == "__main__":
    main()
