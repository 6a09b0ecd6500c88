"""The app, killed with replies in flight: the drill of `benchmarks.crashes`, once and small."""

from __future__ import annotations

from benchmarks.crash_readings import Fate
from benchmarks.crashes import Plan, drilled
from benchmarks.databases import Kind


async def test_no_accepted_reply_is_lost_or_doubled_by_kill_9() -> None:
    plan = Plan(database=Kind.SQLITE, runs=1, at_once=6, seed=2, asking_s=0.4, latest_kill_s=2.0)
    tally = await drilled(plan)
    assert tally.wrong == []
    assert tally.exits == {-9: 1}
    assert tally.fates[Fate.WHOLE] + tally.fates[Fate.MARKED] > 0
