"""Two real processes and one budget: the same race as `benchmarks.budget_race`, smaller."""

from __future__ import annotations

from benchmarks.budget_race import FITTING, race

from companion.db.keyring import KeyRing


async def test_two_processes_spend_what_there_is_and_no_more(sqlite_url: str) -> None:
    (raced,) = await race(sqlite_url, KeyRing.new_entry("k1"), failures=0, crowd=40)
    assert (raced["finished"], raced["reached the provider"]) == (FITTING, FITTING)
    assert raced["refused"] == 40 - FITTING
    assert (raced["held"], raced["spent, of the budget's"]) == (0, f"{FITTING} of {FITTING}")
