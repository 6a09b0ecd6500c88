from __future__ import annotations

from companion.playground.interaction import Interaction
from tests.e2e.world import BUTTONS, World, body, labels, only, refusal, until
from tests.support.provider_script import Answer, Status

SLOW = Answer(text="tick " * 400, tokens_per_s=40)


async def running_answer(world: World, who: str = "Ada") -> Interaction:
    world.provider.script(SLOW)
    asked = await world.start("ask", who=who, prompt="Tick.")
    return await asked.until(
        lambda seen: (
            seen.original is not None
            and "Stop" in labels(seen.original)
            and "tick" in seen.original.text
        ),
        timeout=10.0,
    )


async def test_stop_ends_the_answer_and_the_request(world: World) -> None:
    asked = await running_answer(world)
    await world.discord.click("Ada", only(asked), "Stop")
    await world.settled(asked)
    assert "Stopped" in asked.text
    assert labels(only(asked)) == ["Continue", *BUTTONS]
    assert world.provider.chats[-1].hung_up_at is not None


async def test_stop_is_for_the_asker_and_managers(world: World) -> None:
    asked = await running_answer(world, who="Ada")
    clicked = await world.discord.click("Grace", only(asked), "Stop")
    await clicked.until(lambda seen: bool(seen.followups))
    assert "someone else" in clicked.followups[0].text
    assert clicked.followups[0].ephemeral
    assert "Stop" in labels(only(asked))
    await world.discord.click("Ada", only(asked), "Stop")
    await world.settled(asked)


async def test_moderator_may_stop_someone_elses_answer(world: World) -> None:
    asked = await running_answer(world, who="Grace")
    await world.discord.click("Ada", only(asked), "Stop")
    await world.settled(asked)
    assert "Stopped" in asked.text


async def test_regenerate_asks_the_same_again(world: World) -> None:
    world.provider.script(Answer(text="First."), Answer(text="Second."))
    asked = await world.ask("Hi.")
    again = await world.click(only(asked), "Regenerate")
    assert body(again) == "Second."
    assert world.prompts()[1:] == [("user", "Hi.")]
    await world.ask("Next.")
    texts = [text for _, text in world.prompts()]
    assert "Second." in texts
    assert "First." not in texts


async def test_regenerate_is_refused_to_others(world: World) -> None:
    asked = await world.ask("Hi.", who="Ada")
    clicked = await world.click(only(asked), "Regenerate", who="Grace")
    assert "someone else" in refusal(clicked)
    assert len(world.provider.chats) == 1


async def test_failed_answer_can_be_retried(world: World) -> None:
    world.provider.script(Status(status=400, code="odd"))
    asked = await world.ask("Hi.")
    assert "Retry" in labels(only(asked))
    again = await world.click(only(asked), "Retry")
    assert body(again) == "Hello from the scripted provider."


async def test_model_is_chosen_and_the_question_retried(world: World) -> None:
    world.provider.script(Status(status=404, code="model_not_found"))
    asked = await world.ask("Hi.")
    menu = await world.click(only(asked), "Choose model")
    (select,) = only(menu).components[0]["components"]
    chosen = await world.discord.select("Ada", only(menu), select["custom_id"], ["gpt-6-sol"])
    await chosen.acknowledged()
    await until(lambda: "Retry" in labels(only(menu)))
    assert "`gpt-6-sol`" in only(menu).text
    again = await world.click(only(menu), "Retry")
    assert body(again) == "Hello from the scripted provider."
    assert world.provider.chats[-1].body["model"] == "gpt-6-sol"
    await world.ask("And from now on?")
    assert world.provider.chats[-1].body["model"] == "gpt-6-sol"


async def test_forged_model_choice_is_refused(world: World) -> None:
    world.provider.script(Status(status=404, code="model_not_found"))
    asked = await world.ask("Hi.")
    menu = await world.click(only(asked), "Choose model")
    (select,) = only(menu).components[0]["components"]
    chosen = await world.discord.select("Ada", only(menu), select["custom_id"], ["evil-model"])
    await chosen.until(lambda seen: bool(seen.followups))
    assert "`evil-model`" in chosen.followups[0].text
    assert chosen.followups[0].ephemeral


async def test_button_of_a_cleared_turn_says_so(world: World) -> None:
    asked = await world.ask("Hi.")
    await world.run("clear")
    assert "cleared" in refusal(await world.click(only(asked), "Regenerate"))
    assert len(world.provider.chats) == 1


async def test_double_click_answers_once_at_a_time(world: World) -> None:
    asked = await world.ask("Hi.")
    stopped = await world.discord.click("Ada", only(asked), "cmp1:stop:" + "0" * 32 + ":")
    await stopped.until(lambda seen: bool(seen.followups))
    assert stopped.followups[0].ephemeral
