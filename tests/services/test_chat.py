from __future__ import annotations

from companion.domain.chat import Delta, Finished, Started
from companion.domain.conversation import Finish
from companion.domain.models import Payer
from companion.ports.store import CallStatus
from tests.fakes.provider import MODEL, ended, usage
from tests.services.house import HERE, THERE, House, finished, request, text, until


async def test_an_answer_streams_and_is_stored(house: House) -> None:
    house.provider.script("Be", "cause", ended(used=usage(10, 2)))
    events = await house.ask("Why?")
    first, last = events[0], finished(events)
    assert isinstance(first, Started)
    assert (first.model, first.payer) == (MODEL, Payer.OPERATOR)
    assert text(events) == "Because"
    assert all(isinstance(event, Delta) for event in events[1:-1])
    assert (last.finish, last.usage, last.cost_micros) == (Finish.COMPLETE, usage(10, 2), 12)
    (turn,) = house.turns
    assert (turn.id, turn.prompt, turn.answer) == (last.turn_id, "Why?", "Because")
    assert (turn.finish, turn.usage) == (Finish.COMPLETE, usage(10, 2))


async def test_a_conversation_goes_on_in_its_place_only(house: House) -> None:
    await house.ask("One", where=HERE)
    await house.ask("Two", where=HERE)
    assert house.texts_sent == [
        ("system", "Be brief."),
        ("user", "One"),
        ("assistant", "You said: One"),
        ("user", "Two"),
    ]
    await house.ask("Three", where=THERE)
    assert house.texts_sent == [("system", "Be brief."), ("user", "Three")]


async def test_one_row_is_logged_per_request(house: House) -> None:
    await house.ask("Why?")
    (call,) = house.log
    assert call.start.turn_id == house.turns[0].id
    assert (call.start.person_id, call.start.door) == (house.turns[0].author_id, "slash")
    assert call.end is not None
    assert (call.end.status, call.end.finish) == (CallStatus.OK, Finish.COMPLETE)
    assert call.end.request_id == "req-1"


async def test_nothing_is_locked_while_the_model_talks(house: House) -> None:
    seen: list[int] = []
    async for event in house.services.chat.ask(request("Why?")):
        seen.append(house.store.in_transaction)
        if isinstance(event, Finished):
            break
    assert set(seen) == {0}


async def test_a_slow_door_gets_all_text_in_one_piece(house: House) -> None:
    words = [f"word {number} " for number in range(100)]
    house.provider.script(*words, ended())
    events = house.services.chat.ask(request("Why?"))
    started = await anext(events)
    await until(lambda: not house.services.chat.running)
    rest = [event async for event in events]
    assert isinstance(started, Started)
    assert [type(event) for event in rest] == [Delta, Finished]
    assert text(rest) == "".join(words)
