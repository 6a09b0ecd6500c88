"""Many conversations at once: the real app against the local Discord and a scripted model.

    python -m benchmarks.conversations                       # 1, 10, 50 and 200 at once
    python -m benchmarks.conversations --at-once 50 --stall-database 5
    python -m benchmarks.conversations --json figures.json

The app is a process of its own; Discord and the model share this one. Times:
acknowledgement from the moment Discord sends the interaction; first text from the
model's first token; last text from the model's last token. A lost or doubled word is
found by comparing what people read with what the model wrote.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import uvloop
from tests.support.provider_script import Answer
from tests.support.scripted_provider import ScriptedProvider

from benchmarks.app_process import AppProcess, running_app
from benchmarks.figures import spread, table
from benchmarks.stalling import stalled
from benchmarks.watching import Reading, Watcher
from companion.playground.local_discord import LocalDiscord
from companion.playground.state import Channel, Person

TOKENS = 200
UNLIMITED = "1000000/1s"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to run: how many at once, and how the model writes."""

    at_once: Sequence[int]
    ttft_s: float
    tokens_per_s: float
    stall_database_s: float


async def run(plan: Plan) -> list[dict[str, object]]:
    """Start everything once, and run each size against it."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        async with LocalDiscord.start() as discord, ScriptedProvider.start(validate=False) as model:
            model.default = lambda body: _answer(body, plan)
            async with running_app(_environment(discord, model), data) as app:
                await discord.wait_for_commands(["ask"])
                await asyncio.sleep(1.0)
                idle = app.rss_mib()
                print(f"ready after {app.ready_s:.2f} s, idle at {idle:.0f} MiB", flush=True)
                return [await _measure(size, plan, discord, model, app) for size in plan.at_once]


async def _measure(
    size: int, plan: Plan, discord: LocalDiscord, model: ScriptedProvider, app: AppProcess
) -> dict[str, object]:
    watcher = Watcher(discord)
    world = discord.world
    people = [world.add_person(f"p{size}-{n}") for n in range(size)]
    guild = world.add_guild(f"Guild of {size}", owner=people[0], members=tuple(people[1:]))
    places = [(who, world.add_channel(guild, f"c-{n}")) for n, who in enumerate(people)]
    edits, hits, cpu = len(discord.requests), discord.rate_limit_hits, app.cpu_s()
    model.requests.clear()
    sampling = asyncio.create_task(app.sample())
    async with watcher, stalled(app, plan.stall_database_s):
        readings = await asyncio.gather(
            *(
                _converse(discord, watcher, who, where, f"{size}-{n}")
                for n, (who, where) in enumerate(places)
            )
        )
    sampling.cancel()
    _join_model_times(readings, model)
    return {
        "at once": size,
        "ack ms": _short(spread([r.acknowledged_s for r in readings])),
        "first text ms": _short(spread([r.first_text_s for r in readings])),
        "last text ms": _short(spread([r.last_text_s for r in readings])),
        "whole": f"{sum(r.whole for r in readings)}/{size}",
        "requests each": round((len(discord.requests) - edits) / size, 1),
        "429s": discord.rate_limit_hits - hits,
        "CPU ms each": round((app.cpu_s() - cpu) / size * 1000, 1),
        "peak MiB": round(app.peak_mib),
    }


async def _converse(
    discord: LocalDiscord, watcher: Watcher, who: Person, where: Channel, name: str
) -> Reading:
    reading = watcher.expect(where, name, written(name))
    prompt = {"prompt": f"Conversation {name}: count."}
    reading.interaction = await discord.invoke(who, where, "ask", prompt)
    await asyncio.wait_for(reading.ended.wait(), 90)
    return reading


def _join_model_times(readings: Sequence[Reading], model: ScriptedProvider) -> None:
    by_name = {_name(record.body): record for record in model.chats}
    for reading in readings:
        record = by_name[reading.name]
        reading.model_wrote(record.first_token_at or 0.0, record.last_token_at or 0.0)


def _answer(body: dict[str, object], plan: Plan) -> Answer:
    return Answer(
        text=written(_name(body)), ttft_s=plan.ttft_s, tokens_per_s=plan.tokens_per_s, chunk=6
    )


def written(name: str) -> str:
    """Return the 200-token answer of one conversation: every word tells where it belongs."""
    digits = re.sub(r"\D", "", name)[-3:]
    return "".join(f"{digits}{n:0{5 - len(digits)}d} " for n in range(TOKENS)).strip() + "."


def _name(body: dict[str, object]) -> str:
    found = re.findall(r"Conversation ([\d-]+):", json.dumps(body))
    return found[-1]


def _environment(discord: LocalDiscord, model: ScriptedProvider) -> dict[str, str]:
    return {
        "DISCORD_TOKEN": discord.token,
        "DISCORD_API_URL": discord.api_url,
        "OPENAI_BASE_URL": model.base_url,
        "OPENAI_API_KEY": "sk-benchmark-000000000000",
        "COMPANION_LIMIT_USER": UNLIMITED,
        "COMPANION_LIMIT_GUILD": UNLIMITED,
        "COMPANION_LIMIT_KEY": UNLIMITED,
        "COMPANION_MAX_STREAMS": "2000",
    }


def _short(figures: dict[str, float]) -> str:
    return " / ".join(f"{figures[name]:.0f}" for name in ("p50", "p95", "p99", "max"))


def main() -> None:
    """Parse the arguments, run, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--at-once", type=int, nargs="+", default=[1, 10, 50, 200])
    parser.add_argument("--ttft", type=float, default=0.3, help="seconds to the first token")
    parser.add_argument("--tokens-per-s", type=float, default=100.0)
    parser.add_argument("--stall-database", type=float, default=0.0, help="seconds")
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    plan = Plan(
        at_once=chosen.at_once,
        ttft_s=chosen.ttft,
        tokens_per_s=chosen.tokens_per_s,
        stall_database_s=chosen.stall_database,
    )
    rows = uvloop.run(run(plan))
    print(table(rows))
    if chosen.json:
        chosen.json.write_text(json.dumps(rows, indent=2) + "\n")


if __name__ == "__main__":
    main()
