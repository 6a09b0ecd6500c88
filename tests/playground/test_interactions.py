from __future__ import annotations

import pytest

from companion.playground.interaction import InteractionFailed, InteractionState
from companion.playground.local_discord import LocalDiscord
from companion.playground.state import Upload
from companion.playground.vocabulary import Permission
from tests.playground.raw import Json, RawApp, identified

MODAL: Json = {
    "title": "Key",
    "custom_id": "key",
    "components": [
        {
            "type": 1,
            "components": [{"type": 4, "custom_id": "api_key", "label": "Key", "style": 1}],
        }
    ],
}
BUTTONS: list[Json] = [
    {
        "type": 1,
        "components": [
            {"type": 2, "style": 1, "label": "Stop", "custom_id": "stop"},
            {"type": 2, "style": 2, "label": "Off", "custom_id": "off", "disabled": True},
        ],
    }
]


# -- what arrives ------------------------------------------------------------------------


async def test_command_arrives_with_person_place_and_permissions(local: LocalDiscord, app: RawApp):
    guild = local.world.guild("Playground")
    async with identified(app) as gateway:
        await local.invoke("Grace", "general", "ask", {"prompt": "hi", "temperature": 0.5})
        data = await gateway.until("INTERACTION_CREATE")
    assert data["data"]["options"] == [
        {"name": "prompt", "type": 3, "value": "hi"},
        {"name": "temperature", "type": 10, "value": 0.5},
    ]
    assert data["guild_id"] == str(guild.id)
    assert data["context"] == 0
    assert data["authorizing_integration_owners"] == {"0": str(guild.id)}
    assert not int(data["member"]["permissions"]) & Permission.MANAGE_GUILD
    assert int(data["app_permissions"]) & Permission.SEND_MESSAGES
    assert data["attachment_size_limit"] == 10 * 1024 * 1024
    assert (data["locale"], data["entitlements"]) == ("en-US", [])


async def test_owner_may_manage_the_server(local: LocalDiscord, app: RawApp):
    async with identified(app) as gateway:
        await local.invoke("Ada", "general", "ask")
        data = await gateway.until("INTERACTION_CREATE")
    assert int(data["member"]["permissions"]) & Permission.MANAGE_GUILD


async def test_command_in_a_dm_has_a_user_and_no_server(local: LocalDiscord, app: RawApp):
    async with identified(app) as gateway:
        await local.invoke("Ada", local.world.dm("Ada"), "ask")
        data = await gateway.until("INTERACTION_CREATE")
    assert data["user"]["username"] == "ada"
    assert "member" not in data
    assert data["context"] == 1
    assert data["authorizing_integration_owners"] == {"0": "0"}


async def test_user_install_names_the_person_who_installed(local: LocalDiscord, app: RawApp):
    group = local.world.add_group_dm("Ada", "Grace")
    async with identified(app) as gateway:
        await local.invoke("Ada", group, "ask", install="user")
        data = await gateway.until("INTERACTION_CREATE")
    assert data["context"] == 2
    assert data["authorizing_integration_owners"] == {"1": str(local.world.person("Ada").id)}


async def test_attached_file_is_resolved_and_can_be_fetched(local: LocalDiscord, app: RawApp):
    await app.register("ask", options=[{"type": 11, "name": "attachment", "description": "A file"}])
    upload = Upload(filename="notes 1.txt", content=b"hello", content_type="text/plain")
    async with identified(app) as gateway:
        await local.invoke("Ada", "general", "ask", attachments=[upload])
        data = (await gateway.until("INTERACTION_CREATE"))["data"]
    [attachment] = data["resolved"]["attachments"].values()
    assert data["options"] == [{"name": "attachment", "type": 11, "value": attachment["id"]}]
    assert attachment["size"] == 5
    async with app.session.get(attachment["url"]) as answer:
        assert (answer.content_type, await answer.read()) == ("text/plain", b"hello")
    async with app.session.get(attachment["url"].partition("?")[0]) as answer:
        assert answer.status == 404


async def test_message_command_brings_its_message(local: LocalDiscord, app: RawApp):
    path = f"/applications/{local.application_id}/commands"
    await app.call("POST", path, {"name": "Ask about this", "type": 3})
    message = await local.say("Grace", "general", "what is this?")
    async with identified(app) as gateway:
        await local.invoke("Ada", "general", "Ask about this", target=message)
        data = (await gateway.until("INTERACTION_CREATE"))["data"]
    assert data["resolved"]["messages"][data["target_id"]]["content"] == "what is this?"


async def test_subcommand_follows_the_name(local: LocalDiscord, app: RawApp):
    inner = {"type": 3, "name": "period", "description": "When"}
    await app.register(
        "usage",
        options=[{"type": 1, "name": "show", "description": "Show", "options": [inner]}],
    )
    interaction = await local.invoke("Ada", "general", "usage show", {"period": "day"})
    [chosen] = interaction.data["options"]
    assert chosen == {
        "name": "show",
        "type": 1,
        "options": [{"name": "period", "type": 3, "value": "day"}],
    }


async def test_unknown_command_cannot_be_used(local: LocalDiscord):
    with pytest.raises(LookupError):
        await local.invoke("Ada", "general", "nothing")


# -- acknowledging -----------------------------------------------------------------------


async def test_answer_shows_at_once(local: LocalDiscord, app: RawApp):
    interaction = await local.invoke("Ada", "general", "ask")
    answer = await app.callback(interaction, 4, {"content": "hi"})
    assert (answer.status, answer.body) == (204, b"")
    [message] = local.messages("general")
    assert (await interaction.answered()).original is message
    assert (message.content, message.kind) == ("hi", 20)


async def test_with_response_returns_the_message(local: LocalDiscord, app: RawApp):
    interaction = await local.invoke("Ada", "general", "ask")
    path = f"/interactions/{interaction.id}/{interaction.token}/callback?with_response=true"
    body = {"type": 4, "data": {"content": "hi"}}
    answer = await app.call_without_token("POST", path, body)
    assert answer.status == 200
    assert answer.body["resource"]["message"]["content"] == "hi"
    assert answer.body["interaction"]["response_message_loading"] is False
    assert answer.headers["Content-Type"] == "application/json"


async def test_second_answer_is_refused(local: LocalDiscord, app: RawApp):
    interaction = await local.invoke("Ada", "general", "ask")
    await app.callback(interaction, 5)
    answer = await app.callback(interaction, 4, {"content": "again"})
    assert (answer.status, answer.code) == (400, 40060)


async def test_unacknowledged_interaction_fails_after_three_seconds(
    local: LocalDiscord, app: RawApp
):
    interaction = await local.invoke("Ada", "general", "ask")
    local.clock.advance(3)
    assert interaction.state is InteractionState.FAILED
    assert interaction.error == "The application did not respond"
    answer = await app.callback(interaction, 5)
    assert (answer.status, answer.code) == (404, 10062)
    with pytest.raises(InteractionFailed, match="did not respond"):
        await interaction.acknowledged()


async def test_it_fails_in_real_time_too(local: LocalDiscord, app: RawApp):
    local.interactions.acknowledge_within_s = 0.05
    interaction = await local.invoke("Ada", "general", "ask")
    await interaction.until(lambda seen: seen.failed)


async def test_wrong_token_is_an_unknown_interaction(local: LocalDiscord, app: RawApp):
    interaction = await local.invoke("Ada", "general", "ask")
    path = f"/interactions/{interaction.id}/wrong/callback"
    answer = await app.call_without_token("POST", path, {"type": 5})
    assert answer.code == 10062


@pytest.mark.parametrize("kind", [1, 6, 7, 8, 99, None])
async def test_answer_of_a_wrong_kind_is_refused(
    local: LocalDiscord, app: RawApp, kind: int | None
):
    interaction = await local.invoke("Ada", "general", "ask")
    path = f"/interactions/{interaction.id}/{interaction.token}/callback"
    answer = await app.call_without_token("POST", path, {"type": kind})
    assert answer.code == 50035
    assert answer.error_codes("type") == ["BASE_TYPE_CHOICES"]
    assert interaction.acknowledged_at is None


# -- deferring ---------------------------------------------------------------------------


async def test_deferred_answer_thinks_until_it_is_edited(local: LocalDiscord, app: RawApp):
    interaction = await local.invoke("Ada", "general", "ask")
    await app.callback(interaction, 5)
    [message] = local.messages("general")
    assert message.thinking
    assert interaction.state is InteractionState.THINKING
    await app.original("PATCH", interaction, {"content": "done"})
    assert not message.thinking
    assert (message.content, message.edited_at) == ("done", None)
    assert interaction.state is InteractionState.ANSWERED


async def test_ephemerality_is_fixed_at_the_defer(local: LocalDiscord, app: RawApp):
    interaction = await local.invoke("Ada", "general", "ask")
    await app.callback(interaction, 5, {"flags": 64})
    await app.webhook("POST", interaction, "", {"content": "public?", "flags": 0})
    assert local.messages("general") == []
    assert local.messages("general", seen_by="Grace") == []
    [mine] = local.messages("general", seen_by="Ada")
    assert (mine.content, mine.ephemeral) == ("public?", True)


async def test_public_defer_stays_public(local: LocalDiscord, app: RawApp):
    interaction = await local.invoke("Ada", "general", "ask")
    await app.callback(interaction, 5)
    await app.webhook("POST", interaction, "", {"content": "hidden?", "flags": 64})
    [message] = local.messages("general", seen_by="Grace")
    assert (message.content, message.ephemeral) == ("hidden?", False)


async def test_answers_turn_ephemeral_where_external_apps_are_denied(
    local: LocalDiscord, app: RawApp
):
    ada_only = Permission.VIEW_CHANNEL | Permission.USE_APPLICATION_COMMANDS
    local.admin.set_everyone(local.world.guild("Playground"), ada_only)
    interaction = await local.invoke("Grace", "general", "ask", install="user")
    await app.callback(interaction, 4, {"content": "hi"})
    assert local.messages("general") == []
    assert len(local.messages("general", seen_by="Grace")) == 1


# -- modals, components, autocompletion ----------------------------------------------------


async def test_modal_opens_and_is_submitted(local: LocalDiscord, app: RawApp):
    interaction = await local.invoke("Ada", "general", "ask")
    await app.callback(interaction, 9, MODAL)
    assert interaction.modal is not None
    async with identified(app) as gateway:
        sent = await local.submit_modal(interaction, {"api_key": "sk-1"})
        data = await gateway.until("INTERACTION_CREATE")
    assert data["type"] == 5
    row = data["data"]["components"][0]
    assert row["components"][0]["value"] == "sk-1"
    await app.callback(sent, 4, {"content": "saved", "flags": 64})
    assert [m.content for m in local.messages("general", seen_by="Ada")] == ["saved"]


@pytest.mark.parametrize("first", [5, 9])
async def test_modal_answers_neither_after_a_defer_nor_to_a_modal(
    local: LocalDiscord, app: RawApp, first: int
):
    interaction = await local.invoke("Ada", "general", "ask")
    await app.callback(interaction, first, MODAL if first == 9 else None)
    if first == 9:
        interaction = await local.submit_modal(interaction, {})
    answer = await app.callback(interaction, 9, MODAL)
    assert answer.code == (50035 if first == 9 else 40060)


async def with_buttons(local: LocalDiscord, app: RawApp):
    interaction = await local.invoke("Ada", "general", "ask")
    await app.callback(interaction, 4, {"content": "running", "components": BUTTONS})
    assert interaction.original is not None
    return interaction.original


async def test_click_by_label_updates_the_message(local: LocalDiscord, app: RawApp):
    message = await with_buttons(local, app)
    async with identified(app) as gateway:
        click = await local.click("Grace", message, "Stop")
        data = await gateway.until("INTERACTION_CREATE")
    assert (data["data"]["custom_id"], data["data"]["component_type"]) == ("stop", 2)
    assert data["message"]["id"] == str(message.id)
    await app.callback(click, 7, {"content": "stopped", "components": []})
    assert (message.content, message.components) == ("stopped", [])


async def test_deferred_update_leaves_the_message_and_allows_an_edit(
    local: LocalDiscord, app: RawApp
):
    message = await with_buttons(local, app)
    click = await local.click("Ada", message, "stop")
    await app.callback(click, 6)
    assert message.content == "running"
    assert not message.thinking
    await app.original("PATCH", click, {"content": "later"})
    assert message.content == "later"


async def test_disabled_button_cannot_be_clicked(local: LocalDiscord, app: RawApp):
    message = await with_buttons(local, app)
    with pytest.raises(LookupError, match="disabled"):
        await local.click("Ada", message, "Off")


async def test_forged_custom_id_is_sent_as_given(local: LocalDiscord, app: RawApp):
    message = await with_buttons(local, app)
    click = await local.click("Grace", message, "forged:1")
    assert click.data["custom_id"] == "forged:1"


async def test_select_sends_values_and_what_they_mean(local: LocalDiscord, app: RawApp):
    rows = [{"type": 1, "components": [{"type": 5, "custom_id": "who"}]}]
    interaction = await local.invoke("Ada", "general", "ask")
    await app.callback(interaction, 4, {"content": "who?", "components": rows})
    assert interaction.original is not None
    grace = local.world.person("Grace")
    chosen = await local.select("Ada", interaction.original, "who", [grace])
    assert chosen.data["values"] == [str(grace.id)]
    assert chosen.data["resolved"]["users"][str(grace.id)]["username"] == "grace"


async def test_suggestions_reach_the_caller(local: LocalDiscord, app: RawApp):
    interaction = await local.begin_autocomplete("Ada", "general", "ask", {"model": "gp"}, "model")
    assert interaction.data["options"] == [
        {"name": "model", "type": 3, "value": "gp", "focused": True}
    ]
    choices = [{"name": "GPT", "value": "gpt"}]
    await app.callback(interaction, 8, {"choices": choices})
    assert (await interaction.answered()).choices == choices


@pytest.mark.parametrize(
    "choices",
    [
        [{"name": f"{n}", "value": f"{n}"} for n in range(26)],
        [{"name": "n" * 101, "value": "v"}],
        [{"name": "n", "value": 1}],
        [{"name": "n", "value": "v" * 101}],
        None,
    ],
)
async def test_invalid_suggestions_fail_visibly(local: LocalDiscord, app: RawApp, choices: object):
    interaction = await local.begin_autocomplete("Ada", "general", "ask", {}, "model")
    answer = await app.callback(interaction, 8, {"choices": choices})
    assert answer.code == 50035
    local.clock.advance(3)
    assert interaction.error == "Loading options failed"
