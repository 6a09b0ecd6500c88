from __future__ import annotations

from companion.playground.state import Upload
from companion.playground.threads import new_thread
from companion.playground.vocabulary import Permission
from tests.e2e.world import BUTTONS, FOOTER, World, body, footer, labels, only, refusal
from tests.support.provider_script import Answer
from tests.support.wiring import MODEL


async def test_answer_streams_whole_and_in_order(world: World) -> None:
    text = " ".join(f"word{number}" for number in range(120))
    world.provider.default = Answer(text=text, tokens_per_s=400)
    asked = await world.ask("Count.")
    assert body(asked) == text
    assert labels(only(asked)) == BUTTONS


async def test_footer_says_model_tokens_cost_time_and_payer(world: World) -> None:
    world.provider.default = Answer(
        text="Hi.", usage={"prompt_tokens": 1200, "completion_tokens": 34, "total_tokens": 1234}
    )
    asked = await world.ask("Hello?")
    facts = footer(asked).removeprefix("-# ").split(" · ")
    assert facts[0] == MODEL
    assert facts[1] == "1,234 tokens"
    assert facts[-1] == "shared key"
    assert facts[-2].endswith(" s")


async def test_missing_usage_is_marked_as_an_estimate(world: World) -> None:
    world.provider.default = Answer(text="Hi.", usage=None)
    assert "≈" in footer(await world.ask("Hello?"))


async def test_next_question_knows_the_last_turn(world: World) -> None:
    world.provider.default = Answer(text="Noted.")
    await world.ask("My cat is called Ada.")
    await world.ask("What is my cat called?")
    assert world.prompts()[1:] == [
        ("user", "My cat is called Ada."),
        ("assistant", "Noted."),
        ("user", "What is my cat called?"),
    ]


async def test_two_people_in_one_channel_are_not_mixed(world: World) -> None:
    await world.ask("Ada's secret.", who="Ada")
    await world.ask("Grace asks.", who="Grace")
    assert [text for role, text in world.prompts() if role == "user"] == ["Grace asks."]


async def test_two_channels_are_not_mixed(world: World) -> None:
    await world.ask("In general.", where="general")
    await world.ask("In random.", where="random")
    assert [text for role, text in world.prompts() if role == "user"] == ["In random."]


async def test_private_answer_is_only_seen_by_who_asked(world: World) -> None:
    asked = await world.ask("Psst.", private=True)
    assert only(asked).ephemeral
    assert world.discord.messages("general", seen_by="Grace") == []
    again = await world.click(only(asked), "Regenerate")
    assert only(again).ephemeral


async def test_every_part_of_a_long_private_answer_stays_private(world: World) -> None:
    world.provider.default = Answer(text="lorem ipsum " * 600)
    asked = await world.ask("Psst.", private=True)
    assert len(asked.messages) > 2
    assert all(message.ephemeral for message in asked.messages)
    assert world.discord.messages("general", seen_by="Grace") == []


async def test_options_reach_the_provider(world: World) -> None:
    await world.ask("Hi.", model="gpt-6-sol", temperature=0.5, max_tokens=50)
    sent = world.provider.chats[-1].body
    assert sent["model"] == "gpt-6-sol"
    assert sent["temperature"] == 0.5
    assert 50 in (sent.get("max_tokens"), sent.get("max_completion_tokens"))


async def test_refused_option_is_left_out_and_said(world: World) -> None:
    world.provider.refuse("temperature")
    asked = await world.ask("Hi.", temperature=1.5)
    assert "temperature" in footer(asked)
    assert body(asked) == "Hello from the scripted provider."


async def test_sixty_thousand_characters_arrive_complete(world: World) -> None:
    world.discord.limits.sizes.webhook = None  # else Discord takes five messages in five seconds
    text = "\n".join(f"{number:05} {'lorem ipsum ' * 4}" for number in range(1100))[:60_000]
    world.provider.default = Answer(text=text, chunk=2000)
    asked = await world.ask("Tell me everything.")
    assert all(len(message.content) <= 2000 for message in asked.messages)
    shown = FOOTER.sub("", "\n".join(message.content for message in asked.messages))
    assert shown.split() == text.split()
    assert labels(asked.messages[-1]) == BUTTONS


async def test_attached_text_is_read(world: World) -> None:
    notes = Upload(filename="notes.txt", content=b"the password of the day is swordfish")
    await world.ask("What does it say?", uploads=(notes,))
    assert "swordfish" in world.prompts()[-1][1]


async def test_file_of_a_foreign_kind_is_refused(world: World) -> None:
    blob = Upload(filename="a.bin", content=bytes(range(256)))
    asked = await world.ask("Read it.", uploads=(blob,))
    assert "`a.bin`" in refusal(asked)
    assert world.provider.chats == []


async def test_user_installed_app_answers_elsewhere(world: World) -> None:
    asked = await world.ask("Hi.", install="user")
    assert body(asked) == "Hello from the scripted provider."


async def test_answer_that_had_to_be_private_says_why(world: World) -> None:
    for role in world.discord.world.guild("Playground").roles.values():
        role.permissions &= ~Permission.USE_EXTERNAL_APPS
    asked = await world.ask("Hi.", who="Grace", install="user")
    assert only(asked).ephemeral
    assert "Only you see this" in footer(asked)


async def test_thread_has_a_conversation_of_its_own(world: World) -> None:
    await world.ask("In the channel.")
    places = world.discord.world
    thread = new_thread(places, places.channel("general"), places.person("Ada"), "Talk")
    await world.ask("In the thread.", where=thread)
    assert [text for role, text in world.prompts() if role == "user"] == [
        "From: Ada\nIn the thread."
    ]


async def test_models_are_suggested_while_typing(world: World) -> None:
    await world.ask("Warm up the list of models.")
    found = await world.discord.autocomplete("Ada", "general", "ask", {"model": "sol"}, "model")
    assert {choice["value"] for choice in found} >= {"gpt-6-sol", "gpt-6.1-sol"}
    assert all(len(choice["name"]) <= 100 for choice in found)
    assert len(found) <= 25


async def test_operator_instructions_come_first(world: World) -> None:
    await world.ask("Hi.")
    role, text = world.prompts()[0]
    assert role in {"system", "developer"}
    assert text.startswith("Be brief.")
