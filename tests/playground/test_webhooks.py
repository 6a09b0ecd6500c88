from __future__ import annotations

import io

import aiohttp
import msgspec
import pytest

from companion.playground.interaction import Interaction
from companion.playground.local_discord import LocalDiscord
from tests.playground.raw import Json, RawApp


async def deferred(local: LocalDiscord, app: RawApp, *, install: str = "guild") -> Interaction:
    interaction = await local.invoke("Ada", "general", "ask", install=install)
    await app.callback(interaction, 5)
    return interaction


def form_with_files(body: Json, *files: tuple[str, bytes]) -> aiohttp.FormData:
    form = aiohttp.FormData()
    form.add_field("payload_json", msgspec.json.encode(body).decode())
    for index, (name, content) in enumerate(files):
        form.add_field(f"files[{index}]", io.BytesIO(content), filename=name)
    return form


async def test_first_follow_up_fills_the_deferred_original(local: LocalDiscord, app: RawApp):
    interaction = await deferred(local, app)
    first = await app.webhook("POST", interaction, "", {"content": "first"})
    second = await app.webhook("POST", interaction, "", {"content": "second"})
    assert interaction.original is not None
    assert first.body["id"] == str(interaction.original.id)
    assert [m.content for m in local.messages("general")] == ["first", "second"]
    assert [m.content for m in interaction.followups] == ["second"]
    metadata = second.body["interaction_metadata"]
    assert metadata["original_response_message_id"] == first.body["id"]


async def test_webhook_is_unknown_before_the_acknowledgement(local: LocalDiscord, app: RawApp):
    interaction = await local.invoke("Ada", "general", "ask")
    answer = await app.webhook("POST", interaction, "", {"content": "early"})
    assert (answer.status, answer.code) == (404, 10015)


async def test_webhook_of_another_application_is_unknown(local: LocalDiscord, app: RawApp):
    interaction = await deferred(local, app)
    path = f"/webhooks/1/{interaction.token}"
    answer = await app.call_without_token("POST", path, {"content": "x"})
    assert answer.code == 10015


async def test_token_ends_after_fifteen_minutes(local: LocalDiscord, app: RawApp):
    interaction = await deferred(local, app)
    local.clock.advance(899)
    assert (await app.original("PATCH", interaction, {"content": "in time"})).status == 200
    local.clock.advance(1)
    answer = await app.original("PATCH", interaction, {"content": "late"})
    assert (answer.status, answer.code) == (401, 50027)
    assert [m.content for m in local.messages("general")] == ["in time"]


async def test_answer_that_never_comes_fails_when_the_token_ends(local: LocalDiscord, app: RawApp):
    interaction = await deferred(local, app)
    local.clock.advance(900)
    assert interaction.failed


async def test_original_can_be_read_and_deleted(local: LocalDiscord, app: RawApp):
    interaction = await deferred(local, app)
    assert (await app.original("GET", interaction)).body["flags"] == 128
    await app.original("PATCH", interaction, {"content": "x"})
    assert (await app.original("GET", interaction)).body["content"] == "x"
    assert (await app.original("DELETE", interaction)).status == 204
    assert local.messages("general") == []
    answer = await app.original("PATCH", interaction, {"content": "y"})
    assert (answer.status, answer.code) == (404, 10008)


async def test_follow_ups_can_be_read_edited_and_deleted(local: LocalDiscord, app: RawApp):
    interaction = await deferred(local, app)
    await app.webhook("POST", interaction, "", {"content": "original"})
    sent = await app.webhook("POST", interaction, "", {"content": "more", "flags": 64})
    place = f"/messages/{sent.body['id']}"
    edited = await app.webhook("PATCH", interaction, place, {"content": "changed"})
    assert edited.body["edited_timestamp"] is not None
    assert (await app.webhook("GET", interaction, place)).body["content"] == "changed"
    assert [m.content for m in local.messages("general")] == ["original"]
    assert (await app.webhook("DELETE", interaction, place)).status == 204
    assert (await app.webhook("GET", interaction, place)).code == 10008


async def test_message_of_another_interaction_is_not_there(local: LocalDiscord, app: RawApp):
    mine, other = await deferred(local, app), await deferred(local, app)
    assert other.original is not None
    place = f"/messages/{other.original.id}"
    answer = await app.webhook("PATCH", mine, place, {"content": "theft"})
    assert answer.code == 10008


async def test_user_installed_app_gets_five_follow_ups(local: LocalDiscord, app: RawApp):
    interaction = await deferred(local, app, install="user")
    await app.original("PATCH", interaction, {"content": "answer"})
    local.limits.sizes.webhook = None
    for _ in range(5):
        assert (await app.webhook("POST", interaction, "", {"content": "more"})).status == 200
    answer = await app.webhook("POST", interaction, "", {"content": "too much"})
    assert (answer.status, answer.code) == (400, 40094)


async def test_files_come_by_form_and_keep_their_bytes(local: LocalDiscord, app: RawApp):
    interaction = await deferred(local, app)
    body = {"content": "here", "attachments": [{"id": 0, "filename": "a.md", "description": "A"}]}
    await app.original("PATCH", interaction, form_with_files(body, ("x.bin", b"# hi")))
    [message] = local.messages("general")
    [attachment] = message.attachments
    assert (attachment.filename, attachment.description) == ("a.md", "A")
    async with app.session.get(attachment.url) as answer:
        assert await answer.read() == b"# hi"


async def test_edit_keeps_only_the_listed_attachments(local: LocalDiscord, app: RawApp):
    interaction = await deferred(local, app)
    await app.original("PATCH", interaction, form_with_files({}, ("a", b"1"), ("b", b"2")))
    assert interaction.original is not None
    first = interaction.original.attachments[0]
    await app.original("PATCH", interaction, {"attachments": [{"id": str(first.id)}]})
    assert interaction.original.attachments == [first]


async def test_file_above_the_limit_is_refused(local: LocalDiscord, app: RawApp):
    interaction = await deferred(local, app)
    form = form_with_files({}, ("big", bytes(10 * 1024 * 1024 + 1)))
    answer = await app.original("PATCH", interaction, form)
    assert (answer.status, answer.code) == (413, 40005)


async def test_deleted_channel_and_message_are_told_apart(local: LocalDiscord, app: RawApp):
    interaction = await deferred(local, app)
    local.faults.remove_original(interaction)
    assert (await app.original("PATCH", interaction, {"content": "x"})).code == 10008
    local.world.delete_channel("general")
    assert (await app.webhook("POST", interaction, "", {"content": "x"})).code == 10003
    assert (await app.original("PATCH", interaction, {"content": "x"})).code == 10003


@pytest.mark.parametrize("name", ["remove_webhook", "expire_token"])
async def test_webhook_can_be_taken_away(local: LocalDiscord, app: RawApp, name: str):
    interaction = await deferred(local, app)
    getattr(local.faults, name)(interaction)
    answer = await app.original("PATCH", interaction, {"content": "x"})
    assert answer.code == {"remove_webhook": 10015, "expire_token": 50027}[name]
