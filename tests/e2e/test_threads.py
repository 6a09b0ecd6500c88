from __future__ import annotations

from companion.playground.state import Channel, Message
from companion.playground.vocabulary import Permission
from tests.e2e.conftest import Opener
from tests.e2e.world import World, body, labels, only, refusal, until
from tests.support.provider_script import Answer

TITLE = Answer(text="Tides and the moon")


def threads(world: World) -> list[Channel]:
    guild = world.discord.world.guild("Playground")
    return world.discord.world.channels_of(guild, threads=True)


async def three_turns(world: World, who: str = "Grace") -> None:
    for number in range(3):
        await world.ask(f"Question {number}?", who=who)


async def test_third_turn_moves_the_conversation_to_a_titled_thread(world: World) -> None:
    world.provider.script(*[Answer(text=f"Answer {n}.") for n in range(3)], TITLE)
    await three_turns(world)
    await until(lambda: bool(threads(world)) and threads(world)[0].name == TITLE.text)
    (thread,) = threads(world)
    assert any(f"<#{thread.id}>" in m.text for m in world.discord.messages("general"))
    assert grace(world) in people_in(thread)
    assert world.discord.pings == []
    said = await world.say(f"{mention(world)} And now?", who="Ada", where=thread)
    await world.heard(said)
    texts = [text for _, text in world.prompts()]
    assert "Answer 2." in texts
    assert "Ada" in texts[-1]


async def test_title_never_delays_the_answer(world: World) -> None:
    world.provider.script(*[Answer(text="Ok.")] * 3, Answer(text="Title " * 9, tokens_per_s=1))
    await three_turns(world)
    await until(lambda: [thread.name for thread in threads(world)] == ["Question 2?"])


async def test_conversation_is_moved_by_itself_only_once(world: World) -> None:
    await three_turns(world)
    await until(lambda: len(threads(world)) == 1)
    await world.ask("Question 4?", who="Grace")
    await world.ask("Question 5?", who="Grace")
    assert len(threads(world)) == 1


async def test_answer_that_was_stopped_moves_nothing(world: World) -> None:
    await world.ask("Question 0?", who="Grace")
    await world.ask("Question 1?", who="Grace")
    world.provider.script(Answer(text="tick " * 400, tokens_per_s=40))
    asked = await world.start("ask", who="Grace", prompt="Question 2?")
    await asked.until(lambda seen: seen.original is not None and "tick" in seen.text)
    await world.discord.click("Grace", only(asked), "Stop")
    await world.settled(asked)
    await until(lambda: not world.door.busy)
    assert threads(world) == []


async def test_long_answer_moves_at_once(world: World) -> None:
    world.provider.script(Answer(text="A long story. " * 420))
    await world.ask("Tell me a story.", who="Grace")
    await until(lambda: len(threads(world)) == 1)


async def test_private_answers_and_direct_messages_are_never_moved(world: World) -> None:
    dm = world.discord.world.dm("Ada")
    for number in range(4):
        await world.ask(f"Question {number}?", private=True)
        await world.ask(f"Question {number}?", where=dm)
    assert threads(world) == []


async def test_without_the_right_to_it_says_so_once(world: World) -> None:
    guild = world.discord.world.guild("Playground")
    role = next(role for role in guild.roles.values() if role.bot_id)
    world.discord.admin.overwrite("general", role, deny=Permission.CREATE_PUBLIC_THREADS)
    await three_turns(world)
    await three_turns(world, who="Ada")
    await until(lambda: bool(excuses(world)))
    assert len(excuses(world)) == 1
    assert threads(world) == []


async def test_full_server_falls_back_to_the_channel(
    world: World,
) -> None:
    world.discord.world.guild("Playground").most_threads = 0
    await three_turns(world)
    await until(lambda: any("open threads" in m.text for m in world.discord.messages("general")))
    assert threads(world) == []


async def test_thread_button_moves_and_a_second_click_finds_the_thread(world: World) -> None:
    asked = await world.ask("Tides?", who="Grace")
    assert "Thread" in labels(only(asked))
    clicked = await world.click(only(asked), "Thread", who="Grace")
    (thread,) = threads(world)
    assert f"<#{thread.id}>" in clicked.text
    again = await world.click(only(asked), "Thread", who="Grace")
    assert f"<#{thread.id}>" in again.text


async def test_thread_button_is_refused_to_others(world: World) -> None:
    asked = await world.ask("Tides?", who="Ada")
    assert "someone else" in refusal(await world.click(only(asked), "Thread", who="Grace"))
    assert threads(world) == []


async def test_messages_in_the_apps_thread_need_no_mention(opener: Opener) -> None:
    async with opener(message_content=True) as world:
        asked = await world.ask("Tides?", who="Grace")
        await world.click(only(asked), "Thread", who="Grace")
        (thread,) = threads(world)
        await until(lambda: bool(world.discord.messages(thread)))
        said = await world.say("And the moon?", who="Ada", where=thread)
        answers = await world.heard(said)
        assert any(body(answer) == "Hello from the scripted provider." for answer in answers)
        assert "Thread" not in labels(answers[-1])


def excuses(world: World) -> list[Message]:
    return [m for m in world.discord.messages("general") if "Create Public Threads" in m.text]


def people_in(thread: Channel) -> set[int]:
    assert thread.thread is not None
    return set(thread.thread.members)


def grace(world: World) -> int:
    return world.discord.world.person("Grace").id


def mention(world: World) -> str:
    return f"<@{world.discord.application_id}>"
