"""The gateway dropped again and again while commands and mentions arrive.

    python -m benchmarks.gateway_drops                # 50 drops, about a minute
    python -m benchmarks.gateway_drops --drops 200 --json drops.json

The app is a process of its own. Connections end in six ways, in turns: cut without a word,
closed with 4000 and 1001, asked to reconnect (op 7), declared invalid but resumable (op 9),
and left open but silent (heartbeats every second, so that this is noticed in 1.5 s). Each
question has to be answered exactly once, and asked of the model exactly once.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections import Counter
from pathlib import Path

import uvloop
from tests.support.gateway_storm import BEAT_MS, Storm
from tests.support.scripted_provider import ScriptedProvider

from benchmarks.app_process import running_app
from benchmarks.conversations import environment
from benchmarks.figures import spread, table
from companion.playground.local_discord import LocalDiscord


async def run(drops: int, every_s: float, asks_per_s: float) -> dict[str, object]:
    """Start everything, drop, and count."""
    with tempfile.TemporaryDirectory() as folder:
        async with LocalDiscord.start() as discord, ScriptedProvider.start(validate=False) as model:
            discord.gateway.heartbeat_interval_ms = BEAT_MS
            storm = Storm(
                discord=discord, model=model, drops=drops, every_s=every_s, asks_per_s=asks_per_s
            )
            async with running_app(environment(discord, model), Path(folder)):
                await discord.wait_for_commands(["ask"])
                await storm.run()
            _say_what_went_wrong(storm)
            return _figures(storm)


def _say_what_went_wrong(storm: Storm) -> None:
    for number in (storm.unanswered + storm.doubled)[:5]:
        shown = [m.content for m in storm.discord.messages(storm.questions[number].where)]
        print(f"question {number}: {shown}", flush=True)


def _figures(storm: Storm) -> dict[str, object]:
    acknowledged = [q.acknowledged_s for q in storm.questions if q.acknowledged_s is not None]
    gateway = storm.discord.gateway
    kinds = Counter(str(kind) for kind in storm.dropped)
    return {
        "drops": len(storm.dropped),
        "of which": ", ".join(f"{count} {kind}" for kind, count in kinds.items()),
        "questions": len(storm.questions),
        "unanswered": len(storm.unanswered),
        "answered twice": len(storm.doubled),
        "resumed": gateway.resumes,
        "sessions begun": gateway.identifies,
        "acknowledgement": spread(acknowledged),
        "rate-limit hits": storm.discord.rate_limit_hits,
    }


def main() -> None:
    """Parse the arguments, run, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--drops", type=int, default=50)
    parser.add_argument("--every", type=float, default=0.7, help="seconds a connection lives")
    parser.add_argument("--asks-per-s", type=float, default=10.0)
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    row = uvloop.run(run(chosen.drops, chosen.every, chosen.asks_per_s))
    print(table([row]))
    if chosen.json:
        chosen.json.write_text(json.dumps(row, indent=2) + "\n")


if __name__ == "__main__":
    main()
