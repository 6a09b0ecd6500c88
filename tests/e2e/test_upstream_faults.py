"""What the provider does wrong, as a person reads it (U01-U08)."""

from __future__ import annotations

import pytest

from companion.limits.memory import BucketSize
from tests.e2e.conftest import Opener
from tests.e2e.world import World, body, footer, labels, only, refusal
from tests.support.provider_script import (
    HTML_PAGE,
    NO_CREDIT,
    OVERLOADED,
    RATE_LIMITED,
    WRONG_KEY,
    Answer,
    Behaviour,
    Fault,
    Reset,
    Status,
)

KEY = "sk-proj-" + "a" * 40 + "WXYZ"
FORBIDDEN = ("UPSTREAM TEXT", "Traceback", "Error", "{", "None")


async def test_no_credit_is_said_and_not_asked_again(world: World) -> None:
    await world.set_key(KEY)
    world.provider.default = NO_CREDIT
    asked = await world.ask("Hi.")
    assert "no credit left" in asked.text
    assert "Set key" in labels(asked.messages[-1])
    calls = len(world.provider.chats)
    assert calls == 1
    again = await world.ask("Hi again.")
    assert "no credit left" in refusal(again)
    assert len(world.provider.chats) == calls


async def test_rejected_key_is_disabled_until_it_is_entered_again(world: World) -> None:
    await world.set_key(KEY)
    world.provider.default = WRONG_KEY
    assert "Set key" in labels((await world.ask("Hi.")).messages[-1])
    calls = len(world.provider.chats)
    assert "`…WXYZ`" in refusal(await world.ask("Hi again."))
    assert len(world.provider.chats) == calls
    world.provider.default = Answer(text="Welcome back.")
    await world.set_key(KEY)
    assert body(await world.ask("And now?")) == "Welcome back."


async def test_passing_limit_is_waited_for(world: World) -> None:
    world.provider.script(
        Status(status=429, code="rate_limit_exceeded", headers={"retry-after-ms": "20"})
    )
    assert body(await world.ask("Hi.")) == "Hello from the scripted provider."


async def test_long_limit_is_told_instead_of_waited_for(world: World) -> None:
    world.provider.default = Status(
        status=429, code="rate_limit_exceeded", headers={"retry-after": "300"}
    )
    asked = await world.ask("Hi.")
    assert "limiting this key" in asked.text
    assert "<t:" in asked.text
    assert "Retry" in labels(asked.messages[-1])
    assert len(world.provider.chats) == 1


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Status(status=400, code="context_length_exceeded"), "more than the model can read"),
        (Status(status=403), "isn't allowed"),
        (Status(status=404, code="model_not_found"), "Pick another model"),
        (Status(status=400, code="content_policy_violation"), "safety rules"),
        (Status(status=307, headers={"location": "http://127.0.0.1:9/"}), "somewhere else"),
        (HTML_PAGE, "error of its own"),
    ],
)
async def test_refusal_is_told_in_our_words(world: World, answer: Behaviour, said: str) -> None:
    world.provider.default = answer
    asked = await world.ask("Hi.")
    assert said in asked.text
    assert not any(word in asked.text for word in FORBIDDEN)
    assert len(world.provider.chats) == 1


@pytest.mark.parametrize("answer", [Status(status=500), OVERLOADED, Reset()])
async def test_passing_failure_is_healed_by_another_try(world: World, answer: Behaviour) -> None:
    world.provider.script(answer)
    assert body(await world.ask("Hi.")) == "Hello from the scripted provider."
    assert len(world.provider.chats) == 2


@pytest.mark.parametrize("fault", [Fault.EOF, Fault.ERROR_EVENT, Fault.BAD_JSON, Fault.RESET])
async def test_cut_answer_keeps_its_text_and_offers_to_continue(world: World, fault: Fault) -> None:
    text = "The first half. The second half."
    world.provider.script(Answer(text=text, chunk=16, fault=fault, fault_after=1))
    asked = await world.ask("Hi.")
    assert asked.text.startswith("The first half.")
    assert "The second half." not in asked.text
    assert "stopped early" in asked.text
    assert labels(asked.messages[-1])[0] == "Continue"
    assert len(world.provider.chats) == 1
    world.provider.script(Answer(text="The second half."))
    more = await world.click(asked.messages[-1], "Continue")
    assert "The second half." in body(more)


async def test_length_limit_is_named(world: World) -> None:
    world.provider.script(Answer(text="Cut", finish="length"))
    asked = await world.ask("Hi.")
    assert "length limit" in asked.text
    assert "Continue" in labels(only(asked))


async def test_filtered_answer_is_named(world: World) -> None:
    world.provider.script(Answer(text="Well", finish="content_filter"))
    assert "safety rules" in (await world.ask("Hi.")).text


async def test_empty_answer_says_so(world: World) -> None:
    world.provider.script(Answer(text=""))
    assert "nothing to say" in (await world.ask("Hi.")).text


@pytest.mark.parametrize("usage", ['{"prompt_tokens": -5}', '{"prompt_tokens": NaN}', '"many"'])
async def test_nonsense_usage_does_not_spoil_an_answer(world: World, usage: str) -> None:
    world.provider.script(Answer(text="Fine.", usage=usage))
    asked = await world.ask("Hi.")
    assert body(asked) == "Fine."
    assert "nan" not in footer(asked).lower()


async def test_own_limit_is_told_with_a_time(opener: Opener) -> None:
    async with opener(user_bucket=BucketSize(capacity=1, period_s=60.0)) as world:
        await world.ask("One.")
        told = refusal(await world.ask("Two."))
        assert "<t:" in told
        assert len(world.provider.chats) == 1


async def test_known_refusal_is_the_first_and_only_response(opener: Opener) -> None:
    async with opener(user_bucket=BucketSize(capacity=1, period_s=60.0)) as world:
        answered = await world.ask("One.")
        await world.ask("Two.")
        before = len(world.discord.requests)
        told = await world.ask("Three.")
        assert "<t:" in refusal(told)
        clicked = await world.discord.click("Ada", only(answered), "Regenerate")
        assert "<t:" in refusal(await world.settled(clicked))
        assert [r.method for r in world.discord.requests[before:]] == ["POST", "POST"]


async def test_limits_of_one_key_do_not_hold_others(world: World) -> None:
    world.provider.default = lambda sent: (
        RATE_LIMITED if "Ada" in str(sent["messages"][-1]) else Answer(text="For Grace.")
    )
    held = await world.start("ask", who="Ada", prompt="Ada asks.")
    assert body(await world.ask("Grace's question.", who="Grace")) == "For Grace."
    await held.acknowledged()
