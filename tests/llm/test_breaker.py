"""An outage is met by few requests, heard of at once by everyone, and over once it is over."""

from __future__ import annotations

from contextlib import suppress

import pytest

from companion.domain.errors import (
    ProviderBroken,
    ProviderDown,
    ProviderError,
    ProviderRateLimited,
    RequestRejected,
)
from companion.domain.models import Credential, ModelId
from companion.llm.breaker import FEWEST, LONGEST_OPEN_S, OPEN_S, PROBE_S, WINDOW_S, Breakers
from companion.llm.client import Provider
from companion.ports.relay import Endpoint, RelayAnswer, RelayCall
from companion.ports.speech import SpeechCall
from tests.llm.asking import MODEL, SkippingClock, ask, credential_for
from tests.support.provider_script import RATE_LIMITED, Answer, Status
from tests.support.scripted_provider import ScriptedProvider

URL = "https://api.example.test/v1"
DOWN = Status(status=500)


class Circuit:
    """One circuit, and what is done to it."""

    def __init__(self, clock: SkippingClock) -> None:
        self.clock = clock
        self.breakers = Breakers(clock)

    def run(self, error: BaseException | None = None, model: str = "m") -> None:
        expected = () if error is None else (type(error),)
        with suppress(*expected), self.breakers.watch(URL, model):
            if error is not None:
                raise error

    def fail(self, times: int = 1) -> None:
        for _ in range(times):
            self.run(ProviderBroken())

    def wait_s(self, model: str = "m") -> float | None:
        """Return how long nothing is sent yet, or nothing when a request went out."""
        try:
            self.run(model=model)
        except ProviderDown as down:
            return down.retry_after_s
        return None


@pytest.fixture
def circuit(clock: SkippingClock) -> Circuit:
    return Circuit(clock)


def test_it_opens_when_half_of_enough_requests_fail(circuit: Circuit) -> None:
    for _ in range(FEWEST // 2):
        circuit.run()
    circuit.fail(FEWEST // 2 - 1)
    assert circuit.wait_s() is None
    circuit.fail()
    circuit.fail()
    assert circuit.wait_s() == OPEN_S


def test_few_failures_say_little(circuit: Circuit) -> None:
    circuit.fail(FEWEST - 1)
    assert circuit.wait_s() is None


def test_failures_are_forgotten_with_the_window(circuit: Circuit) -> None:
    circuit.fail(FEWEST - 1)
    circuit.clock.skip(WINDOW_S)
    circuit.fail()
    assert circuit.wait_s() is None


@pytest.mark.parametrize("error", [RequestRejected(), ProviderRateLimited(retry_after_s=9.0)])
def test_refusals_are_no_outage(circuit: Circuit, error: ProviderError) -> None:
    for _ in range(2 * FEWEST):
        circuit.run(error)
    assert circuit.wait_s() is None


def test_each_model_has_a_circuit_of_its_own(circuit: Circuit) -> None:
    circuit.fail(FEWEST)
    assert circuit.wait_s("m") is not None
    assert circuit.wait_s("other") is None


def test_one_probe_goes_out_and_its_answer_closes_it(circuit: Circuit) -> None:
    circuit.fail(FEWEST)
    circuit.clock.skip(OPEN_S)
    with circuit.breakers.watch(URL, "m"):
        assert circuit.wait_s() == PROBE_S
    circuit.fail(FEWEST - 1)  # it starts afresh
    assert circuit.wait_s() is None


def test_a_failed_probe_opens_it_for_longer_but_not_for_ever(circuit: Circuit) -> None:
    circuit.fail(FEWEST)
    waits: list[float | None] = []
    for _ in range(6):
        waits.append(circuit.wait_s())
        circuit.clock.skip(waits[-1] or 0.0)
        circuit.fail()
    assert waits == [OPEN_S, 2 * OPEN_S, 4 * OPEN_S, 8 * OPEN_S, LONGEST_OPEN_S, LONGEST_OPEN_S]


def test_a_probe_that_is_given_up_makes_room_for_the_next(circuit: Circuit) -> None:
    circuit.fail(FEWEST)
    circuit.clock.skip(OPEN_S)
    circuit.run(KeyboardInterrupt())
    assert circuit.wait_s() is None


def test_names_that_people_make_up_do_not_fill_the_memory(circuit: Circuit) -> None:
    for number in range(2_000):
        circuit.run(model=f"made-up-{number}")
    assert len(circuit.breakers) <= 256


async def test_a_brown_out_is_told_at_once_through_all_doors_and_passes(
    upstream: ScriptedProvider, provider: Provider, credential: Credential, clock: SkippingClock
) -> None:
    upstream.default = DOWN
    for number in range(FEWEST):
        await ask(provider, credential_for(upstream.base_url, name=str(number)))
    sent = len(upstream.chats)
    refused = await ask(provider, credential)
    assert isinstance(refused.error, ProviderDown)
    assert refused.waits == []
    with pytest.raises(ProviderDown):
        await relay(provider, credential)
    assert len(upstream.chats) == sent
    other = await ask(provider, credential, model=ModelId("other"))
    assert isinstance(other.error, ProviderBroken)

    upstream.default = Answer()
    clock.skip(OPEN_S)
    assert (await ask(provider, credential)).text
    await relay(provider, credential)


async def test_speech_has_a_circuit_too(
    upstream: ScriptedProvider, provider: Provider, credential: Credential
) -> None:
    call = SpeechCall(model=MODEL, filename="a.ogg", media_type="audio/ogg", data=b"OggS")
    upstream.heard = DOWN
    for _ in range(FEWEST):
        with pytest.raises(ProviderBroken):
            await provider.speech.transcribe(credential, call)
    with pytest.raises(ProviderDown):
        await provider.speech.transcribe(credential, call)
    assert len(upstream.transcriptions) == FEWEST


async def test_one_keys_wait_holds_that_key_through_all_doors_and_no_other(
    upstream: ScriptedProvider, provider: Provider, credential: Credential, clock: SkippingClock
) -> None:
    upstream.script(Status(status=429, code=RATE_LIMITED.code, headers={"retry-after": "60"}))
    with pytest.raises(ProviderRateLimited):
        await relay(provider, credential)
    call = SpeechCall(model=MODEL, filename="a.ogg", media_type="audio/ogg", data=b"OggS")
    with pytest.raises(ProviderRateLimited):
        await provider.speech.transcribe(credential, call)
    held = await ask(provider, credential)
    assert isinstance(held.error, ProviderRateLimited)
    assert held.error.retry_after_s == pytest.approx(60)
    assert len(upstream.requests) == 1
    await relay(provider, credential_for(upstream.base_url, name="b"))
    clock.skip(60)
    await relay(provider, credential)


async def relay(provider: Provider, credential: Credential) -> RelayAnswer:
    """Send a chat request on, once."""
    call = RelayCall(
        endpoint=Endpoint.CHAT,
        model=MODEL,
        body={"model": b'"gpt-6-luna"', "messages": b'[{"role":"user","content":"Hi"}]'},
    )

    async def on_retry(error: ProviderError) -> None:
        raise AssertionError("the minute's retries are used up") from error

    async with provider.relay.open(credential, call, on_retry) as answer:
        return answer
