"""Who passed the door is expected at the bucket, but not for ever."""

from __future__ import annotations

from companion.ports.limits import Bucket, LimitScope
from companion.services.expected import EXPECTED_S, Expected
from tests.fakes.clock import FakeClock


def bucket(name: str) -> Bucket:
    return Bucket(scope=LimitScope.USER, id=name)


def test_each_who_comes_is_expected_no_longer() -> None:
    expected = Expected(FakeClock())
    expected.add([bucket("Ada"), bucket("Ada")])
    expected.remove([bucket("Ada")])
    assert expected.count(bucket("Ada")) == 1
    expected.remove([bucket("Ada")])
    expected.remove([bucket("Ada")])  # whom nobody expected
    assert expected.count(bucket("Ada")) == 0


def test_whoever_stays_away_is_given_up() -> None:
    clock = FakeClock()
    expected = Expected(clock)
    expected.add([bucket("Ada")])
    clock.advance(EXPECTED_S / 2)
    expected.add([bucket("Ada")])
    clock.advance(EXPECTED_S / 2)
    assert expected.count(bucket("Ada")) == 1


def test_those_who_never_come_back_are_forgotten() -> None:
    clock = FakeClock()
    expected = Expected(clock)
    for number in range(100):
        expected.add([bucket(str(number)), bucket("server")])
    clock.advance(EXPECTED_S)
    expected.add([bucket("Ada")])
    assert len(expected) == 1
