from __future__ import annotations

import asyncio

import pytest

from companion.bot.output_pacing import OutputPacing, PacingRules, Urgency
from tests.bot.virtual_time import LoopClock, in_virtual_time


class HandClock(LoopClock):
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def monotonic(self) -> float:
        return self.seconds


def test_first_text_and_ending_wait_for_nothing() -> None:
    pacing = OutputPacing(HandClock())
    with pacing.reply() as pace:
        assert pace.wait_s(Urgency.GROWTH) == 0
        pace.note_write()
        assert pace.wait_s(Urgency.GROWTH) > 0.9
        assert pace.wait_s(Urgency.PART) == 0
        assert pace.wait_s(Urgency.ENDING) == 0


def test_one_write_of_a_window_is_left_for_the_ending() -> None:
    clock = HandClock()
    pacing = OutputPacing(clock)
    with pacing.reply() as pace:
        for _ in range(4):
            assert pace.wait_s(Urgency.PART) == 0
            pace.note_write()
            clock.seconds += 0.1
        assert pace.wait_s(Urgency.PART) == pytest.approx(4.6)  # pyright: ignore[reportUnknownMemberType]
        assert pace.wait_s(Urgency.ENDING) == 0


def test_interval_grows_with_the_replies_that_run() -> None:
    pacing = OutputPacing(HandClock())
    alone = pacing.interval_s
    replies = [pacing.reply() for _ in range(200)]
    for reply in replies:
        reply.__enter__()
    assert pacing.interval_s == 200 / PacingRules().edits_per_s > alone
    for reply in replies:
        reply.__exit__(None, None, None)
    assert pacing.interval_s == alone


def test_late_wake_ups_stretch_the_interval_up_to_a_limit_and_are_forgotten() -> None:
    pacing = OutputPacing(HandClock())
    calm = pacing.interval_s
    for _ in range(60):
        pacing.note_lag(0.1)
    assert pacing.interval_s == pytest.approx(2 * calm, rel=0.01)  # pyright: ignore[reportUnknownMemberType]
    for _ in range(60):
        pacing.note_lag(30.0)
    assert pacing.interval_s == 4 * calm
    for _ in range(60):
        pacing.note_lag(0.0)
    assert pacing.interval_s == calm


def test_replies_that_start_together_drift_apart() -> None:
    pacing = OutputPacing(HandClock())
    waits: set[float] = set()
    for _ in range(10):
        with pacing.reply() as pace:
            pace.note_write()
            waits.add(round(pace.wait_s(Urgency.GROWTH), 2))
    assert len(waits) >= 8


def test_endings_pass_the_reserve_that_running_texts_leave() -> None:
    pacing = OutputPacing(HandClock())
    for channel in range(40):
        pacing.note_bot_write(channel)
    assert pacing.bot_wait_s(99, Urgency.GROWTH) == 1.0
    assert pacing.bot_wait_s(99, Urgency.PART) == 1.0
    assert pacing.bot_wait_s(99, Urgency.ENDING) == 0
    for channel in range(40, 45):
        pacing.note_bot_write(channel)
    assert pacing.bot_wait_s(99, Urgency.ENDING) == 1.0


def test_what_is_missed_less_leaves_room_for_what_is_missed_more() -> None:
    clock = HandClock()
    pacing = OutputPacing(clock)
    bounds = [(Urgency.SPARE, 10), (Urgency.GROWTH, 30), (Urgency.PART, 40), (Urgency.ENDING, 45)]
    sent = 0
    for urgency, most in bounds:
        while pacing.bot_wait_s("elsewhere", urgency) == 0:
            pacing.note_bot_write(sent)
            sent += 1
        assert sent == most
        assert pacing.request_wait_s(urgency) > 0


def test_a_request_counts_until_a_second_after_its_answer() -> None:
    clock = HandClock()
    pacing = OutputPacing(clock)
    for channel in range(39):
        pacing.note_bot_write(channel)
    with pacing.request():
        clock.seconds += 10.0
        assert pacing.request_wait_s(Urgency.PART) > 0
    assert pacing.request_wait_s(Urgency.PART) > 0
    clock.seconds += 1.0
    assert pacing.request_wait_s(Urgency.PART) == 0


def test_growing_texts_rest_while_discord_refuses_much() -> None:
    pacing = OutputPacing(HandClock(), is_restrained=lambda: True)
    with pacing.reply() as pace:
        assert pace.wait_s(Urgency.GROWTH) > 0
        assert pace.wait_s(Urgency.PART) == 0
        assert pace.wait_s(Urgency.ENDING) == 0


def test_processes_of_one_bot_share_its_limit() -> None:
    rules = PacingRules().for_share(0.25)
    assert (rules.bot_writes_per_s, rules.bot_endings_per_s) == (10, 11)


def test_past_channels_are_forgotten() -> None:
    clock = HandClock()
    pacing = OutputPacing(clock)
    for channel in range(1000):
        clock.seconds += 0.5
        pacing.note_bot_write(channel)
        pacing.note_bot_answer(channel)
    assert len(pacing._bucket_writes) <= 11  # pyright: ignore[reportPrivateUsage]


@in_virtual_time
async def test_bot_token_writes_of_two_hundred_replies_keep_discords_limits() -> None:
    clock = LoopClock()
    pacing = OutputPacing(clock)
    writes: list[tuple[float, int]] = []

    async def write(number: int, urgency: Urgency) -> None:
        channel = number % 60
        with pacing.reply() as pace:
            while (wait_s := pace.wait_s(urgency, bot_bucket=channel)) > 0:
                await clock.sleep(wait_s)
            pace.note_write(bot_bucket=channel)
            # held up for a while, so that what was sent apart arrives together
            await clock.sleep(0.3 - clock.monotonic() % 0.3)
            writes.append((clock.monotonic(), channel))
            await clock.sleep(0.02)
            pace.note_answer(bot_bucket=channel)

    async def reply(number: int) -> None:
        for _ in range(6):
            await write(number, Urgency.GROWTH)
            await clock.sleep(0.5)
        await write(number, Urgency.ENDING)

    await asyncio.gather(*(reply(number) for number in range(200)))
    assert len(writes) == 200 * 7
    for at, channel in writes:
        within_one = sum(1 for other, _ in writes if at <= other < at + 0.999)
        assert within_one <= 45
        in_channel = sum(1 for other, c in writes if c == channel and at <= other < at + 4.999)
        assert in_channel <= 5
