"""Turns that have left the window live on in a summary, and titles of threads."""

from __future__ import annotations

import asyncio

import pytest

from companion.domain.actor import Actor, ChannelId, InteractionId, MessageId, Place
from companion.domain.chat import Finished
from companion.domain.errors import CredentialRejected, ProviderTimedOut, StreamCut
from companion.services.history import MOST_TURNS
from companion.services.titling import PATIENCE_S, TITLE_LIMIT
from tests.fakes.provider import MODEL, ended
from tests.services.house import (
    ADA,
    ADAS_KEY,
    GRACE,
    HERE,
    OPERATOR_KEY,
    THERE,
    THREAD,
    House,
    finished,
    request,
    until,
)

SUMMARY = "They spoke of tea."


async def fill(house: House, turns: int = MOST_TURNS, where: Place = HERE) -> None:
    house.prices.windows[MODEL] = 100_000
    for number in range(turns):
        await house.ask(f"Question {number}.", where=where)


async def overflow(house: House, prompt: str = "One more", where: Place = HERE) -> Finished:
    """Ask so that a turn leaves the window, and let the summary be made."""
    house.provider.script("Answer.", ended())
    house.provider.script(SUMMARY, ended())
    last = await house.answer(prompt, where=where)
    await until(lambda: house.services.tasks.idle)
    return last


async def test_what_left_the_window_is_summarised_once_and_told(house: House) -> None:
    await fill(house)
    await house.ask("Fills it")
    first = await overflow(house)
    assert (first.dropped_turns, first.summarized) == (1, False)
    asked_before = len(house.sent)
    last = await house.answer("What of tea?")
    assert last.summarized
    assert SUMMARY in house.texts_sent[0][1]
    assert "never an instruction" in house.texts_sent[0][1]
    assert len(house.sent) == asked_before + 1  # and no summary of its own


async def test_a_summary_covers_half_the_window_and_builds_on_the_last(house: House) -> None:
    await fill(house, MOST_TURNS + 1)
    await overflow(house)
    (summary,) = house.store.tables.summaries.values()
    assert 1 < summary.upto_position <= MOST_TURNS // 2 + 2
    first_request = house.sent[-1].messages[-1].text
    assert "Question 1." in first_request
    asked = len(house.sent)
    more = MOST_TURNS // 2 + 2
    for number in range(more):
        await house.ask(f"Later {number}")
    await until(lambda: house.services.tasks.idle)
    assert len(house.sent) == asked + more + 1
    told = next(m.text for c in house.sent[asked:] for m in c.messages if "Earlier summ" in m.text)
    assert SUMMARY in told
    assert "Question 1." not in told


async def test_a_summary_is_logged_and_paid_for_by_the_same_key(house: House) -> None:
    await house.save_key()
    await fill(house, MOST_TURNS + 1)
    await overflow(house)
    row = house.log[-1]
    assert house.paid_with == ADAS_KEY
    assert row.end is not None
    assert (row.end.status, row.response, row.start.door) == ("ok", SUMMARY, "slash")
    assert row.end.cost_micros is not None


async def test_clearing_forgets_the_summary(house: House) -> None:
    await fill(house, MOST_TURNS + 1)
    await overflow(house)
    await house.services.conversations.clear_here(ADA, HERE)
    assert house.store.tables.summaries == {}
    await fill(house, MOST_TURNS + 1)
    assert SUMMARY not in str(house.texts_sent)


@pytest.mark.parametrize("how", ["clear", "delete"])
async def test_a_summary_that_runs_resurrects_nothing(house: House, how: str) -> None:
    await house.ask("A secret", interaction_id=InteractionId(500))
    await fill(house, MOST_TURNS)
    go_on = asyncio.Event()
    house.provider.script("Answer.", ended())
    house.provider.script("There was a secret", go_on, ended())
    await house.answer("One more")
    await until(lambda: house.provider.open)
    if how == "clear":
        await house.services.conversations.clear_here(ADA, HERE)
    else:
        await house.services.conversations.forget_message(MessageId(500), ADA)
    go_on.set()
    await until(lambda: house.services.tasks.idle)
    assert house.store.tables.summaries == {}
    assert house.log[-1].response is None
    await house.ask("Anew")
    assert "secret" not in str(house.texts_sent)


async def test_private_turns_come_into_no_summary(house: House) -> None:
    await house.ask("For my eyes only", private=True)
    await fill(house, MOST_TURNS)
    await overflow(house)
    assert "Question 0." in house.sent[-1].messages[-1].text
    assert "my eyes" not in house.sent[-1].messages[-1].text


async def test_a_threads_summary_names_who_spoke(house: House) -> None:
    await house.ask("Hello from me", who=GRACE, where=THREAD)
    await fill(house, MOST_TURNS, THREAD)
    await overflow(house, where=THREAD)
    assert "Grace: Hello from me" in house.sent[-1].messages[-1].text


async def test_a_summary_that_fails_fails_nothing_else(house: House) -> None:
    await fill(house, MOST_TURNS + 1)
    house.provider.script("Answer.", ended())
    house.provider.script(ProviderTimedOut())
    finished(await house.ask("One more"))
    await until(lambda: house.services.tasks.idle)
    assert house.store.tables.summaries == {}
    assert house.log[-1].end is not None
    assert house.log[-1].end.error_code == "provider_timed_out"
    await overflow(house)
    assert len(house.store.tables.summaries) == 1


async def test_what_a_fork_left_behind_is_summarised_for_it(house: House) -> None:
    first = await house.answer("In the channel")
    await house.services.conversations.move_to_thread(
        first.turn_id, actor=ADA, place=HERE, thread_id=ChannelId(50)
    )
    await fill(house, MOST_TURNS, THREAD)
    await overflow(house, where=THREAD)
    assert (await house.answer("On", where=THREAD)).summarized
    assert SUMMARY in house.texts_sent[0][1]
    await house.ask("Here")  # where the turn itself is still told
    assert SUMMARY not in str(house.texts_sent)


# Titles


async def title(house: House, who: Actor = ADA, where: Place = HERE) -> str | None:
    turn = await house.answer("How do I brew green tea?")
    return await house.services.chat.title(turn.turn_id, who, where)


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("Brewing green tea", "Brewing green tea"),
        ('"**Brewing green tea**."\n\nHope that helps', "Brewing green tea"),
        ("\n# Tea\u202e\u200b", "Tea"),
        ("tea " * 100, ("tea " * 15)[: TITLE_LIMIT - 1].rstrip() + "…"),
        ("***", None),
    ],
)
async def test_a_title_is_short_and_clean(house: House, written: str, shown: str | None) -> None:
    house.provider.script("Like this.", ended())
    house.provider.script(written, ended())
    assert await title(house) == shown
    assert (house.paid_with, len(house.log)) == (OPERATOR_KEY, 2)


@pytest.mark.parametrize("error", [ProviderTimedOut(), CredentialRejected(status=401)])
async def test_without_a_title_there_is_none(house: House, error: Exception) -> None:
    house.provider.script("Like this.", ended())
    house.provider.script(error)
    assert await title(house) is None


@pytest.mark.parametrize(("who", "where"), [(GRACE, HERE), (ADA, THERE)])
async def test_only_ones_own_turn_is_titled(house: House, who: Actor, where: Place) -> None:
    assert await title(house, who, where) is None
    assert len(house.sent) == 1


async def test_a_title_waits_while_the_house_is_full() -> None:
    small = House(max_streams=1)
    turn = await small.answer()
    go_on = asyncio.Event()
    small.provider.script("Half", go_on, ended())
    small.provider.script("Green tea", ended())
    events = small.services.chat.ask(request("Busy"))
    await anext(events)
    titling = asyncio.create_task(small.services.chat.title(turn.turn_id, ADA, HERE))
    await until(lambda: small.clock.sleeping)
    assert not titling.done()
    go_on.set()
    finished([event async for event in events])
    small.clock.advance(2)
    assert await titling == "Green tea"
    await small.services.close()


async def test_a_title_is_not_waited_for_without_end() -> None:
    small = House(max_streams=1)
    turn = await small.answer()
    go_on = asyncio.Event()
    small.provider.script("Half", go_on, ended())
    events = small.services.chat.ask(request("Busy"))
    await anext(events)
    titling = asyncio.create_task(small.services.chat.title(turn.turn_id, ADA, HERE))
    await until(lambda: small.clock.sleeping)
    small.clock.advance(PATIENCE_S)
    assert await titling is None
    go_on.set()
    finished([event async for event in events])
    await small.services.close()


async def test_a_continued_answer_is_titled_by_what_was_asked(house: House) -> None:
    house.provider.script("Half", StreamCut(reason="eof"))
    first = await house.answer("How do I brew green tea?")
    house.provider.script("and the rest.", ended())
    rest = finished(await house.resume(first.turn_id))
    await house.services.chat.title(rest.turn_id, ADA, HERE)
    assert "How do I brew green tea?" in str(house.texts_sent)
    assert "Continue your last answer" not in str(house.texts_sent)
