"""What it costs to tell people to come back: processor time of the app for each refused ask.

    python -m benchmarks.refusals             # a server whose bucket is empty
    python -m benchmarks.refusals --queue     # a server whose place in the queue is taken
    python -m benchmarks.refusals --per-s 300 --seconds 5 --json figures.json

The app is a process of its own; Discord and the model share this one. Time is the processor's,
so that the figure hardly depends on what else runs on the machine.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
from pathlib import Path

import uvloop
from tests.support.provider_script import Answer
from tests.support.scripted_provider import ScriptedProvider

from benchmarks.app_process import AppProcess, running_app
from benchmarks.asking import By, seats
from benchmarks.figures import spread, table
from benchmarks.neighbours import LOUD_PEOPLE, Crowd
from benchmarks.surroundings import NO_LIMITS, surroundings
from companion.playground.local_discord import LocalDiscord

SLOW = Answer(text="word " * 1000, ttft_s=0.3, tokens_per_s=1.0, chunk=5)
FULL_AFTER_S = 3.0


async def run(*, queue: bool, per_s: float, seconds: float) -> dict[str, object]:
    """Ask until all are refused, then measure for that long."""
    with tempfile.TemporaryDirectory() as folder:
        async with LocalDiscord.start() as discord, ScriptedProvider.start(validate=False) as model:
            model.default = SLOW
            settings = _environment(discord, model, queue=queue)
            async with running_app(settings, Path(folder)) as app:
                await discord.wait_for_commands(["ask"])
                places = seats(discord, "loud", LOUD_PEOPLE, by=By.COMMAND, channels=10)
                filling = Crowd(discord=discord, places=places, per_s=per_s)
                await filling.ask("first", FULL_AFTER_S)
                await asyncio.sleep(1.0)
                crowd = Crowd(discord=discord, places=places, per_s=per_s)
                return await _measured(crowd, app, seconds)


async def _measured(crowd: Crowd, app: AppProcess, seconds: float) -> dict[str, object]:
    before = app.cpu_s()
    await crowd.ask("loud", seconds)
    await asyncio.sleep(1.0)
    took = app.cpu_s() - before
    refused = [asked for asked in crowd.asked if asked.is_refused]
    return {
        "asked": len(crowd.asked),
        "refused": len(refused),
        "CPU ms each": round(took / max(1, len(refused)) * 1000, 2),
        "told within ms": spread([asked.told_s for asked in refused]),
        "ack ms": spread([asked.acknowledged_s for asked in crowd.asked]),
    }


def _environment(discord: LocalDiscord, model: ScriptedProvider, *, queue: bool) -> dict[str, str]:
    full = {} if queue else {"COMPANION_LIMIT_GUILD": "1/3600s"}
    return surroundings(discord, model) | NO_LIMITS | full | {"COMPANION_MAX_STREAMS": "4"}


def main() -> None:
    """Parse the arguments, run, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seconds", type=float, default=10.0, help="how long to measure")
    parser.add_argument("--per-s", type=float, default=100.0, help="asks a second")
    parser.add_argument("--queue", action="store_true", help="refused by the queue, not a bucket")
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    figures = uvloop.run(run(queue=chosen.queue, per_s=chosen.per_s, seconds=chosen.seconds))
    print(table([figures]))
    if chosen.json:
        chosen.json.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
