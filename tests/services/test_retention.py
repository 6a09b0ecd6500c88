from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from companion.domain.accounts import KeepFor
from companion.ports.store import LOST, CallStatus
from tests.services.house import House, until


@pytest.fixture
async def week() -> AsyncIterator[House]:
    """A house that keeps contents for seven days."""
    built = House(retention_days=7)
    yield built
    await built.services.close()


async def test_contents_go_after_their_time_and_rows_stay(week: House) -> None:
    await week.ask("Old")
    week.clock.advance(days=4)
    await week.ask("New")
    week.clock.advance(days=3, seconds=1)
    await week.services.sweeper.sweep()
    old, new = week.log
    assert (old.request, old.response) == (None, None)
    assert old.end is not None
    assert new.request is not None
    assert len(week.turns) == 2


async def test_expired_keys_are_deleted(week: House) -> None:
    await week.save_key(keep_for=KeepFor.DAY)
    week.clock.advance(hours=23)
    await week.services.sweeper.sweep()
    assert week.store.tables.keys
    week.clock.advance(hours=1)
    await week.services.sweeper.sweep()
    assert not week.store.tables.keys


async def test_with_no_retention_old_contents_go_at_once(week: House) -> None:
    await week.ask("Kept until the setting changed")
    week.clock.advance(1)
    strict = House(retention_days=0, store=week.store)
    strict.clock.advance(1)
    await strict.services.sweeper.sweep()
    assert week.log[0].request is None
    await strict.services.close()


async def test_a_request_whose_process_died_is_closed_in_the_log(week: House) -> None:
    await week.ask("Answered")
    (answered,) = week.log
    week.store.tables.calls[answered.start.id] = replace(answered, end=None)
    await week.services.sweeper.sweep()
    assert week.log[0].end is None  # it may still be running
    week.clock.advance(minutes=21)
    await week.services.sweeper.sweep()
    end = week.log[0].end
    assert end is not None
    assert (end.status, end.error_code) == (CallStatus.CUT, LOST)


async def test_it_sweeps_at_the_start_and_every_hour(week: House) -> None:
    week.services.sweeper.start()
    week.services.sweeper.start()
    await until(lambda: week.store.writes == 1)
    await until(lambda: week.clock.sleeping)
    week.clock.advance(minutes=59)
    assert week.clock.sleeping == 1
    week.clock.advance(minutes=1)
    await until(lambda: week.store.writes == 2)


async def test_a_database_that_is_away_is_swept_later(
    week: House, caplog: pytest.LogCaptureFixture
) -> None:
    week.store.down = True
    with caplog.at_level(logging.WARNING):
        week.services.sweeper.start()
        await until(lambda: week.clock.sleeping)
    assert "not_swept" in caplog.messages
    week.store.down = False
    week.clock.advance(hours=1)
    await until(lambda: week.store.writes == 1)
