from __future__ import annotations

import asyncio

import pytest

from companion.domain.actor import Place
from companion.domain.errors import NotAllowed
from tests.fakes.provider import ended
from tests.services.house import ADA, DM, GRACE, HERE, THERE, House, finished, request


async def test_clearing_here_forgets_ones_own_conversation_here(house: House) -> None:
    for who, where in ((ADA, HERE), (ADA, HERE), (ADA, THERE), (GRACE, HERE)):
        await house.ask(f"{who.name} asks", who=who, where=where)
    clear = house.services.conversations.clear_here
    assert await clear(ADA, HERE) == 2
    assert await clear(ADA, HERE) == 0
    await house.ask("Anew")
    assert [said for _, said in house.texts_sent] == ["Be brief.", "Anew"]
    await house.ask("On", where=THERE)
    assert len(house.texts_sent) == 4
    await house.ask("On", who=GRACE)
    assert len(house.texts_sent) == 4


async def test_clearing_everywhere_forgets_all_of_ones_own(house: House) -> None:
    for who, where in ((ADA, HERE), (ADA, THERE), (ADA, DM), (GRACE, HERE)):
        await house.ask(who=who, where=where)
    assert await house.services.conversations.clear_everywhere(ADA) == 3
    (left,) = house.turns
    assert left.author_id == house.store.person("discord:2")


async def test_clearing_takes_the_logs_contents_along(house: House) -> None:
    await house.ask("A secret plan")
    await house.services.conversations.clear_here(ADA, HERE)
    (call,) = house.log
    assert (call.request, call.response) == (None, None)
    assert call.end is not None


async def test_someone_never_met_has_nothing_to_forget(house: House) -> None:
    assert await house.services.conversations.clear_here(ADA, HERE) == 0
    assert await house.services.conversations.clear_everywhere(ADA) == 0
    assert not house.store.tables.people


async def test_a_reply_that_runs_is_forgotten_too(house: House) -> None:
    go_on = asyncio.Event()
    house.provider.script("Half", go_on, " whole", ended())
    events = house.services.chat.ask(request("Why?"))
    await anext(events)
    assert await house.services.conversations.clear_everywhere(ADA) == 1
    go_on.set()
    finished([event async for event in events])
    assert house.turns == []
    await house.ask("Next")
    assert len(house.texts_sent) == 2


async def test_unknown_places_have_nothing_to_clear(house: House) -> None:
    with pytest.raises(NotAllowed):
        await house.services.conversations.clear_here(ADA, Place(kind=HERE.kind))
