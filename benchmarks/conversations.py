"""Many conversations at once: the real app against the local Discord and a scripted model.

    python -m benchmarks.conversations                       # 1, 10, 50, 200 and 1,000 at once
    python -m benchmarks.conversations --at-once 50 --stall-database 5
    python -m benchmarks.conversations --at-once 200 --by mention
    python -m benchmarks.conversations --at-once 200 --shared-channels 20
    python -m benchmarks.conversations --at-once 50 200 --on postgres
    python -m benchmarks.conversations --json figures.json

The app is a process of its own; Discord and the model share this one. Times:
acknowledgement from the moment Discord sends the interaction; first text from the
model's first token; last text from the model's last token. A lost or doubled word is
found by comparing what people read with what the model wrote. CPU is that of the app's
process alone, all threads; `1` is one after another, several times, because one reply
is too little to measure. One conversation before the first warms up, and is not counted.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import uvloop
from tests.support.provider_script import Answer
from tests.support.scripted_provider import ScriptedProvider

from benchmarks.app_process import AppProcess, running_app
from benchmarks.asking import By, Seat, name_in, seats
from benchmarks.databases import Kind, database, settings
from benchmarks.figures import spread, table
from benchmarks.stalling import stalled
from benchmarks.surroundings import NO_LIMITS, surroundings
from benchmarks.watching import NAN, Reading, Watcher
from companion.playground.local_discord import LocalDiscord

TOKENS = 200
ALONE_ROUNDS = 5
SETTLE_S = 0.5
BASE_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to run: how many at once, and how the model writes."""

    at_once: Sequence[int]
    ttft_s: float
    tokens_per_s: float
    stall_database_s: float
    by: By
    shared_channels: int
    on: Kind = Kind.SQLITE


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """What takes part in every round."""

    discord: LocalDiscord
    model: ScriptedProvider
    app: AppProcess


async def run(plan: Plan) -> list[dict[str, object]]:
    """Start everything once, and run each size against it."""
    with tempfile.TemporaryDirectory() as folder:
        async with (
            LocalDiscord.start() as discord,
            ScriptedProvider.start(validate=False) as model,
            database(plan.on) as url,
        ):
            model.default = lambda body: _answer(body, plan)
            set_up = environment(discord, model) | settings(url)
            async with running_app(set_up, Path(folder)) as app:
                await discord.wait_for_commands(["ask"])
                await asyncio.sleep(1.0)
                idle = app.rss_mib()
                print(f"ready after {app.ready_s:.2f} s, idle at {idle:.0f} MiB", flush=True)
                stage = Stage(discord=discord, model=model, app=app)
                await _round(stage, await _seats(stage, plan, "warm", 1))
                return [await _measure(size, plan, stage) for size in plan.at_once]


async def _measure(size: int, plan: Plan, stage: Stage) -> dict[str, object]:
    app, discord = stage.app, stage.discord
    rounds = ALONE_ROUNDS if size == 1 else 1
    all_seats = [await _seats(stage, plan, f"{size}-{number}", size) for number in range(rounds)]
    hits, cpu, since = discord.rate_limit_hits, app.cpu_s(), time.time()
    stage.model.requests.clear()
    app.forget_peak()
    sampling = asyncio.create_task(app.sample())
    readings: list[Reading] = []
    async with stalled(app, plan.stall_database_s):
        for of_round in all_seats:
            readings += await _round(stage, of_round)
    await asyncio.sleep(SETTLE_S)
    sampling.cancel()
    _join_model_times(readings, stage.model)
    _say_what_is_not_whole(readings, app)
    requests = [request for request in discord.requests if request.at >= since]
    return {
        "at once": size,
        "acknowledgement": spread([r.acknowledged_s for r in readings]),
        "first text": spread([r.first_text_s for r in readings]),
        "last text": spread([r.last_text_s for r in readings]),
        "whole": f"{sum(r.whole for r in readings)}/{len(readings)}",
        "lost words": sum(r.lost for r in readings),
        "doubled words": sum(r.doubled for r in readings),
        "edits each": _each([r for r in requests if r.method == "PATCH"], readings),
        "requests each": _each(requests, readings),
        "rate-limit hits": discord.rate_limit_hits - hits,
        "CPU ms each": round((app.cpu_s() - cpu) / len(readings) * 1000, 1),
        "peak MiB": round(app.peak_mib),
    }


async def _seats(stage: Stage, plan: Plan, name: str, size: int) -> list[Seat]:
    """Make that many people and their channels, and let the app hear of them."""
    made = seats(stage.discord, name, size, by=plan.by, channels=plan.shared_channels)
    await asyncio.sleep(SETTLE_S + size / 500)
    return made


async def _round(stage: Stage, taken: Sequence[Seat]) -> list[Reading]:
    """Let everyone ask at once."""
    limit_s = BASE_S + len(taken) / 10
    async with Watcher(stage.discord) as watcher:
        return await asyncio.gather(
            *(_converse(stage.discord, watcher, seat, limit_s) for seat in taken)
        )


async def _converse(discord: LocalDiscord, watcher: Watcher, seat: Seat, limit_s: float) -> Reading:
    reading = await seat.ask(discord, watcher, written(seat.name))
    with suppress(TimeoutError):  # then it is not whole, which is a figure too
        await asyncio.wait_for(reading.ended.wait(), limit_s)
    return reading


def _say_what_is_not_whole(readings: Sequence[Reading], app: AppProcess) -> None:
    shown = Counter(" ".join(r.words[:20]) for r in readings if not r.whole)
    for words, times in shown.most_common(5):
        print(f"not whole, {times} times: {words!r}", flush=True)
    if shown:
        print(app.log.read_text()[-2000:], flush=True)


def _each(what: Sequence[object], readings: Sequence[Reading]) -> float:
    return round(len(what) / len(readings), 1)


def _join_model_times(readings: Sequence[Reading], model: ScriptedProvider) -> None:
    by_name = {name_in(record.body): record for record in model.chats}
    for reading in readings:
        record = by_name.get(reading.name)
        if record is None:
            continue
        reading.model_wrote(record.first_token_at or NAN, record.last_token_at or NAN)


def _answer(body: dict[str, object], plan: Plan) -> Answer:
    return Answer(
        text=written(name_in(body)), ttft_s=plan.ttft_s, tokens_per_s=plan.tokens_per_s, chunk=6
    )


def written(name: str) -> str:
    """Return the 200-token answer of one conversation: every word tells where it belongs."""
    digits = re.sub(r"\D", "", name)[-3:]
    return "".join(f"{digits}{n:0{5 - len(digits)}d} " for n in range(TOKENS)).strip() + "."


def environment(discord: LocalDiscord, model: ScriptedProvider) -> dict[str, str]:
    """Return the settings of an app that meets no limits of its own."""
    return surroundings(discord, model) | NO_LIMITS | {"COMPANION_MAX_STREAMS": "2000"}


def main() -> None:
    """Parse the arguments, run, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--at-once", type=int, nargs="+", default=[1, 10, 50, 200, 1000])
    parser.add_argument("--ttft", type=float, default=0.3, help="seconds to the first token")
    parser.add_argument("--tokens-per-s", type=float, default=100.0)
    parser.add_argument("--stall-database", type=float, default=0.0, help="seconds")
    parser.add_argument("--on", type=Kind, choices=list(Kind), default=Kind.SQLITE)
    parser.add_argument("--by", type=By, choices=list(By), default=By.COMMAND)
    parser.add_argument(
        "--shared-channels", type=int, default=0, metavar="N", help="all in N channels, not alone"
    )
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    plan = Plan(
        at_once=chosen.at_once,
        ttft_s=chosen.ttft,
        tokens_per_s=chosen.tokens_per_s,
        stall_database_s=chosen.stall_database,
        by=chosen.by,
        shared_channels=chosen.shared_channels,
        on=chosen.on,
    )
    rows = uvloop.run(run(plan))
    print(table(rows))
    if chosen.json:
        chosen.json.write_text(json.dumps(rows, indent=2) + "\n")


if __name__ == "__main__":
    main()
