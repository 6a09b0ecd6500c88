from __future__ import annotations

from tests.e2e.conftest import Opener
from tests.e2e.world import World, labels, only, refusal, until


async def test_clearing_here_forgets_here_only(world: World) -> None:
    await world.ask("One.", where="general")
    await world.ask("Two.", where="general")
    await world.ask("Elsewhere.", where="random")
    assert "2 questions" in refusal(await world.run("clear"))
    await world.ask("Afresh.", where="general")
    assert [text for role, text in world.prompts() if role == "user"] == ["Afresh."]
    await world.ask("Still there?", where="random")
    assert "Elsewhere." in [text for _, text in world.prompts()]


async def test_clearing_does_not_touch_others(world: World) -> None:
    await world.ask("Grace's.", who="Grace")
    assert "nothing to forget" in refusal(await world.run("clear", who="Ada"))
    await world.ask("Still?", who="Grace")
    assert "Grace's." in [text for _, text in world.prompts()]


async def test_clearing_everywhere_asks_first(world: World) -> None:
    await world.ask("One.", where="general")
    await world.ask("Two.", where="random")
    asked = await world.run("clear", scope="everywhere")
    assert labels(only(asked)) == ["Forget everything", "Keep it"]
    await world.discord.click("Ada", only(asked), "Forget everything")
    await until(lambda: "2 questions" in only(asked).text)
    assert labels(only(asked)) == []
    await world.ask("Afresh.", where="random")
    assert [text for role, text in world.prompts() if role == "user"] == ["Afresh."]


async def test_clearing_everywhere_can_be_called_off(world: World) -> None:
    await world.ask("One.")
    asked = await world.run("clear", scope="everywhere")
    await world.discord.click("Ada", only(asked), "Keep it")
    await until(lambda: only(asked).text == "Nothing was cleared.")
    assert labels(only(asked)) == []
    await world.ask("Still?")
    assert "One." in [text for _, text in world.prompts()]


async def test_help_names_all_registered_commands(world: World) -> None:
    told = refusal(await world.run("help"))
    for command in world.discord.commands():
        title = command["name"] if command["type"] == 3 else f"/{command['name']}"
        assert f"`{title}` – {command['description']}" in told
    assert "don't see ordinary messages" in told


async def test_help_about_messages_depends_on_the_intent(opener: Opener) -> None:
    async with opener(message_content=True) as world:
        assert "don't see ordinary messages" not in refusal(await world.run("help"))


async def test_help_shows_my_key_and_lets_me_remove_it(world: World) -> None:
    await world.set_key("sk-proj-" + "c" * 40 + "WXYZ")
    helped = await world.run("help")
    assert "`…WXYZ`" in refusal(helped)
    await world.click(only(helped), "Remove key")
    assert await world.key_hint() is None


async def test_help_explains_one_command(world: World) -> None:
    told = refusal(await world.run("help", command="ask"))
    assert "`temperature` (number from 0 to 2, optional)" in told


async def test_help_suggests_commands(world: World) -> None:
    found = await world.discord.autocomplete("Ada", "general", "help", {"command": "cl"}, "command")
    assert found == [{"name": "/clear", "value": "clear"}]
