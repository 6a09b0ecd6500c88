"""Replies to answers, edited and deleted messages, and the messages that show an answer."""

from __future__ import annotations

import asyncio

import pytest

from companion.domain.actor import Actor, ChannelId, InteractionId, MessageId, Place
from companion.domain.chat import ChatEvent, Failed, Finished
from companion.domain.conversation import TurnId
from companion.domain.errors import AlreadyRunning, NotYours, ProviderTimedOut, TurnGone
from tests.fakes.provider import ended
from tests.services.house import (
    ADA,
    ADMIN,
    GRACE,
    HERE,
    THERE,
    THREAD,
    House,
    collected,
    failed,
    finished,
    request,
)


async def shown(
    house: House,
    prompt: str,
    message: int,
    *,
    who: Actor = ADA,
    where: Place = HERE,
    **more: object,
) -> Finished:
    """Ask, and show the answer in a message."""
    answer = await house.answer(prompt, who=who, where=where, **more)
    await note(house, answer.turn_id, message)
    return answer


async def note(house: House, turn: TurnId, *messages: int) -> None:
    ids = [MessageId(message) for message in messages]
    await house.services.conversations.note_answer(turn, ChannelId(1), ids)


async def revise(
    house: House, prompt: str, message: int, *, who: Actor = ADA, where: Place = HERE
) -> list[ChatEvent]:
    asked = request(prompt, who, where)
    return await collected(house.services.chat.revise(asked, message_id=MessageId(message)))


def asked(house: House) -> list[str]:
    return [text for role, text in house.texts_sent if role == "user"]


# Branches


async def test_a_reply_to_the_newest_answer_goes_on(house: House) -> None:
    await shown(house, "One", 101)
    await shown(house, "Two", 102)
    last = await house.answer("Three", reply_to=MessageId(102))
    assert asked(house) == ["One", "Two", "Three"]
    assert last.number == 3
    assert len({turn.conversation_id for turn in house.turns}) == 1


async def test_a_reply_to_an_older_answer_branches(house: House) -> None:
    await shown(house, "One", 101)
    await shown(house, "Two", 102)
    await shown(house, "Instead", 103, reply_to=MessageId(101))
    assert asked(house) == ["One", "Instead"]
    await house.ask("Further", reply_to=MessageId(103))
    assert asked(house) == ["One", "Instead", "Further"]
    await house.ask("Back in the main line")
    assert asked(house) == ["One", "Two", "Back in the main line"]


async def test_branches_branch_again(house: House) -> None:
    await shown(house, "One", 101)
    await house.ask("Two")
    await shown(house, "A", 201, reply_to=MessageId(101))
    await shown(house, "B", 202, reply_to=MessageId(201))
    await shown(house, "C", 301, reply_to=MessageId(201))
    await house.ask("D", reply_to=MessageId(301))
    assert asked(house) == ["One", "A", "C", "D"]


async def test_answers_in_a_branch_can_be_made_anew(house: House) -> None:
    await shown(house, "One", 101)
    await house.ask("Two")
    branch = await shown(house, "Instead", 201, reply_to=MessageId(101))
    again = finished(await house.regenerate(branch.turn_id, who=ADMIN))
    assert asked(house) == ["One", "Instead"]
    await house.ask("Further", reply_to=MessageId(201))
    assert asked(house) == ["One", "Instead", "Further"]
    assert again.number == 1


async def test_replies_in_a_thread_stay_shared(house: House) -> None:
    await shown(house, "One", 101, where=THREAD)
    await house.ask("Two", where=THREAD)
    await shown(house, "Instead", 201, who=GRACE, where=THREAD, reply_to=MessageId(101))
    await house.ask("Me too", where=THREAD, reply_to=MessageId(201))
    assert asked(house) == ["From: Ada\nOne", "From: Grace\nInstead", "From: Ada\nMe too"]


async def test_a_reply_to_anothers_answer_shows_that_answer_and_no_more(house: House) -> None:
    await house.ask("Ada's plan")
    house.provider.script("An answer to quote", ended())
    await shown(house, "Ada's question", 101)
    await house.ask("Explain", who=GRACE, reply_to=MessageId(101))
    assert asked(house) == ["Explain"]
    sent = str(house.texts_sent)
    assert "An answer to quote" in sent
    assert "Ada's" not in sent


async def test_nothing_of_a_private_answer_is_quoted(house: House) -> None:
    house.provider.script("An answer to hide", ended())
    await shown(house, "Quietly", 101, private=True)
    await house.ask("Explain", who=GRACE, reply_to=MessageId(101))
    assert "hide" not in str(house.texts_sent)


async def test_an_answer_of_another_place_is_not_gone_on_with(house: House) -> None:
    await shown(house, "Here", 101)
    await house.ask("There", where=THERE, reply_to=MessageId(101))
    assert asked(house) == ["There"]
    await house.ask("In a thread", where=THREAD, reply_to=MessageId(101))
    assert asked(house) == ["From: Ada\nIn a thread"]


async def test_clearing_takes_the_branches_along(house: House) -> None:
    await shown(house, "One", 101)
    await house.ask("Two")
    await house.ask("Instead", reply_to=MessageId(101))
    assert await house.services.conversations.clear_here(ADA, HERE) == 3
    assert house.turns == []


# Edited messages


async def test_an_edited_message_is_answered_anew_in_its_place(house: House) -> None:
    await house.ask("Before")
    first = await house.answer("Teh question", interaction_id=InteractionId(500))
    await note(house, first.turn_id, 101)
    again = finished(await revise(house, "The question", 500))
    assert asked(house) == ["Before", "The question"]
    assert [turn.prompt for turn in house.turns] == ["Before", "The question"]
    assert again.number == 2
    assert await house.services.conversations.answers_to(MessageId(101)) == again.turn_id
    finished(await revise(house, "The question, again edited", 500))
    assert len(house.turns) == 2


async def test_a_failed_revision_leaves_what_was_there(house: House) -> None:
    await house.ask("Question", interaction_id=InteractionId(500))
    house.provider.script(ProviderTimedOut())
    failed(await revise(house, "Edited", 500))
    assert "Question" in [turn.prompt for turn in house.turns]
    finished(await revise(house, "Edited again", 500))
    await house.ask("Next")
    assert asked(house) == ["Edited again", "Next"]


async def test_only_ones_own_last_message_is_revised(house: House) -> None:
    await house.ask("One", interaction_id=InteractionId(500))
    for who in (GRACE, ADMIN):
        assert isinstance(failed(await revise(house, "Mine now", 500, who=who)).error, NotYours)
    assert isinstance(failed(await revise(house, "Elsewhere", 500, where=THERE)).error, TurnGone)
    assert isinstance(failed(await revise(house, "Unknown", 501)).error, TurnGone)
    await house.ask("Two")
    assert isinstance(failed(await revise(house, "Too late", 500)).error, NotYours)


async def test_in_a_thread_others_may_have_spoken_since(house: House) -> None:
    await house.ask("Ada's", where=THREAD, interaction_id=InteractionId(500))
    await house.ask("Grace's", who=GRACE, where=THREAD)
    finished(await revise(house, "Ada's, edited", 500, where=THREAD))
    assert [turn.prompt for turn in house.turns] == ["Ada's, edited", "Grace's"]


async def test_a_message_that_is_still_being_answered_is_not_revised(house: House) -> None:
    go_on = asyncio.Event()
    house.provider.script("Half", go_on, ended())
    events = house.services.chat.ask(request("Question", interaction_id=InteractionId(500)))
    await anext(events)
    outcome = await revise(house, "Edited", 500)
    assert isinstance(outcome[-1], Failed)
    assert isinstance(outcome[-1].error, AlreadyRunning)
    go_on.set()
    finished([event async for event in events])


# Deleted messages


async def test_a_deleted_message_takes_its_turn_along(house: House) -> None:
    turn = await house.answer("Regretted", interaction_id=InteractionId(500))
    await note(house, turn.turn_id, 101, 102)
    forget = house.services.conversations.forget_message
    assert await forget(MessageId(500), GRACE) == []
    assert await forget(MessageId(500), ADA) == [(1, 101), (1, 102)]
    assert await forget(MessageId(500), ADA) == []
    assert house.turns == []
    assert [call.request for call in house.log] == [None]


async def test_a_turn_that_runs_can_be_forgotten(house: House) -> None:
    go_on = asyncio.Event()
    house.provider.script("Half", go_on, ended())
    events = house.services.chat.ask(request("Regretted", interaction_id=InteractionId(500)))
    await anext(events)
    assert await house.services.conversations.forget_message(MessageId(500)) == []
    go_on.set()
    finished([event async for event in events])
    assert house.turns == []


async def test_an_answer_is_deleted_by_its_owner_and_who_manages_the_server(house: House) -> None:
    remove = house.services.conversations.remove_turn
    mine, other = await house.answer("One"), await house.answer("Two")
    await note(house, mine.turn_id, 101)
    with pytest.raises(NotYours):
        await remove(mine.turn_id, GRACE, HERE)
    with pytest.raises(TurnGone):
        await remove(mine.turn_id, ADA, THERE)
    assert await remove(mine.turn_id, ADA, HERE) == [(1, 101)]
    assert await remove(other.turn_id, ADMIN, HERE) == []
    with pytest.raises(TurnGone):
        await remove(mine.turn_id, ADA, HERE)


async def test_messages_of_an_answer_are_known(house: House) -> None:
    turn = await house.answer("One")
    await note(house, turn.turn_id, 102, 101)
    conversations = house.services.conversations
    assert await conversations.answer_messages(turn.turn_id) == [(1, 102), (1, 101)]
    assert await conversations.answers_to(MessageId(101)) == turn.turn_id
    assert await conversations.answers_to(MessageId(103)) is None
