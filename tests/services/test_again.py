"""Regenerate and Continue."""

from __future__ import annotations

from uuid import uuid4

import pytest

from companion.domain.actor import Actor, Place
from companion.domain.conversation import Finish, TurnId
from companion.domain.errors import (
    AlreadyAnswered,
    ButtonExpired,
    NotYours,
    ProviderTimedOut,
    RateLimited,
    StreamCut,
    TurnGone,
)
from companion.domain.models import Catalogue, Model, ModelId
from companion.ports.limits import LimitScope
from companion.services.prompting import CONTINUE
from tests.fakes.provider import MODEL, OTHER_MODEL, ended
from tests.services.house import (
    ADA,
    ADAS_KEY,
    ADMIN,
    DM,
    GRACE,
    HERE,
    OPERATOR_KEY,
    THERE,
    House,
    collected,
    failed,
    finished,
    interaction,
    text,
)

# Regenerate


async def test_a_new_answer_replaces_the_old_one(house: House) -> None:
    house.provider.script("First.", ended())
    first = await house.answer("Why?")
    house.provider.script("Second.", ended())
    again = await house.regenerate(first.turn_id)
    assert text(again) == "Second."
    assert house.texts_sent == [("system", "Be brief."), ("user", "Why?")]
    (turn,) = house.turns
    assert (turn.id, turn.prompt, turn.answer) == (finished(again).turn_id, "Why?", "Second.")


async def test_only_what_was_said_before_is_sent(house: House) -> None:
    await house.ask("One")
    second = await house.answer("Two")
    await house.ask("Three")
    await house.regenerate(second.turn_id)
    assert [said for role, said in house.texts_sent if role == "user"] == ["One", "Two"]
    assert [turn.prompt for turn in house.turns] == ["One", "Two", "Three"]


async def test_the_old_answer_stays_when_there_is_no_new_one(house: House) -> None:
    first = await house.answer()
    house.provider.script(ProviderTimedOut())
    failure = failed(await house.regenerate(first.turn_id))
    assert first.turn_id in {turn.id for turn in house.turns}
    again = finished(await house.regenerate(failure.turn_id or first.turn_id))
    assert again.finish is Finish.COMPLETE


async def test_a_failed_question_can_be_asked_again(house: House) -> None:
    house.provider.script(ProviderTimedOut())
    failure = failed(await house.ask("Why?"))
    assert failure.turn_id is not None
    assert text(await house.regenerate(failure.turn_id)) == "You said: Why?"
    assert [turn.finish for turn in house.turns] == [Finish.COMPLETE]


async def test_it_keeps_the_turns_model_unless_another_is_named(house: House) -> None:
    first = await house.answer(model=OTHER_MODEL)
    again = finished(await house.regenerate(first.turn_id))
    assert again.model == OTHER_MODEL
    other = finished(await house.regenerate(again.turn_id, model=MODEL))
    assert other.model == MODEL


async def test_a_model_that_is_gone_is_replaced_by_the_default(house: House) -> None:
    first = await house.answer(model="gone-by-now")
    left = Catalogue(models=(Model(id=ModelId("only-one")),), complete=True)
    house.catalogue.of_key[OPERATOR_KEY] = left
    assert finished(await house.regenerate(first.turn_id)).model == "only-one"


# Continue


async def test_an_answer_goes_on_where_it_stopped(house: House) -> None:
    house.provider.script("The first half", StreamCut(reason="eof"))
    cut = await house.answer("Why?")
    house.provider.script("and the second.", ended())
    more = await house.resume(cut.turn_id)
    assert text(more) == "and the second."
    assert house.texts_sent == [
        ("system", "Be brief."),
        ("user", "Why?"),
        ("assistant", "The first half"),
        ("user", CONTINUE),
    ]
    assert [turn.answer for turn in house.turns] == ["The first half", "and the second."]


async def test_it_goes_on_from_that_answer_and_not_from_later_ones(house: House) -> None:
    house.provider.script("Cut", ended(Finish.LENGTH))
    cut = await house.answer("One")
    await house.ask("Two")
    await house.resume(cut.turn_id)
    assert [said for _, said in house.texts_sent[1:]] == ["One", "Cut", CONTINUE]


async def test_where_nothing_was_said_the_question_is_asked_again(house: House) -> None:
    house.provider.script(ended(Finish.LENGTH))
    empty = await house.answer("Why?")
    await house.resume(empty.turn_id)
    assert house.texts_sent[-1] == ("user", "Why?")
    assert [turn.answer for turn in house.turns] == ["You said: Why?"]


async def test_a_whole_answer_is_not_gone_on_with(house: House) -> None:
    whole = await house.answer()
    assert isinstance(failed(await house.resume(whole.turn_id)).error, ButtonExpired)


# Whose it is, and the gates


@pytest.mark.parametrize(
    ("who", "where", "error"),
    [
        (GRACE, HERE, NotYours),
        (ADMIN, DM, NotYours),
        (ADA, THERE, TurnGone),
        (ADA, DM, TurnGone),
        (ADMIN, THERE, TurnGone),
    ],
)
async def test_others_and_other_places_are_refused(
    house: House, who: Actor, where: Place, error: type[Exception]
) -> None:
    house.provider.script("Cut", ended(Finish.LENGTH))
    cut = await house.answer()
    for events in (
        await house.regenerate(cut.turn_id, who=who, where=where),
        await house.resume(cut.turn_id, who=who, where=where),
    ):
        assert type(failed(events).error) is error
    assert len(house.provider.calls) == 1


async def test_who_manages_the_server_may_and_pays_for_it(house: House) -> None:
    await house.save_key()
    first = await house.answer()
    assert house.paid_with == ADAS_KEY
    again = finished(await house.regenerate(first.turn_id, who=ADMIN))
    assert house.paid_with == OPERATOR_KEY
    (turn,) = house.turns
    assert turn.id == again.turn_id
    assert turn.author_id == house.store.person("discord:1")
    assert house.log[-1].start.person_id == house.store.person("discord:3")
    finished(await house.regenerate(again.turn_id, who=ADA))


async def test_a_cleared_turn_is_gone(house: House) -> None:
    last = await house.answer()
    await house.services.conversations.clear_here(ADA, HERE)
    assert isinstance(failed(await house.regenerate(last.turn_id)).error, TurnGone)
    assert isinstance(failed(await house.resume(TurnId(uuid4()))).error, TurnGone)


async def test_limits_hold_for_both(house: House) -> None:
    house.provider.script("Cut", ended(Finish.LENGTH))
    cut = await house.answer()
    house.limiter.empty[LimitScope.USER] = 9.0
    assert isinstance(failed(await house.regenerate(cut.turn_id)).error, RateLimited)
    assert isinstance(failed(await house.resume(cut.turn_id)).error, RateLimited)
    assert len(house.provider.calls) == len(house.turns) == 1


async def test_a_click_delivered_twice_is_done_once(house: House) -> None:
    house.provider.script("Cut", ended(Finish.LENGTH))
    cut = await house.answer()
    click = interaction()
    chat = house.services.chat
    first, second = [
        await collected(chat.resume(cut.turn_id, actor=ADA, place=HERE, interaction_id=click))
        for _ in range(2)
    ]
    assert finished(first).finish is Finish.COMPLETE
    assert isinstance(failed(second).error, AlreadyAnswered)
    assert len(house.provider.calls) == 2
