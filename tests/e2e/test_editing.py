from __future__ import annotations

from companion.playground.state import Message
from companion.playground.vocabulary import MEMBER_DEFAULTS, Permission
from tests.e2e.conftest import Opener
from tests.e2e.world import World, body, labels, only, refusal, until
from tests.support.provider_script import Answer

HELLO = "Hello from the scripted provider."


def users(world: World) -> list[str]:
    return [text for role, text in world.prompts() if role == "user"]


async def test_edited_message_is_answered_anew_in_place(world: World) -> None:
    dm = world.discord.world.dm("Ada")
    world.provider.script(Answer(text="A long one. " * 400), Answer(text="Short."))
    said = await world.say("First.", where=dm)
    assert len(await world.heard(said)) > 2
    await world.discord.edit("Ada", said, "Second.")
    await until(lambda: [body(each) for each in world.below(said)] == ["Short."])
    assert users(world) == ["Second."]
    await world.heard(await world.say("Third.", where=dm))
    assert users(world) == ["Second.", "Third."]


async def test_edit_of_an_older_message_changes_nothing(world: World) -> None:
    dm = world.discord.world.dm("Ada")
    first = await world.say("First.", where=dm)
    await world.heard(first)
    await world.heard(await world.say("Second.", where=dm))
    await world.discord.edit("Ada", first, "Changed.")
    await world.heard(await world.say("Third.", where=dm))
    assert users(world) == ["First.", "Second.", "Third."]


async def test_deleted_message_takes_its_answers_and_its_turn_along(world: World) -> None:
    dm = world.discord.world.dm("Ada")
    world.provider.script(Answer(text="A long one. " * 400))
    said = await world.say("First.", where=dm)
    await world.heard(said)
    await world.discord.delete("Ada", said)
    await until(lambda: world.below(said) == [])
    await world.heard(await world.say("Second.", where=dm))
    assert users(world) == ["Second."]


async def test_delete_button_forgets_the_turn_and_its_messages(world: World) -> None:
    world.provider.script(Answer(text="A long one. " * 400))
    asked = await world.ask("First.", who="Grace")
    (clicked,) = [m for m in asked.messages if "Delete" in labels(m)]
    await world.discord.click("Grace", clicked, "Delete")
    await until(lambda: not any(m.text.startswith("A long") for m in general(world)))
    await world.ask("Second.", who="Grace")
    assert users(world) == ["Second."]


async def test_delete_is_refused_to_others(world: World) -> None:
    asked = await world.ask("First.", who="Ada")
    clicked = await world.discord.click("Grace", only(asked), "Delete")
    await clicked.until(lambda seen: bool(seen.followups))
    assert "someone else" in clicked.followups[0].text
    assert only(asked) in general(world)


async def test_moderators_may_delete_but_not_set_up(world: World) -> None:
    guild = world.discord.world.guild("Playground")
    role = world.discord.admin.add_role(guild, "Mods", MEMBER_DEFAULTS | Permission.MANAGE_MESSAGES)
    world.discord.admin.give_role(guild, "Grace", role)
    asked = await world.ask("First.", who="Ada")
    answer = only(asked)
    await world.discord.click("Grace", answer, "Delete")
    await until(lambda: answer not in general(world))
    assert "manage" in refusal(await world.run("settings", who="Grace"))


async def test_other_model_answers_the_same_again(world: World) -> None:
    asked = await world.ask("Hi.")
    menu = await world.click(only(asked), "Other model")
    assert only(menu).ephemeral
    (select,) = only(menu).components[0]["components"]
    picked = await world.discord.select("Ada", only(menu), select["custom_id"], ["gpt-6-sol"])
    await world.settled(picked)
    assert world.provider.chats[-1].body["model"] == "gpt-6-sol"
    assert users(world) == ["Hi."]
    assert not only(picked).ephemeral
    # the menu was Ada's alone: others would not know where this answer comes from
    assert picked.text.startswith("-# **Ada** asked `gpt-6-sol` the same question\n")


async def test_private_answer_stays_private_with_another_model(world: World) -> None:
    asked = await world.ask("Hi.", private=True)
    assert "Thread" not in labels(only(asked))
    menu = await world.click(only(asked), "Other model")
    (select,) = only(menu).components[0]["components"]
    picked = await world.discord.select("Ada", only(menu), select["custom_id"], ["gpt-6-sol"])
    assert only(await world.settled(picked)).ephemeral


async def test_reply_to_an_older_answer_branches(opener: Opener) -> None:
    async with opener(message_content=True) as world:
        first = await world.ask("First.", who="Grace")
        await world.ask("Second.", who="Grace")
        said = await world.say("Third.", who="Grace", reply_to=only(first))
        (answer,) = [m for m in await world.heard(said) if m.reply_to is said]
        assert users(world) == ["First.", "Third."]
        said = await world.say("Fourth.", who="Grace", reply_to=answer)
        await world.heard(said)
        assert users(world) == ["First.", "Third.", "Fourth."]


async def test_managers_set_chat_channels_and_everything_there_is_answered(
    opener: Opener,
) -> None:
    async with opener(message_content=True) as world:
        panel = await world.run("settings", who="Ada")
        assert only(panel).ephemeral
        (select,) = only(panel).components[0]["components"]
        random = world.discord.world.channel("random")
        chosen = await world.discord.select("Ada", only(panel), select["custom_id"], [random])
        await chosen.acknowledged()
        await until(lambda: f"<#{random.id}>" in only(panel).text, 15.0)
        said = await world.say("Anybody here?", who="Grace", where=random)
        assert body((await world.heard(said))[0]) == HELLO
        assert await world.ignored(await world.say("Anybody here?", who="Grace"))


async def test_settings_are_for_managers_only(world: World) -> None:
    told = refusal(await world.run("settings", who="Grace"))
    assert "manage" in told


def general(world: World) -> list[Message]:
    return list(world.discord.messages("general"))
