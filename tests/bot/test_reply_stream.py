from __future__ import annotations

import asyncio

import pytest

from companion.bot.output_pacing import OutputPacing
from companion.bot.reply_stream import ReplyStream
from companion.bot.responder import DeliveryDelayed, DeliveryGone
from companion.domain.chat import ChatEvent, Delta, Queued, Retrying
from companion.domain.conversation import Finish
from companion.domain.errors import Draining
from tests.bot.fake_responder import FakeResponder, Written
from tests.bot.reply_script import (
    AGAIN,
    CANCEL,
    FAILED,
    FOOTER,
    STARTED,
    STOP,
    TURN,
    PlainWords,
    Step,
    finished,
    script,
    spoken,
)
from tests.bot.virtual_time import LoopClock, in_virtual_time
from tests.domain.model_text import without_added_lines

PROSE = "Some words of prose. " * 60
CODE = "## Part\n\n```python\n" + "value = compute(value)\n" * 120 + "```\n\n"


async def play(responder: FakeResponder, *steps: Step) -> ChatEvent:
    clock = LoopClock()
    stream = ReplyStream(responder, OutputPacing(clock), clock=clock)
    return await stream.render(script(*steps), PlainWords())


def text_of(responder: FakeResponder) -> str:
    """The answer as shown, without the footer."""
    return responder.text.removesuffix(f"\n{FOOTER}")


@in_virtual_time
async def test_first_token_is_shown_at_once() -> None:
    responder = FakeResponder(LoopClock())
    began = asyncio.get_running_loop().time()
    await play(responder, STARTED, 0.7, Delta(text="Hel"), 3.0, Delta(text="lo"), finished())
    first = responder.writes[0]
    assert (first.content, first.buttons) == ("Hel", (STOP,))
    assert first.at - began - 0.7 <= 0.25


@in_virtual_time
async def test_answer_ends_with_footer_and_buttons() -> None:
    responder = FakeResponder(LoopClock())
    end = await play(responder, STARTED, Delta(text="Hello"), finished())
    (message,) = responder.messages
    assert message.content == f"Hello\n{FOOTER}"
    assert message.buttons == (AGAIN,)
    assert end == finished()


@in_virtual_time
async def test_steady_stream_is_edited_about_once_a_second_and_meets_no_limit() -> None:
    responder = FakeResponder(LoopClock())
    await play(responder, STARTED, *spoken(PROSE, per_token_s=0.05), finished())
    assert responder.limit_hits == 0
    assert text_of(responder) == PROSE
    assert 10 <= len(responder.writes) <= 16


@in_virtual_time
async def test_all_text_is_shown_right_after_the_last_token() -> None:
    responder = FakeResponder(LoopClock())
    loop = asyncio.get_running_loop()
    began = loop.time()
    steps = list(spoken(PROSE * 3, per_token_s=0.01))
    await play(responder, STARTED, *steps, finished())
    assert text_of(responder) == PROSE * 3
    assert loop.time() - began - 0.01 * len(steps) / 2 <= 1.5


@in_virtual_time
async def test_newest_text_wins_over_a_slow_discord() -> None:
    responder = FakeResponder(LoopClock(), latency_s=3.0)
    await play(responder, STARTED, *spoken(PROSE, per_token_s=0.05), finished())
    lengths = [len(write.content) for write in responder.writes]
    assert lengths == sorted(lengths)
    assert text_of(responder) == PROSE
    assert len(responder.writes) <= 8


@in_virtual_time
async def test_stop_button_moves_to_the_newest_part() -> None:
    responder = FakeResponder(LoopClock())
    await play(responder, STARTED, *spoken(PROSE * 2, per_token_s=0.02), finished())
    holds_stop: dict[int, bool] = {}
    for write in responder.writes:
        holds_stop[write.message] = STOP in write.buttons
        assert sum(holds_stop.values()) <= 1
    assert any(STOP in write.buttons for write in responder.writes if write.message == 1)
    assert [message.buttons for message in responder.messages] == [(), (AGAIN,)]


@in_virtual_time
async def test_waiting_for_the_provider_is_said_until_text_comes() -> None:
    responder = FakeResponder(LoopClock())
    await play(responder, STARTED, Retrying(wait_s=4.0), 4.0, Delta(text="Hi"), 3.0, finished())
    assert [w.content for w in responder.writes] == ["(waiting 4 s)", "Hi", f"Hi\n{FOOTER}"]


@in_virtual_time
async def test_a_place_in_the_queue_is_shown_with_cancel_until_the_turn_comes() -> None:
    responder = FakeResponder(LoopClock())
    places = [Queued(turn_id=TURN, ahead=ahead, wait_s=4.0 * ahead) for ahead in (2, 1)]
    await play(
        responder, places[0], 4.0, places[1], 4.0, STARTED, 2.0, Delta(text="Hi"), 3.0, finished()
    )
    shown = [(write.content, write.buttons) for write in responder.writes]
    assert shown[:3] == [
        ("(behind 2, 8 s)", (CANCEL,)),
        ("(behind 1, 4 s)", (CANCEL,)),
        ("(thinking)", (STOP,)),
    ]
    assert responder.text == f"Hi\n{FOOTER}"


@in_virtual_time
async def test_long_silence_is_explained_and_can_be_stopped() -> None:
    responder = FakeResponder(LoopClock())
    await play(responder, STARTED, 9.0, Delta(text="Hi"), 3.0, finished())
    assert (responder.writes[0].content, responder.writes[0].buttons) == ("(thinking)", (STOP,))


@in_virtual_time
async def test_failure_before_any_text_is_said() -> None:
    responder = FakeResponder(LoopClock())
    assert await play(responder, STARTED, FAILED) is FAILED
    (message,) = responder.messages
    assert (message.content, message.buttons) == ("(failed: provider_timed_out)", (AGAIN,))


@in_virtual_time
async def test_failure_after_partial_text_keeps_the_text() -> None:
    responder = FakeResponder(LoopClock())
    await play(responder, STARTED, Delta(text="Half an"), FAILED)
    assert responder.text == "Half an\n(failed: provider_timed_out)"


@pytest.mark.parametrize("finish", [Finish.LENGTH, Finish.STOPPED, Finish.INTERRUPTED])
def test_partial_answer_says_why_it_ends(finish: Finish) -> None:
    @in_virtual_time
    async def run() -> None:
        responder = FakeResponder(LoopClock())
        await play(responder, STARTED, Delta(text="Half"), finished(finish))
        assert responder.text == f"Half\n({finish})\n{FOOTER}"

    run()


@in_virtual_time
async def test_answer_without_a_word_is_said_to_be_empty() -> None:
    responder = FakeResponder(LoopClock())
    await play(responder, STARTED, Delta(text=" \n"), finished())
    assert responder.text == f"(nothing)\n{FOOTER}"


@in_virtual_time
async def test_exception_in_the_events_is_raised_after_the_last_edit() -> None:
    responder = FakeResponder(LoopClock())
    with pytest.raises(ZeroDivisionError):
        await play(responder, STARTED, Delta(text="Half"), ZeroDivisionError())
    assert responder.text.startswith("Half\n(failed")
    assert responder.messages[0].buttons == (AGAIN,)


@in_virtual_time
async def test_events_that_just_stop_count_as_a_failure() -> None:
    responder = FakeResponder(LoopClock())
    await play(responder, STARTED, Delta(text="Half"))
    assert responder.text.startswith("Half\n(failed")


@in_virtual_time
async def test_cancellation_still_shows_the_text_so_far() -> None:
    responder = FakeResponder(LoopClock())
    task = asyncio.create_task(play(responder, STARTED, *spoken(PROSE, per_token_s=0.05)))
    await asyncio.sleep(2.0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert responder.text.endswith(f"\n(failed: {Draining()})")
    assert len(responder.text) > 120


@in_virtual_time
async def test_cancellation_while_discord_hangs_ends_within_seconds() -> None:
    responder = FakeResponder(LoopClock(), latency_s=60.0)
    task = asyncio.create_task(play(responder, STARTED, Delta(text="x"), 900.0))
    await asyncio.sleep(1.0)
    loop = asyncio.get_running_loop()
    cancelled_at = loop.time()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert loop.time() - cancelled_at <= 6.0


@in_virtual_time
async def test_long_answer_arrives_whole_and_in_order_and_as_a_file() -> None:
    text = CODE * (60_000 // len(CODE) + 1)
    responder = FakeResponder(LoopClock())
    await play(responder, STARTED, Delta(text=text), finished())
    assert [file.text for file in responder.files] == [text]
    shown = [message.content for message in responder.messages]
    assert without_added_lines(shown).removesuffix(FOOTER) == text
    assert [write.message for write in responder.writes if write.sent] == list(
        range(1, len(responder.messages))
    )
    for message in responder.messages:
        assert message.content.count("```") % 2 == 0
    assert responder.limit_hits == 0


@in_virtual_time
async def test_file_of_a_long_answer_does_not_wait_for_the_last_message() -> None:
    responder = FakeResponder(LoopClock())
    loop = asyncio.get_running_loop()
    began = loop.time()
    task = asyncio.create_task(play(responder, STARTED, Delta(text=PROSE * 50), 0.5, finished()))
    await responder.filed.wait()
    assert loop.time() - began - 0.5 <= 1.5
    await task


@pytest.mark.parametrize("per_token_s", [0.0, 0.002])
@in_virtual_time
async def test_user_install_gets_five_follow_ups_and_the_rest_as_a_file(
    per_token_s: float,
) -> None:
    responder = FakeResponder(LoopClock(), follow_ups=5)
    await play(responder, STARTED, *spoken(PROSE * 20, per_token_s=per_token_s), finished())
    assert len(responder.messages) == 6
    last = responder.messages[-1]
    assert last.content.endswith(f"(rest in file)\n{FOOTER}")
    assert last.buttons == (AGAIN,)
    assert [file.text for file in responder.files] == [PROSE * 20]


@in_virtual_time
async def test_answer_outlives_the_token_in_channel_messages() -> None:
    responder = FakeResponder(LoopClock(), life_s=20.0, may_move_on=True)
    await play(responder, STARTED, *spoken(PROSE, per_token_s=0.1), finished())
    assert [message.in_channel for message in responder.messages] == [False, True]
    assert text_of(responder) == PROSE
    assert [message.buttons for message in responder.messages] == [(), (AGAIN,)]


@in_virtual_time
async def test_answer_that_cannot_move_on_ends_with_a_notice_in_time() -> None:
    responder = FakeResponder(LoopClock(), life_s=20.0)
    loop = asyncio.get_running_loop()
    began = loop.time()
    end = await play(responder, STARTED, *spoken(PROSE, per_token_s=0.1), finished())
    assert responder.text.endswith("\n(out of time)")
    assert responder.writes[-1].at - began <= 21.0
    assert end == finished()


@in_virtual_time
async def test_silence_beyond_the_token_leaves_no_placeholder_behind() -> None:
    responder = FakeResponder(LoopClock(), life_s=20.0, may_move_on=True)
    await play(responder, STARTED, 40.0, Delta(text="At last"), finished())
    first, second = responder.messages
    assert (first.content, first.buttons) == ("(out of time)", ())
    assert second.content == f"At last\n{FOOTER}"


@in_virtual_time
async def test_failed_edits_are_made_up_for_by_the_next() -> None:
    responder = FakeResponder(LoopClock())
    responder.faults.extend([None, DeliveryDelayed(status=500), DeliveryDelayed(status=502)])
    await play(responder, STARTED, *spoken(PROSE, per_token_s=0.02), finished())
    assert text_of(responder) == PROSE


@in_virtual_time
async def test_ending_is_tried_six_times_within_two_minutes() -> None:
    responder = FakeResponder(LoopClock())
    responder.faults.extend(DeliveryDelayed(status=503) for _ in range(50))
    clock = LoopClock()
    stream = ReplyStream(responder, OutputPacing(clock), clock=clock)
    began = clock.monotonic()
    await stream.render(script(STARTED, finished()), PlainWords())
    assert responder.requests == 6
    assert clock.monotonic() - began <= 120
    assert not stream.delivered


@pytest.mark.parametrize(
    ("gone", "may_move_on", "given_up"),
    [
        (DeliveryGone(status=404, code=10008), True, True),  # its message was deleted
        (DeliveryGone(status=403, code=50001), False, True),  # the channel is out of reach
        (DeliveryGone(status=400, code=50083), False, True),  # an archived thread stays shut
        (DeliveryGone(status=400, code=200000), True, True),  # a rule blocks its text
        (DeliveryGone(status=404, code=10003), True, False),  # there is another way to try
        (DeliveryGone(status=401, code=50027), False, False),  # time is up, and it goes on unseen
    ],
)
def test_reply_is_given_up_when_nobody_can_see_any_more_of_it(
    gone: DeliveryGone, may_move_on: bool, given_up: bool
) -> None:
    @in_virtual_time
    async def run() -> None:
        clock, calls = LoopClock(), list[bool]()
        responder = FakeResponder(clock, may_move_on=may_move_on)
        responder.faults.extend([None, gone])
        stream = ReplyStream(
            responder, OutputPacing(clock), clock=clock, give_up=lambda: calls.append(True)
        )
        events = script(STARTED, *spoken(PROSE, per_token_s=0.02), finished())
        assert await stream.render(events, PlainWords()) == finished()
        assert calls == [True] * given_up
        assert stream.delivered == (gone.code == 10003)
        assert stream.refused == (gone.code == 200000)
        assert (len(responder.writes) == 1) != stream.delivered

    run()


@in_virtual_time
async def test_channel_that_takes_no_further_message_gets_the_rest_as_a_file() -> None:
    responder = FakeResponder(LoopClock())
    responder.faults.extend([None, DeliveryGone(status=403, code=50013)])
    text = PROSE * 3
    await play(responder, STARTED, Delta(text=text), 1.0, finished())
    (message,) = responder.messages
    assert message.content.endswith(f"(rest in file)\n{FOOTER}")
    assert [file.text for file in message.files] == [text]
    assert responder.requests == 4  # the two texts, the refusal, and the end


@in_virtual_time
async def test_lost_token_sends_what_is_missing_to_the_channel() -> None:
    responder = FakeResponder(LoopClock(), may_move_on=True)
    responder.faults.extend([None, DeliveryGone(status=401, code=50027)])
    await play(responder, STARTED, *spoken(PROSE, per_token_s=0.02), finished())
    assert [message.in_channel for message in responder.messages] == [False, True]
    assert responder.messages[1].content == f"{PROSE.rstrip()} \n{FOOTER}"


@in_virtual_time
async def test_two_hundred_replies_at_once_meet_no_limit() -> None:
    clock = LoopClock()
    pacing = OutputPacing(clock)
    responders = [FakeResponder(clock) for _ in range(200)]

    async def one(responder: FakeResponder) -> None:
        events = script(STARTED, *spoken(PROSE[:600], per_token_s=0.2), finished())
        await ReplyStream(responder, pacing, clock=clock).render(events, PlainWords())

    await asyncio.gather(*map(one, responders))
    assert [r.limit_hits for r in responders] == [0] * 200
    assert all(text_of(r) == PROSE[:600] for r in responders)
    assert edits_per_second(responders) <= 100


def edits_per_second(responders: list[FakeResponder]) -> float:
    """How many writes a second went out while all replies ran."""
    writes: list[Written] = [write for responder in responders for write in responder.writes]
    ends = max(write.at for write in writes)
    steady = [write for write in writes if ends - 25 <= write.at <= ends - 5]
    return len(steady) / 20
