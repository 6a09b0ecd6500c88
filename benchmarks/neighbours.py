"""A loud neighbour: one server asks without end, and twenty quiet ones shall not notice.

    python -m benchmarks.neighbours                     # 100 asks a second, as it is set up
    python -m benchmarks.neighbours --no-buckets        # nothing but the queue between them
    python -m benchmarks.neighbours --no-buckets --slots 16 --loud-per-s 30 --quiet-per-s 1
    python -m benchmarks.neighbours --loud-per-s 300 --seconds 10 --json figures.json

The app is a process of its own; Discord and the model share
this one. First the quiet servers ask alone, then beside the loud one. A wait is the time from
the moment Discord sends the interaction until the model gets the request. Whoever is loud is
answered, or told when to come back; how soon they are told is a figure, too.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import re
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import uvloop
from tests.support.provider_script import Answer
from tests.support.scripted_provider import ScriptedProvider

from benchmarks.app_process import AppProcess, running_app
from benchmarks.asking import By, Seat, name_in, seats
from benchmarks.figures import percentile, spread, table
from benchmarks.surroundings import UNLIMITED, surroundings
from companion.playground.interaction import Interaction
from companion.playground.local_discord import LocalDiscord

QUIET_SERVERS = 20
LOUD_PEOPLE = 200
DRAIN_S = 40.0
ANSWER = Answer(text="word " * 100, ttft_s=0.3, tokens_per_s=50.0, chunk=5)
REFUSED = re.compile(r"Ask again|come back|on the way")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How loud, how quiet, and for how long."""

    seconds: float
    loud_per_s: float
    quiet_per_s: float
    buckets: bool
    slots: int


@dataclass(slots=True, kw_only=True)
class Asked:
    """One question. Moments are `time.monotonic()` seconds."""

    name: str
    began: float
    interaction: Interaction
    ended_at: float | None = None

    @property
    def is_refused(self) -> bool:
        return bool(REFUSED.search(self.interaction.text))

    @property
    def acknowledged_s(self) -> float:
        seen = self.interaction.acknowledged_at
        return float("inf") if seen is None else seen - self.interaction.created_at

    @property
    def told_s(self) -> float:
        ended = self.ended_at
        return float("inf") if ended is None else ended - self.began


@dataclass(slots=True, kw_only=True)
class Crowd:
    """People who ask at a steady rate, one after another."""

    discord: LocalDiscord
    places: Sequence[Seat]
    per_s: float
    asked: list[Asked] = field(default_factory=list[Asked])
    _watching: list[asyncio.Task[None]] = field(default_factory=list[asyncio.Task[None]])

    async def ask(self, name: str, seconds: float) -> None:
        """Ask for so long; a question that is late is asked at once, so the rate holds."""
        began, turns = time.monotonic(), itertools.cycle(self.places)
        for number in range(int(seconds * self.per_s)):
            due = began + number / self.per_s
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            seat = next(turns)
            called = f"{name}-{number}"
            prompt = {"prompt": f"Conversation {called}: count."}
            began_at = time.monotonic()
            interaction = await self.discord.invoke(seat.who, seat.where, "ask", prompt)
            asked = Asked(name=called, began=began_at, interaction=interaction)
            self.asked.append(asked)
            self._watching.append(asyncio.create_task(_watch(asked)))

    async def settled(self) -> list[Asked]:
        """Return what was asked, once all of it has ended, or after a while."""
        if self._watching:
            await asyncio.wait(self._watching, timeout=DRAIN_S)
        for late in self._watching:
            late.cancel()
        return self.asked


async def _watch(asked: Asked) -> None:
    await asked.interaction.until(_has_ended, timeout=2 * DRAIN_S)
    asked.ended_at = time.monotonic()


def _has_ended(seen: Interaction) -> bool:
    labels = json.dumps(seen.messages[-1].components) if seen.messages else ""
    return "Regenerate" in labels or bool(REFUSED.search(seen.text))


async def run(plan: Plan) -> list[dict[str, object]]:
    """Start everything once; measure without the loud server, then with it."""
    with tempfile.TemporaryDirectory() as folder:
        async with LocalDiscord.start() as discord, ScriptedProvider.start(validate=False) as model:
            model.default = ANSWER
            async with running_app(_environment(discord, model, plan), Path(folder)) as app:
                await discord.wait_for_commands(["ask"])
                quiet = [
                    seats(discord, f"q{n}", 1, by=By.COMMAND, channels=0)[0]
                    for n in range(QUIET_SERVERS)
                ]
                loud = seats(discord, "loud", LOUD_PEOPLE, by=By.COMMAND, channels=10)
                await asyncio.sleep(2.0)
                stage = _Stage(discord=discord, model=model, app=app, quiet=quiet, plan=plan)
                await stage.measure("warm", [], 2.0)
                return [
                    await stage.measure("alone", [], plan.seconds),
                    await stage.measure("beside", loud, plan.seconds),
                ]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stage:
    discord: LocalDiscord
    model: ScriptedProvider
    app: AppProcess
    quiet: Sequence[Seat]
    plan: Plan

    async def measure(self, name: str, loud: Sequence[Seat], seconds: float) -> dict[str, object]:
        """Let the quiet ask, beside the loud if there are any, and say how both fared."""
        plan, app = self.plan, self.app
        quiet_crowd = Crowd(discord=self.discord, places=self.quiet, per_s=plan.quiet_per_s)
        loud_crowd = Crowd(discord=self.discord, places=loud, per_s=plan.loud_per_s if loud else 0)
        self.model.requests.clear()
        app.forget_peak()
        sampling = asyncio.create_task(app.sample())
        cpu = app.cpu_s()
        await asyncio.gather(
            quiet_crowd.ask(f"quiet-{name}", seconds), loud_crowd.ask(f"loud-{name}", seconds)
        )
        busy = (app.cpu_s() - cpu) / seconds
        of_quiet, of_loud = await quiet_crowd.settled(), await loud_crowd.settled()
        sampling.cancel()
        # a title is asked for later, and names the question too: the first request is the answer's
        got = {name_in(record.body): record.at for record in reversed(self.model.chats)}
        waits = [got.get(a.name, float("inf")) - a.began for a in of_quiet]
        for words in {a.interaction.text[:200] for a in of_loud if a.ended_at is None}:
            print(f"neither answered nor told: {words!r}", flush=True)
        refused = [a for a in of_loud if a.is_refused]
        answered = [a for a in of_loud if a.ended_at is not None and not a.is_refused]
        return {
            "quiet servers ask": name,
            "quiet wait ms": spread(waits),
            "quiet answered": f"{sum(a.name in got for a in of_quiet)}/{len(of_quiet)}",
            "loud asked": len(of_loud),
            "loud answered": len(answered),
            "told to come back": len(refused),
            "neither": sum(a.ended_at is None for a in of_loud),
            "told within ms, p95": round(percentile([a.told_s for a in refused], 0.95) * 1000)
            if refused
            else 0,
            "ack ms, largest": round(max(a.acknowledged_s for a in of_quiet + of_loud) * 1000),
            "app CPU": f"{busy:.0%}",
            "peak MiB": round(app.peak_mib),
        }


def _environment(discord: LocalDiscord, model: ScriptedProvider, plan: Plan) -> dict[str, str]:
    limits = () if plan.buckets else ("COMPANION_LIMIT_GUILD", "COMPANION_LIMIT_USER")
    return {
        **surroundings(discord, model),
        # all share the operator's key here, whose bucket is for one key of many
        "COMPANION_LIMIT_KEY": UNLIMITED,
        "COMPANION_MAX_STREAMS": str(plan.slots),
        **dict.fromkeys(limits, UNLIMITED),
    }


def main() -> None:
    """Parse the arguments, run, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seconds", type=float, default=20.0, help="how long each part takes")
    parser.add_argument("--loud-per-s", type=float, default=100.0)
    parser.add_argument("--quiet-per-s", type=float, default=4.0, help="of all quiet together")
    parser.add_argument("--no-buckets", action="store_true", help="no rate limits but the queue")
    parser.add_argument("--slots", type=int, default=64, help="replies at once")
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    plan = Plan(
        seconds=chosen.seconds,
        loud_per_s=chosen.loud_per_s,
        quiet_per_s=chosen.quiet_per_s,
        buckets=not chosen.no_buckets,
        slots=chosen.slots,
    )
    rows = uvloop.run(run(plan))
    print(table(rows))
    if chosen.json:
        chosen.json.write_text(json.dumps(rows, indent=2) + "\n")


if __name__ == "__main__":
    main()
