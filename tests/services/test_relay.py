from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from companion.domain.actor import Actor, Door, Place, PlaceKind
from companion.domain.chat import Queued
from companion.domain.errors import (
    CompanionError,
    CredentialRejected,
    Draining,
    KeyMissing,
    KeyRejected,
    ProviderBroken,
    RateLimited,
    StorageUnavailable,
    StreamCut,
)
from companion.ports.limits import LimitScope
from companion.ports.relay import Endpoint, Fields, RelayBody, RelayEnding, RelayStream
from companion.ports.store import CallStatus
from companion.services.relay_record import RelayRequest
from tests.fakes.provider import MODEL
from tests.services.house import House, finished, request, until

CALLER = Actor(name="Caller", http_id="caller")
WEB = Place(kind=PlaceKind.HTTP)
BODY: Fields = {"model": b'"gpt-6-luna"', "messages": b'[{"role":"user","content":"Why?"}]'}


@pytest.fixture
async def house() -> AsyncIterator[House]:
    built = House()
    yield built
    await built.services.close()


def asked(*, streams: bool = False, body: Fields = BODY) -> RelayRequest:
    return RelayRequest(
        actor=CALLER, place=WEB, endpoint=Endpoint.CHAT, model=MODEL, body=body, streams=streams
    )


async def run(house: House, request: RelayRequest) -> list[str]:
    """Run a request to its end; return the texts that came."""
    async with house.services.relay.relay(request) as answer:
        if isinstance(answer, RelayBody):
            texts = [answer.text]
        else:
            texts = [part.text async for part in answer.parts if not isinstance(part, RelayEnding)]
    await house.services.relay.settled()
    return texts


async def refusal(house: House, request: RelayRequest) -> CompanionError:
    with pytest.raises(CompanionError) as raised:
        await run(house, request)
    await house.services.relay.settled()
    return raised.value


@pytest.mark.parametrize("streams", [False, True])
async def test_a_request_is_logged_with_what_it_used(house: House, *, streams: bool) -> None:
    assert await run(house, asked(streams=streams)) == ["Hello"]
    (row,) = house.log
    assert row.end is not None
    assert row.start.endpoint == "chat.completions"
    assert row.end.status is CallStatus.OK
    assert row.end.usage is not None
    assert row.end.usage.total_tokens == 18
    assert row.end.cost_micros == 18
    assert row.response == "Hello"
    assert row.request is not None
    assert "Why?" in row.request


async def test_the_start_is_stored_before_anything_is_sent(house: House) -> None:
    async with house.services.relay.relay(asked()):
        assert [row.end for row in house.log] == [None]
        assert house.store.in_transaction == 0


async def test_without_a_start_row_nothing_is_sent(house: House) -> None:
    house.store.failing_commits = 1
    assert isinstance(await refusal(house, asked()), StorageUnavailable)
    assert house.relay.calls == []


async def test_fields_of_ours_are_added_and_the_clients_kept(house: House) -> None:
    await run(house, asked(streams=True, body={**BODY, "unheard_of": b"[1.0]"}))
    _, call = house.relay.calls[0]
    assert call.body == {**BODY, "unheard_of": b"[1.0]"}
    assert call.ours == {"store": b"false", "stream_options": b'{"include_usage": true}'}
    assert call.safety_id


async def test_what_the_client_chose_is_not_added_again(house: House) -> None:
    chosen = {"store": b"true", "stream_options": b'{"include_usage":true}'}
    await run(house, asked(streams=True, body={**BODY, **chosen}))
    assert house.relay.calls[0][1].ours == {}


async def test_other_stream_options_stay(house: House) -> None:
    options = b'{"include_obfuscation":false}'
    await run(house, asked(streams=True, body={**BODY, "stream_options": options}))
    _, call = house.relay.calls[0]
    assert call.body == BODY
    assert call.ours["stream_options"] == b'{"include_obfuscation": false, "include_usage": true}'


async def test_unreported_usage_is_estimated_and_marked(house: House) -> None:
    ending = house.relay.steps[-1]
    assert isinstance(ending, RelayEnding)
    house.relay.steps = ["Hello there", replace(ending, usage=None)]
    await run(house, asked(streams=True))
    end = house.log[0].end
    assert end is not None
    assert end.usage is not None
    assert end.usage.estimated
    assert end.usage.completion_tokens > 0


async def test_a_cut_stream_is_recorded_as_cut(house: House) -> None:
    house.relay.steps = ["Hel", StreamCut(reason="eof")]
    assert isinstance(await refusal(house, asked(streams=True)), StreamCut)
    (row,) = house.log
    assert row.end is not None
    assert (row.end.status, row.end.error_code) == (CallStatus.CUT, "stream_cut_eof")
    assert row.end.usage is not None
    assert row.end.usage.estimated
    assert row.response == "Hel"


async def test_a_client_that_hangs_up_is_settled_and_gives_its_slot_back(house: House) -> None:
    house.relay.steps = ["Hel", asyncio.Event()]
    came = asyncio.Event()

    async def read() -> None:
        async with house.services.relay.relay(asked(streams=True)) as answer:
            assert isinstance(answer, RelayStream)
            async for _ in answer.parts:
                came.set()

    reading = asyncio.create_task(read())
    await came.wait()
    reading.cancel()
    await asyncio.wait({reading})
    await house.services.relay.settled()
    assert house.relay.open_now == 0
    end = house.log[0].end
    assert end is not None
    assert (end.status, end.error_code) == (CallStatus.CUT, "client_gone")
    assert end.usage is not None
    for _ in range(3):
        await run(house, asked())


async def test_each_try_has_its_own_row(house: House) -> None:
    house.relay.retried.append(ProviderBroken(status=500, request_id="req-0"))
    await run(house, asked())
    ends = [row.end for row in house.log]
    assert [end and (end.status, end.http_status) for end in ends] == [
        (CallStatus.FAILED, 500),
        (CallStatus.OK, None),
    ]


async def test_a_failed_request_is_logged_and_costs_nothing(house: House) -> None:
    house.relay.error = ProviderBroken(status=500, request_id="req-9")
    assert isinstance(await refusal(house, asked()), ProviderBroken)
    end = house.log[0].end
    assert end is not None
    assert (end.status, end.http_status, end.request_id) == (CallStatus.FAILED, 500, "req-9")
    assert end.usage is None
    assert end.cost_micros is None


async def test_a_rejected_key_is_not_sent_again(house: House) -> None:
    await run(house, asked())
    await house.save_key(who=CALLER, where=WEB)
    house.relay.error = CredentialRejected(status=401)
    await refusal(house, asked())
    assert isinstance(await refusal(house, asked()), KeyRejected)
    assert len(house.relay.calls) == 2


async def test_who_has_no_key_is_refused_before_anything_is_written() -> None:
    poor = House(operator=None)
    assert isinstance(await refusal(poor, asked()), KeyMissing)
    assert poor.log == []
    assert poor.relay.calls == []
    await poor.services.close()


async def test_slots_are_shared_with_chats() -> None:
    small = House(max_streams_per_user=1)
    async with small.services.relay.relay(asked()):
        chat = small.services.chat.ask(request("Why?", CALLER, WEB, door=Door.HTTP))
        assert isinstance(await anext(chat), Queued)
    finished([event async for event in chat])
    await small.services.close()


async def test_a_caller_who_waited_is_looked_up_again() -> None:
    small = House(max_streams_per_user=1)
    async with small.services.relay.relay(asked()):
        waiting = asyncio.create_task(run(small, asked()))
        await until(lambda: small.queue.waiting)
        reads = small.store.reads
    assert await waiting
    assert small.store.reads == reads + 1
    async with small.services.relay.relay(asked()):
        late = asyncio.create_task(run(small, asked()))
        await until(lambda: small.queue.waiting)
        await small.services.relay.drain(0)
    with pytest.raises(Draining):
        await late
    assert small.queue.running == 0
    await small.services.close()


async def test_an_empty_bucket_refuses(house: House) -> None:
    house.limiter.empty[LimitScope.USER] = 7.0
    error = await refusal(house, asked())
    assert isinstance(error, RateLimited)
    assert error.retry_after_s == 7.0
    assert house.log == []


async def test_an_end_is_written_once_the_database_is_back(house: House) -> None:
    async with house.services.relay.relay(asked()):
        house.store.failing_commits = 1
    await house.services.relay.settled()
    assert house.log[0].end is None
    await until(lambda: house.clock.sleeping)
    house.clock.advance(1)
    await until(lambda: house.log[0].end is not None)


async def test_many_requests_share_transactions(house: House) -> None:
    crowd = [replace(asked(), actor=Actor(name=str(n), http_id=str(n))) for n in range(30)]
    before = house.store.writes
    await asyncio.gather(*(run(house, request) for request in crowd))
    assert len([row for row in house.log if row.end]) == 30
    assert house.store.writes - before < 30


async def test_an_end_shares_the_transaction_of_the_next_start(house: House) -> None:
    relay, before = house.services.relay, house.store.writes
    for _ in range(3):
        async with relay.relay(asked()):
            pass
    assert house.store.writes - before == 3  # a start each; two ends came along
    await until(lambda: house.log[-1].end is not None)  # and the last one by itself
    assert house.store.writes - before == 4


async def test_draining_refuses_new_requests_and_lets_running_ones_finish(house: House) -> None:
    relay = house.services.relay
    async with relay.relay(asked()):
        draining = asyncio.create_task(relay.drain(5))
        await asyncio.sleep(0)
        assert isinstance(await refusal(house, asked()), Draining)
        assert not draining.done()
    await asyncio.wait_for(draining, 1)
