from __future__ import annotations

from contextlib import suppress

import pytest

from companion.api.metrics import Metrics
from companion.domain.errors import ProviderBroken, ProviderError, StreamCut
from companion.domain.models import Credential, KeyFingerprint, Payer
from companion.domain.secrets import Secret
from companion.metering import MeteredProvider, MeteredRelay
from companion.ports.llm import ChatCall, ChatMessage
from companion.ports.relay import Endpoint, RelayCall, RelayStream
from tests.fakes.provider import MODEL, FakeProvider
from tests.fakes.relay import ENDING, FakeRelay, Step

CALL = ChatCall(model=MODEL, messages=(ChatMessage(role="user", text="Why?"),))
CREDENTIAL = Credential(
    key=Secret("sk-metered"),
    base_url="https://llm.example/v1",
    fingerprint=KeyFingerprint("metered"),
    payer=Payer.OPERATOR,
)


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(lambda: 0, lambda: 0)


def counted(metrics: Metrics) -> list[str]:
    """Return how requests to providers ended, as Prometheus reads it."""
    lines = metrics.text().decode().splitlines()
    return [line for line in lines if line.startswith("companion_provider_calls_total{")]


async def run(relay: FakeRelay, metrics: Metrics, *, streams: bool) -> None:
    async def on_retry(error: ProviderError) -> None:
        raise AssertionError(error)

    call = RelayCall(endpoint=Endpoint.IMAGES, model=MODEL, body={}, streams=streams)
    async with MeteredRelay(relay, metrics).open(CREDENTIAL, call, on_retry) as answer:
        if isinstance(answer, RelayStream):
            with suppress(ProviderError):  # the door tells it to the client, in the stream
                async for _ in answer.parts:
                    pass


@pytest.mark.parametrize(
    ("steps", "outcome"),
    [
        (["Hello", ENDING], "ok"),
        (["Hello", StreamCut(reason="eof")], "stream_cut"),
    ],
)
async def test_a_relayed_stream_is_counted_by_its_end(
    metrics: Metrics, steps: list[Step], outcome: str
) -> None:
    relay = FakeRelay()
    relay.steps = steps
    await run(relay, metrics, streams=True)
    label = f'endpoint="images.generations",outcome="{outcome}"'
    assert counted(metrics) == [f"companion_provider_calls_total{{{label}}} 1.0"]


async def test_a_relayed_answer_and_a_refusal_are_counted(metrics: Metrics) -> None:
    relay = FakeRelay()
    await run(relay, metrics, streams=False)
    relay.error = ProviderBroken(status=500)
    with pytest.raises(ProviderBroken):
        await run(relay, metrics, streams=False)
    assert [line.partition("outcome=")[2] for line in counted(metrics)] == [
        '"ok"} 1.0',
        f'"{relay.error.code}"}} 1.0',
    ]


async def test_a_chat_that_is_left_is_counted_as_cancelled(metrics: Metrics) -> None:
    provider = MeteredProvider(FakeProvider(), metrics)
    with pytest.raises(ZeroDivisionError):
        async with provider.stream_chat(CREDENTIAL, CALL):
            raise ZeroDivisionError
    label = 'endpoint="chat.completions",outcome="cancelled"'
    assert counted(metrics) == [f"companion_provider_calls_total{{{label}}} 1.0"]
