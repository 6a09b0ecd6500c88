"""PostgreSQL and Redis stopped, frozen and restarted under load, and a disk that is full.

    python -m benchmarks.outages                          # everything, about four minutes
    python -m benchmarks.outages --only "postgres freeze" --seconds 6
    python -m benchmarks.outages --json outages.json

The app is a process of its own that is never restarted. People ask at a steady rate before,
during and after the fault. Each ask ends whole, or with a sentence; one that still shows
"thinking" at the end, or nothing, is lost. A repeated answer is doubled.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path

import uvloop
from tests.support.provider_script import Answer
from tests.support.scripted_provider import ScriptedProvider

from benchmarks.app_process import AppProcess, is_ready, running_app
from benchmarks.faults import FAULTS, Fault, Ground
from benchmarks.figures import percentile, table
from benchmarks.surroundings import surroundings
from companion.playground.interaction import Interaction, InteractionFailed
from companion.playground.local_discord import LocalDiscord

ANSWER = "Seven words that the model always writes."
PATIENCE_S = 40.0
CROWD = 150


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How hard, and how long each part."""

    fault_s: float
    around_s: float = 2.0
    asks_per_s: float = 5.0


@dataclass(slots=True)
class Asked:
    """One question, and what became of it."""

    at: float
    interaction: Interaction
    ended_at: float = float("nan")

    @property
    def acknowledged_s(self) -> float:
        seen = self.interaction.acknowledged_at
        return float("inf") if seen is None else seen - self.interaction.created_at

    @property
    def outcome(self) -> str:
        texts = [m.text for m in self.interaction.messages if m.text]
        answers = sum(ANSWER in text for text in texts)
        if answers > 1:
            return "doubled"
        if answers:
            return "whole"
        return "told" if texts else "lost"

    async def follow(self) -> None:
        with suppress(InteractionFailed):
            await self.interaction.until(_is_over, timeout=PATIENCE_S)
        self.ended_at = time.monotonic()


@dataclass(slots=True)
class Load:
    """People who keep asking, each in a channel of their own."""

    discord: LocalDiscord
    asked: list[Asked] = field(default_factory=list[Asked])
    following: list[asyncio.Task[None]] = field(default_factory=list[asyncio.Task[None]])

    async def run(self, name: str, per_s: float) -> None:
        """Ask at that rate until cancelled."""
        world = self.discord.world
        people = [world.add_person(f"{name} {n}") for n in range(CROWD)]
        guild = world.add_guild(name, owner=people[0], members=tuple(people[1:]))
        rooms = [(who, world.add_channel(guild, f"c-{n}")) for n, who in enumerate(people)]
        for who, where in cycle(rooms):
            interaction = await self.discord.invoke(who, where, "ask", {"prompt": "Say it."})
            asked = Asked(time.monotonic(), interaction)
            self.asked.append(asked)
            self.following.append(asyncio.create_task(asked.follow()))
            await asyncio.sleep(1 / per_s)


async def run(faults: Sequence[Fault], plan: Plan) -> list[dict[str, object]]:
    """Run each fault against an app of its own."""
    return [await _drill(fault, plan) for fault in faults]


async def _drill(fault: Fault, plan: Plan) -> dict[str, object]:
    async with AsyncExitStack() as stack:
        data = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="companion-outage-")))
        ground = stack.enter_context(fault.ground(data))
        discord = await stack.enter_async_context(LocalDiscord.start())
        model = await stack.enter_async_context(ScriptedProvider.start(validate=False))
        model.default = Answer(text=ANSWER, ttft_s=0.1, tokens_per_s=50.0)
        environment = _environment(discord, model) | ground.environment
        app = await stack.enter_async_context(running_app(environment, ground.data))
        await discord.wait_for_commands(["ask"])
        return await _measured(fault, plan, ground, discord, app)


async def _measured(
    fault: Fault, plan: Plan, ground: Ground, discord: LocalDiscord, app: AppProcess
) -> dict[str, object]:
    load = Load(discord)
    asking = asyncio.create_task(load.run(fault.name, plan.asks_per_s))
    await asyncio.sleep(plan.around_s)
    began = time.monotonic()
    await asyncio.to_thread(fault.begin, ground)
    await asyncio.sleep(plan.fault_s if fault.lasts else 0)
    ready_meanwhile = await asyncio.to_thread(is_ready, app.health)
    await asyncio.to_thread(fault.end, ground)
    healed = time.monotonic()
    await _until_whole_again(load, healed)
    await asyncio.sleep(plan.around_s)
    asking.cancel()
    await asyncio.gather(asking, *load.following, return_exceptions=True)
    ready_after = await asyncio.to_thread(is_ready, app.health)
    return _row(fault, load.asked, began, healed) | {
        "ready: during, after": f"{_yes(ready_meanwhile)}, {_yes(ready_after)}",
        "same process": _yes(app.process.returncode is None),
    }


async def _until_whole_again(load: Load, healed: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE_S):
            while not any(a.at > healed and a.outcome == "whole" for a in load.asked):  # noqa: ASYNC110 — it is people who look
                await asyncio.sleep(0.05)


def _row(fault: Fault, asked: Sequence[Asked], began: float, healed: float) -> dict[str, object]:
    def count(outcome: str) -> int:
        return sum(a.outcome == outcome for a in asked)

    acks = [a.acknowledged_s for a in asked]
    struck = [a for a in asked if a.outcome != "whole"]
    told = [a.ended_at - a.at for a in struck if a.outcome == "told"]
    last_struck = max((a.at for a in struck), default=began)
    for words in {a.interaction.text for a in struck}:
        print(f"  {fault.name}: {words!r}", flush=True)
    return {
        "fault": fault.name,
        "asked": len(asked),
        "whole": count("whole"),
        "told": count("told"),
        "lost": count("lost"),
        "doubled": count("doubled"),
        "ack ms p50 / max": f"{percentile(acks, 0.5) * 1000:.0f} / {max(acks) * 1000:.0f}",
        "told after s, max": round(max(told, default=0.0), 1),
        "whole again after s": round(max(0.0, last_struck - healed), 1),
    }


def _is_over(seen: Interaction) -> bool:
    """Return whether the person has a whole answer or a sentence."""
    text = seen.text
    growing = ANSWER.startswith(text.split("\n")[0].rstrip(" ▌…"))
    return bool(text) and ("-# " in text or not growing)


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _environment(discord: LocalDiscord, model: ScriptedProvider) -> dict[str, str]:
    return {
        **surroundings(discord, model),
        "COMPANION_LIMIT_GUILD": "100000/1s",
        "COMPANION_LIMIT_KEY": "100000/1s",
    }


def main() -> None:
    """Parse the arguments, run, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--only", nargs="+", choices=list(FAULTS), default=list(FAULTS))
    parser.add_argument("--seconds", type=float, default=8.0, help="how long a fault lasts")
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    faults = [FAULTS[name] for name in chosen.only]
    rows = uvloop.run(run(faults, Plan(fault_s=chosen.seconds)))
    print(table(rows))
    if chosen.json:
        chosen.json.write_text(json.dumps(rows, indent=2) + "\n")


if __name__ == "__main__":
    main()
