"""Programs keep to the same budgets, and what they ask for is bounded from its bytes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from companion.domain.errors import CompanionError, ProviderBroken, StorageUnavailable
from companion.domain.models import ModelId
from companion.domain.money import IMAGE_TOKENS, Caps
from companion.domain.money_errors import BudgetSpent, PriceUnknown
from companion.domain.usage import Micros
from companion.ports.relay import Endpoint, Fields, Form
from companion.services.budgets import LONGEST_ANSWER, MOST_HEARD
from companion.services.relay_budget import DRAWN_TOKENS, most_used
from tests.services.house import House, until
from tests.services.test_relay import BODY, asked, refusal, run

SHORT: Fields = {**BODY, "max_tokens": b"50"}
WORST = most_used(asked(body=SHORT)).total_tokens


@pytest.fixture
async def ten() -> AsyncIterator[House]:
    """A house where a person's day is worth ten requests at once."""
    built = House(
        caps=Caps(person_day=Micros(10 * WORST)), max_streams=300, max_streams_per_user=300
    )
    yield built
    await built.services.close()


def only(house: House) -> tuple[int, int]:
    [spending] = house.store.tables.spending.values()
    return spending.spent, spending.held


async def test_the_truth_is_counted_after_the_worst_was_held(ten: House) -> None:
    go = asyncio.Event()
    ten.relay.steps.insert(1, go)
    running = asyncio.create_task(run(ten, asked(streams=True, body=SHORT)))
    await until(lambda: ten.relay.open_now)
    assert only(ten) == (0, WORST)
    go.set()
    await running
    assert ten.log[0].end is not None
    assert only(ten) == (ten.log[0].end.cost_micros, 0)


async def test_of_many_at_once_as_many_run_as_are_paid_for(ten: House) -> None:
    go = asyncio.Event()
    ten.relay.steps.insert(0, go)
    tasks = [asyncio.create_task(run(ten, asked(streams=True, body=SHORT))) for _ in range(50)]
    await until(lambda: sum(task.done() for task in tasks) == 40)
    go.set()
    got = await asyncio.gather(*tasks, return_exceptions=True)
    assert sum(isinstance(error, BudgetSpent) for error in got) == 40
    assert len(ten.relay.calls) == len(ten.log) == 10
    assert only(ten)[1] == 0


async def test_failures_cost_nothing(ten: House) -> None:
    ten.relay.error = ProviderBroken()
    for _ in range(30):
        assert await refusal(ten, asked(body=SHORT)) is ten.relay.error
    assert only(ten) == (0, 0)
    assert not ten.store.tables.held


async def test_a_client_that_goes_pays_for_what_came(ten: House) -> None:
    ten.relay.steps = ["Hello", asyncio.Event()]
    async with ten.services.relay.relay(asked(streams=True, body=SHORT)) as answer:
        async for _ in answer.parts:  # type: ignore[union-attr]  # it streams
            break
    await ten.services.relay.settled()
    assert only(ten)[0] > 0
    assert only(ten)[1] == 0


async def test_an_answer_without_a_limit_gets_one() -> None:
    house = House(caps=Caps(person_day=Micros(100_000)))
    await run(house, asked())
    assert house.relay.calls[-1][1].ours["max_completion_tokens"] == str(LONGEST_ANSWER).encode()
    await run(house, asked(body=SHORT))
    assert "max_completion_tokens" not in house.relay.calls[-1][1].ours


async def test_without_a_cap_nothing_is_added(house: House) -> None:
    await run(house, asked())
    assert "max_completion_tokens" not in house.relay.calls[-1][1].ours
    assert not house.store.tables.spending


async def test_a_model_without_a_price_is_refused(ten: House) -> None:
    error = await refusal(ten, replace(asked(body=SHORT), model=ModelId("unheard-of")))
    assert isinstance(error, PriceUnknown)
    assert ten.relay.calls == []


async def test_a_cost_that_cannot_be_written_is_written_later(ten: House) -> None:
    go = asyncio.Event()
    ten.relay.steps.insert(1, go)
    running = asyncio.create_task(run(ten, asked(streams=True, body=SHORT)))
    await until(lambda: ten.relay.open_now)
    ten.store.down = True
    go.set()
    await running
    assert only(ten) == (0, WORST)
    ten.store.down = False
    ten.clock.advance(1)
    await until(lambda: not ten.store.tables.held)


async def test_no_database_no_request(ten: House) -> None:
    ten.store.down = True
    error: CompanionError = await refusal(ten, asked(body=SHORT))
    assert isinstance(error, StorageUnavailable)
    assert ten.relay.calls == []


PICTURE = json.dumps(
    [{"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 999}}]
)


@pytest.mark.parametrize(
    ("endpoint", "body", "least", "longest"),
    [
        (Endpoint.CHAT, {"messages": b"x" * 700}, 700, LONGEST_ANSWER),
        (Endpoint.CHAT, {"messages": b"x", "max_completion_tokens": b"9", "n": b"3"}, 1, 27),
        (Endpoint.CHAT, {"messages": b"x", "max_tokens": b"oops", "n": b"-3"}, 1, LONGEST_ANSWER),
        (Endpoint.CHAT, {"messages": PICTURE.encode()}, IMAGE_TOKENS, LONGEST_ANSWER),
        (Endpoint.COMPLETIONS, {"prompt": b"x", "max_tokens": b"9", "best_of": b"5"}, 1, 45),
        (Endpoint.IMAGES, {"prompt": b"x", "n": b"4"}, 1, 4 * DRAWN_TOKENS),
        (Endpoint.IMAGE_EDITS, Form(fields=(("n", "2"),), files=()), 1, 2 * DRAWN_TOKENS),
        (Endpoint.TRANSCRIPTIONS, Form(fields=(), files=()), 1, MOST_HEARD.completion_tokens),
    ],
)
def test_the_most_a_request_can_use(
    endpoint: Endpoint, body: Fields | Form, least: int, longest: int
) -> None:
    most = most_used(replace(asked(), endpoint=endpoint, body=body))
    assert least <= most.prompt_tokens <= max(least + 200, MOST_HEARD.prompt_tokens)
    assert most.completion_tokens == longest
