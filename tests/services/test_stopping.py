"""Ending a reply early: the button, a door that dies, and a process that stops."""

from __future__ import annotations

import asyncio

import pytest

from companion.domain.actor import Actor, GuildId, Place
from companion.domain.chat import ChatEvent, Delta, Finished, Started
from companion.domain.conversation import Finish
from companion.domain.delivery import Delivery
from companion.domain.errors import AlreadyRunning, ButtonExpired, Draining, NotYours
from companion.domain.models import Catalogue
from companion.ports.store import CallStatus
from tests.db.things import delivery
from tests.fakes.provider import ended
from tests.services.house import (
    ADA,
    ADMIN,
    DM,
    GRACE,
    HERE,
    House,
    channel,
    failed,
    finished,
    request,
    until,
)


class Reply:
    """A reply that has said `Half` and goes on only when told to."""

    def __init__(
        self,
        house: House,
        who: Actor = ADA,
        where: Place = HERE,
        *,
        sent: Delivery | None = None,
    ) -> None:
        self.go_on = asyncio.Event()
        house.provider.script("Half", self.go_on, " whole", ended())
        self.events = house.services.chat.ask(request("Why?", who, where, delivery=sent))
        self.seen: list[ChatEvent] = []

    async def started(self) -> Started:
        """Wait until text has come."""
        while not self.seen or not isinstance(self.seen[-1], Delta):
            self.seen.append(await anext(self.events))
        assert isinstance(self.seen[0], Started)
        return self.seen[0]

    async def rest(self) -> Finished:
        """Return how it finishes."""
        return finished([event async for event in self.events])


async def test_stop_keeps_what_there_is_and_hangs_up(house: House) -> None:
    reply = Reply(house)
    started = await reply.started()
    assert house.provider.open == 1
    await house.services.chat.stop(started.turn_id, ADA, HERE)
    last = await reply.rest()
    assert house.provider.open == 0
    assert (last.finish, last.cause) == (Finish.STOPPED, None)
    assert last.usage.estimated
    assert (house.turns[0].answer, house.turns[0].finish) == ("Half", Finish.STOPPED)
    (call,) = house.log
    assert call.end is not None
    assert (call.end.status, call.end.error_code) == (CallStatus.STOPPED, "stopped")


async def test_stop_works_before_the_first_word(house: House) -> None:
    house.provider.script(asyncio.Event())
    events = house.services.chat.ask(request("Why?"))
    started = await anext(events)
    assert isinstance(started, Started)
    await house.services.chat.stop(started.turn_id, ADA, HERE)
    assert finished([event async for event in events]).finish is Finish.STOPPED
    assert house.turns[0].answer == ""


@pytest.mark.parametrize(
    ("who", "where"),
    [(GRACE, HERE), (ADMIN, channel(1, GuildId(77))), (ADMIN, DM), (ADMIN, None)],
)
async def test_stop_is_refused_to_strangers(house: House, who: Actor, where: Place | None) -> None:
    reply = Reply(house)
    started = await reply.started()
    with pytest.raises(NotYours):
        await house.services.chat.stop(started.turn_id, who, where)
    reply.go_on.set()
    assert (await reply.rest()).finish is Finish.COMPLETE


async def test_who_manages_the_server_may_stop(house: House) -> None:
    reply = Reply(house)
    await house.services.chat.stop((await reply.started()).turn_id, ADMIN, HERE)
    assert (await reply.rest()).finish is Finish.STOPPED


async def test_in_a_direct_message_nobody_else_manages(house: House) -> None:
    reply = Reply(house, where=DM)
    started = await reply.started()
    with pytest.raises(NotYours):
        await house.services.chat.stop(started.turn_id, ADMIN, DM)
    reply.go_on.set()
    await reply.rest()


async def test_the_button_of_an_ended_reply_has_expired(house: House) -> None:
    last = await house.answer()
    with pytest.raises(ButtonExpired):
        await house.services.chat.stop(last.turn_id, ADA, HERE)


async def test_stopping_twice_is_stopping_once(house: House) -> None:
    reply = Reply(house)
    started = await reply.started()
    await house.services.chat.stop(started.turn_id, ADA, HERE)
    await house.services.chat.stop(started.turn_id, ADA, HERE)
    assert (await reply.rest()).finish is Finish.STOPPED


async def test_the_first_reason_to_end_counts(house: House) -> None:
    reply = Reply(house)
    started = await reply.started()
    await house.services.chat.stop(started.turn_id, ADA, HERE)
    await asyncio.sleep(0)
    await reply.events.aclose()
    assert house.turns[0].finish is Finish.STOPPED


async def test_reply_that_nobody_can_see_any_more_ends_as_a_stopped_one(house: House) -> None:
    sent = delivery()
    reply = Reply(house, sent=sent)
    await reply.started()
    house.services.deliveries.give_up(sent.id)
    assert (await reply.rest()).finish is Finish.STOPPED
    assert house.provider.open == 0
    assert (house.turns[0].answer, house.turns[0].finish) == ("Half", Finish.STOPPED)
    (call,) = house.log
    assert call.end is not None
    assert (call.end.status, call.end.error_code) == (CallStatus.STOPPED, "unseen")


# A door that dies


async def test_for_a_door_that_leaves_at_once_nothing_is_waited_for(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(_: object) -> Catalogue:
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr(house.catalogue, "models", never)
    first = asyncio.ensure_future(anext(house.services.chat.ask(request("Why?"))))
    await asyncio.sleep(0)
    assert house.services.chat.running == 1
    first.cancel()
    await asyncio.wait({first})
    await until(lambda: not house.services.chat.running)
    assert not house.turns


async def test_a_closed_door_leaves_an_interrupted_turn(house: House) -> None:
    reply = Reply(house)
    await reply.started()
    await reply.events.aclose()
    assert (house.turns[0].answer, house.turns[0].finish) == ("Half", Finish.INTERRUPTED)
    assert house.provider.open == 0
    assert house.services.chat.running == 0
    (call,) = house.log
    assert call.end is not None
    assert (call.end.status, call.end.error_code) == (CallStatus.CUT, "door_gone")


async def test_a_door_may_leave_after_the_end(house: House) -> None:
    events = house.services.chat.ask(request("Why?"))
    async for event in events:
        if isinstance(event, Finished):
            break
    await events.aclose()
    assert house.turns[0].finish is Finish.COMPLETE


# A process that stops


async def test_draining_lets_replies_finish_and_takes_no_new_ones(house: House) -> None:
    reply = Reply(house)
    started = await reply.started()
    assert house.services.chat.running == 1
    draining = asyncio.ensure_future(house.services.chat.drain(30.0))
    await asyncio.sleep(0)
    assert isinstance(await house.refusal(who=GRACE), Draining)
    again = await house.regenerate(started.turn_id)
    assert isinstance(failed(again).error, Draining)
    reply.go_on.set()
    assert (await reply.rest()).finish is Finish.COMPLETE
    assert await draining == 0


async def test_draining_cuts_what_takes_too_long_and_keeps_its_text(house: House) -> None:
    reply = Reply(house)
    await reply.started()
    assert await house.services.chat.drain(0) == 1
    last = await reply.rest()
    assert last.finish is Finish.INTERRUPTED
    assert isinstance(last.cause, Draining)
    assert house.turns[0].answer == "Half"


async def test_draining_a_quiet_house_takes_no_time(house: House) -> None:
    assert await house.services.chat.drain(30.0) == 0


async def test_a_request_cut_while_it_is_planned_sends_and_stores_nothing(house: House) -> None:
    events = house.services.chat.ask(request("Why?"))
    first = asyncio.ensure_future(anext(events))
    await until(lambda: house.services.chat.running)
    assert await house.services.chat.drain(0) == 1
    assert isinstance(failed([await first]).error, Draining)
    assert not house.provider.calls
    assert not house.turns
    await events.aclose()


async def test_a_turn_is_done_again_once_at_a_time(house: House) -> None:
    last = await house.answer()
    go_on = asyncio.Event()
    house.provider.script(go_on, "Anew", ended())
    first = asyncio.ensure_future(house.regenerate(last.turn_id))
    await until(lambda: house.provider.open)
    assert isinstance(failed(await house.regenerate(last.turn_id)).error, AlreadyRunning)
    assert isinstance(failed(await house.resume(last.turn_id)).error, AlreadyRunning)
    go_on.set()
    assert finished(await first).finish is Finish.COMPLETE
