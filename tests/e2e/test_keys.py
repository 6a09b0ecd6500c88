from __future__ import annotations

import pytest

from tests.e2e.conftest import Opener
from tests.e2e.world import World, body, footer, labels, only, refusal
from tests.support.provider_script import MISSING_SCOPES, NO_CREDIT, WRONG_KEY, Behaviour, Reset
from tests.support.wiring import OPERATOR_KEY

KEY = "sk-proj-" + "a" * 40 + "WXYZ"
OLD = "sk-proj-" + "b" * 40 + "OLDK"


async def test_good_key_is_saved_and_pays(world: World) -> None:
    told = refusal(await world.set_key(KEY))
    assert "saved" in told
    assert "`…WXYZ`" in told
    asked = await world.ask("Hi.")
    assert world.provider.chats[-1].key == KEY
    assert footer(asked).endswith("your key")


async def test_wrong_key_is_not_saved_and_the_old_one_stays(world: World) -> None:
    await world.set_key(OLD)
    world.provider.models_status = WRONG_KEY
    told = refusal(await world.set_key(KEY))
    assert "didn't save" in told
    assert "`…OLDK`" in told
    assert await world.key_hint() == "…OLDK"


@pytest.mark.parametrize("answer", [Reset(), MISSING_SCOPES, NO_CREDIT])
async def test_doubtful_key_is_saved_with_a_sentence(world: World, answer: Behaviour) -> None:
    world.provider.models_status = answer
    told = refusal(await world.set_key(KEY))
    assert "is saved" in told
    assert "The provider accepts it.\n" not in told
    assert await world.key_hint() == "…WXYZ"


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("sk-abc\ndef-0123456789", "blank or a line break"),
        ("sk abc def", "blank or a line break"),
        ("sk-", "too short"),
        ("k" * 3000, "too long"),
        ("sk-ключ-0123456789", "characters"),
    ],
)
async def test_what_is_no_key_is_explained(world: World, typed: str, said: str) -> None:
    await world.set_key(OLD)
    told = refusal(await world.set_key(typed))
    assert said in told
    assert typed not in told
    assert await world.key_hint() == "…OLDK"


async def test_hidden_line_breaks_around_a_key_do_no_harm(world: World) -> None:
    await world.set_key(f"\u200b {KEY}\r\n")
    await world.ask("Hi.")
    assert world.provider.chats[-1].key == KEY


@pytest.mark.parametrize("typed", ["", "   ", "\n"])
async def test_empty_key_changes_nothing_and_shows_what_there_is(world: World, typed: str) -> None:
    await world.set_key(OLD)
    told = refusal(await world.set_key(typed))
    assert "nothing changed" in told
    assert "`…OLDK`" in told


async def test_form_submitted_by_someone_else_saves_nothing(world: World) -> None:
    form = await world.run("setkey", who="Ada")
    sent = await world.discord.submit_modal(form, {"api_key": KEY}, person="Grace")
    told = refusal(await sent.answered())
    assert "someone else" in told
    assert await world.key_hint("Ada") is None
    assert await world.key_hint("Grace") is None


async def test_time_never_offered_is_refused(world: World) -> None:
    told = refusal(await world.set_key(KEY, keep_for="forever"))
    assert "`keep_for:forever`" in told
    assert await world.key_hint() is None


async def test_key_for_this_session_never_reaches_the_disk(world: World) -> None:
    told = refusal(await world.set_key(KEY, keep_for="session"))
    assert "in memory only" in told
    assert await world.key_hint() is None
    await world.ask("Hi.")
    assert world.provider.chats[-1].key == KEY


async def test_key_is_removed_by_its_button(world: World) -> None:
    saved = await world.set_key(KEY)
    assert labels(only(saved)) == ["Remove key"]
    assert "deleted" in refusal(await world.click(only(saved), "Remove key"))
    assert await world.key_hint() is None
    await world.ask("Hi.")
    assert world.provider.chats[-1].key == OPERATOR_KEY


async def test_server_key_is_only_for_managers(world: World) -> None:
    told = refusal(await world.run("setkey", who="Grace", scope="server"))
    assert "manage" in told
    form = await world.run("setkey", who="Ada", scope="server")
    assert form.modal is not None
    assert "server" in form.modal["title"].lower()


async def test_server_key_pays_for_others_there(opener: Opener) -> None:
    async with opener(operator_key=None) as world:
        await world.set_key(KEY, who="Ada", scope="server")
        asked = await world.ask("Hi.", who="Grace")
        assert world.provider.chats[-1].key == KEY
        assert footer(asked).endswith("this server's key")


async def test_manager_removes_the_servers_key_from_help(opener: Opener) -> None:
    async with opener(operator_key=None) as world:
        await world.set_key(KEY, who="Ada", scope="server")
        helped = await world.run("help", who="Ada")
        assert "This server's key: `…WXYZ`" in refusal(helped)
        await world.click(only(helped), "Remove server key")
        assert "*Set key*" in refusal(await world.ask("Hi.", who="Grace"))
        assert "server's key" not in (await world.run("help", who="Grace")).text


async def test_forged_form_for_the_server_is_refused(world: World) -> None:
    form = await world.run("setkey", who="Grace")
    assert form.modal is not None
    form.modal["custom_id"] = form.modal["custom_id"].replace(":me:", ":server:")
    sent = await world.discord.submit_modal(form, {"api_key": KEY})
    assert "manage" in refusal(await sent.answered())
    asked = await world.ask("Hi.", who="Ada")
    assert world.provider.chats[-1].key == OPERATOR_KEY
    assert body(asked)


async def test_no_key_at_all_says_how_to_add_one(opener: Opener) -> None:
    async with opener(operator_key=None) as world:
        asked = await world.ask("Hi.")
        assert "*Set key*" in refusal(asked)
        opened = await world.click(only(asked), "Set key")
        assert opened.modal is not None
        sent = await world.discord.submit_modal(opened, {"api_key": KEY})
        assert "is saved" in refusal(await sent.answered())
        assert world.provider.chats == []


async def test_form_can_be_opened_in_a_direct_message(world: World) -> None:
    dm = world.discord.world.dm("Ada")
    form = await world.run("setkey", where=dm)
    sent = await world.discord.submit_modal(form, {"api_key": KEY})
    assert "is saved" in refusal(await sent.answered())
