"""Bad input gets a clear ephemeral answer, and nothing is lost."""

from __future__ import annotations

from typing import Any

import pytest

from companion.playground.vocabulary import InteractionKind
from tests.e2e.world import World, body, refusal

STRING, INTEGER, NUMBER = 3, 4, 10


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"prompt": "x" * 6001}, "6,001 characters"),
        ({"prompt": "   "}, "nothing to answer"),
        ({"prompt": "Hi", "temperature": 2.5}, "between 0 and 2"),
        ({"prompt": "Hi", "temperature": -1}, "between 0 and 2"),
        ({"prompt": "Hi", "max_tokens": 0}, "1 or more"),
        ({"prompt": "Hi", "model": "gpt-9-unheard-of"}, "`gpt-9-unheard-of`"),
        ({"prompt": "Hi", "colour": "red"}, "`colour`"),
        ({"prompt": "Hi", "private": "yes"}, "`private`"),
        ({}, "`prompt` is missing"),
        ({"prompt": "my key is sk-proj-" + "d" * 48}, "sent it nowhere"),
    ],
)
async def test_question_that_cannot_be_asked(
    world: World, options: dict[str, Any], said: str
) -> None:
    await world.ask("Before.")
    calls = len(world.provider.chats)
    told = refusal(await world.run("ask", **options))
    assert said in told
    assert len(world.provider.chats) == calls
    await world.ask("After.")
    assert "Before." in [text for _, text in world.prompts()]


async def test_long_question_is_given_back_when_it_is_refused(world: World) -> None:
    question = "Why do the tides come twice a day, and later each day? " * 3
    refused: list[dict[str, Any]] = [{"model": "gpt-9-unheard-of"}, {"temperature": 2.5}]
    for options in refused:
        assert question.strip() in refusal(await world.run("ask", prompt=question, **options))
    said = await world.say("Tides?", who="Grace")
    await world.services.chat.drain(0)
    form = await world.run("Ask about this", target=said)
    sent = await world.discord.submit_modal(form, {"question": question})
    assert question.strip() in refusal(await world.settled(sent))


async def test_choice_never_offered(world: World) -> None:
    await world.ask("Before.")
    assert "`scope:moon`" in refusal(await world.run("clear", scope="moon"))
    await world.ask("After.")
    assert "Before." in [text for _, text in world.prompts()]


@pytest.mark.parametrize(
    "options",
    [
        [{"name": "prompt", "type": INTEGER, "value": 5}],
        [{"name": "prompt", "type": STRING}],
        [{"name": "prompt", "type": STRING, "value": ["a"]}],
        [{"type": STRING, "value": "nameless"}],
        [{"name": "@everyone <@&1>", "type": STRING, "value": "x"}],
        [
            {"name": "prompt", "type": STRING, "value": "Hi"},
            {"name": "attachment", "type": 11, "value": "123"},
        ],
        [
            {"name": "prompt", "type": STRING, "value": "Hi"},
            {"name": "temperature", "type": NUMBER, "value": "NaN"},
        ],
    ],
)
async def test_malformed_options(world: World, options: list[dict[str, Any]]) -> None:
    sent = await world.discord.invoke("Ada", "general", "ask", options)
    assert len(refusal(await sent.answered())) > 20
    assert world.provider.chats == []
    assert world.discord.pings == []


async def test_command_that_is_not_there_any_more(world: World) -> None:
    ada, general = world.discord.world.person("Ada"), world.discord.world.channel("general")
    data = {"id": "1", "name": "imagine", "type": 1}
    opened = world.discord.interactions.open(InteractionKind.COMMAND, ada, general, data)
    told = refusal(await opened.answered())
    assert "`/imagine`" in told
    assert "`/ask`" in told


@pytest.mark.parametrize(
    "custom_id",
    [
        "",
        "nonsense",
        "cmp1:stop::",
        "cmp1:stop:00:",
        "cmp1:fly::",
        f"cmp1:regenerate:{'0' * 32}:",
    ],
)
async def test_button_never_offered(world: World, custom_id: str) -> None:
    asked = await world.ask("Hi.")
    (message,) = asked.messages
    clicked = await world.discord.click("Ada", message, custom_id)
    assert "`/ask`" in refusal(await clicked.answered())
    assert body(asked) == "Hello from the scripted provider."


async def test_form_never_offered(world: World) -> None:
    form = await world.run("setkey")
    assert form.modal is not None
    form.modal["custom_id"] = "nonsense"
    sent = await world.discord.submit_modal(form, {"api_key": "sk-" + "e" * 40})
    assert "`/ask`" in refusal(await sent.answered())
    assert await world.key_hint() is None
