"""Texts that Discord does not accept (D17): AutoMod, harmful links."""

from __future__ import annotations

import pytest

from companion.playground.api_errors import Problem
from companion.playground.faults import ORIGINAL
from tests.e2e.world import World, until
from tests.support.provider_script import Answer

BLOCKED = "blocked its text"


@pytest.mark.parametrize("accepted", [0, 1])
async def test_person_is_told_once_that_a_rule_blocked_the_answer(
    world: World, accepted: int
) -> None:
    """Whether Discord refuses the first text or a later one; the same text is not tried again."""
    world.provider.script(Answer(text="One. " * 40, tokens_per_s=100, chunk=5))
    refusals = world.discord.faults.fail(
        "PATCH", ORIGINAL, Problem.BLOCKED_BY_AUTOMOD, times=99, after=accepted
    )
    asked = await world.start("ask", prompt="Hi.")
    await until(lambda: BLOCKED in asked.text)
    await until(lambda: not world.door.busy)
    assert asked.text.count(BLOCKED) == 1
    assert not any(message.thinking for message in asked.messages)
    assert refusals.times == 98
