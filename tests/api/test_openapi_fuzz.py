"""The API against its own description: requests made from it, answers checked by it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from typing import Any, cast

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.specs.openapi import checks

from tests.api.world import World
from tests.support.provider_script import Answer, Status
from tests.support.wiring import MODEL

# schemathesis's own types are half unknown
CHECKS = cast("Any", checks)
Description = Any
Operation = Any
# what is in a body is mostly for the provider to judge, and the description leaves it open
NOT_CHECKED = [CHECKS.positive_data_acceptance, CHECKS.negative_data_rejection]
REPEATABLE = settings(
    derandomize=True,
    max_examples=25,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
ONE_MODEL = {"model_id", "engine_id"}


@pytest.fixture
def described(world: World) -> World:
    world.provider.default = _as_openai
    return world


async def test_sound_requests_are_answered_as_described(described: World) -> None:
    assert await asyncio.to_thread(lambda: list(_unanswered(described))) == []


async def test_unsound_requests_are_answered_as_described(described: World) -> None:
    await asyncio.to_thread(_send_unsound, described)


async def test_a_model_is_described_as_described(described: World) -> None:
    assert await asyncio.to_thread(_ask_for_models, described) == [200, 200]


def _unanswered(world: World) -> Iterator[str]:
    """Send sound requests to every operation; yield those that never succeeded."""
    for operation in _operations(_description(world)):
        statuses = _send_many(operation, world.act_as, GenerationMode.POSITIVE)
        if not statuses[200] and not _names_a_model(operation):
            yield operation.label


def _send_unsound(world: World) -> None:
    """Send requests with something wrong in them, to all but those that take nothing."""
    for operation in _operations(_description(world).exclude(tag="health")):
        _send_many(operation, world.act_as, GenerationMode.NEGATIVE)


def _ask_for_models(world: World) -> list[int]:
    return [
        _send(operation.Case(path_parameters=dict.fromkeys(ONE_MODEL, MODEL)), world.act_as)
        for operation in _operations(_description(world))
        if _names_a_model(operation)
    ]


def _description(world: World) -> Description:
    return schemathesis.openapi.from_url(f"{world.origin}/openapi.json")


def _operations(description: Description) -> Iterator[Operation]:
    return (found.ok() for found in description.get_all_operations())


def _names_a_model(operation: Operation) -> bool:
    return any(f"{{{name}}}" in operation.path for name in ONE_MODEL)


def _send_many(operation: Operation, token: str, mode: GenerationMode) -> Counter[int]:
    statuses: Counter[int] = Counter()

    @REPEATABLE
    @given(case=operation.as_strategy(generation_mode=mode))
    def send(case: Any) -> None:
        statuses[_send(case, token)] += 1

    send()
    return statuses


def _send(case: Any, token: str) -> int:
    headers = {"Authorization": f"Bearer {token}"}
    return case.call_and_validate(headers=headers, excluded_checks=NOT_CHECKED).status_code


def _as_openai(body: dict[str, Any]) -> Answer | Status:
    """Answer, but not what OpenAI would call no chat at all."""
    messages = body.get("messages")
    sound = isinstance(messages, list) and isinstance(body.get("stream", False), bool)
    if sound and all(
        isinstance(one, dict) and "role" in one for one in cast("list[object]", messages)
    ):
        return Answer()
    return Status(status=400, message="This is no chat.")
