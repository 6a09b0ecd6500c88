from __future__ import annotations

import pytest

from companion.playground.local_discord import LocalDiscord
from companion.playground.vocabulary import Intent, Permission
from tests.playground.raw import Answer, Json, RawApp, identified


def place(local: LocalDiscord, suffix: str = "", channel: str = "general") -> str:
    return f"/channels/{local.world.channel(channel).id}/messages{suffix}"


async def send(local: LocalDiscord, app: RawApp, **body: object) -> Answer:
    return await app.call("POST", place(local), body)


# -- what a message may be ---------------------------------------------------------------


async def test_content_has_2000_characters_at_most(local: LocalDiscord, app: RawApp):
    assert (await send(local, app, content="x" * 2000)).status == 200
    answer = await send(local, app, content="x" * 2001)
    assert (answer.status, answer.code) == (400, 50035)
    assert answer.error_codes("content") == ["BASE_TYPE_MAX_LENGTH"]


@pytest.mark.parametrize("body", [{}, {"content": ""}, {"content": " \n "}, {"embeds": []}])
async def test_empty_message_is_refused(local: LocalDiscord, app: RawApp, body: Json):
    answer = await send(local, app, **body)
    assert (answer.status, answer.code) == (400, 50006)


async def test_edit_to_nothing_is_refused_and_changes_nothing(local: LocalDiscord, app: RawApp):
    sent = await send(local, app, content="text")
    answer = await app.call("PATCH", place(local, f"/{sent.body['id']}"), {"content": ""})
    assert answer.code == 50006
    assert [m.content for m in local.messages("general")] == ["text"]


async def test_outer_white_space_is_trimmed(local: LocalDiscord, app: RawApp):
    assert (await send(local, app, content="\n a b \n")).body["content"] == "a b"


@pytest.mark.parametrize(
    ("embed", "path"),
    [
        ({"title": "x" * 257}, ("embeds", 0, "title")),
        ({"description": "x" * 4097}, ("embeds", 0, "description")),
        ({"footer": {"text": "x" * 2049}}, ("embeds", 0, "footer", "text")),
        ({"author": {"name": "x" * 257}}, ("embeds", 0, "author", "name")),
        ({"fields": [{"name": "", "value": "v"}]}, ("embeds", 0, "fields", 0, "name")),
        ({"fields": [{"name": "n", "value": "x" * 1025}]}, ("embeds", 0, "fields", 0, "value")),
        ({"fields": [{"name": "n", "value": "v"}] * 26}, ("embeds", 0, "fields")),
        ({"title": "t", "url": "javascript:1"}, ("embeds", 0, "url")),
        ({"title": "t", "color": 1 << 24}, ("embeds", 0, "color")),
    ],
)
async def test_embed_beyond_a_limit_is_refused(
    local: LocalDiscord, app: RawApp, embed: Json, path: tuple[str | int, ...]
):
    answer = await send(local, app, embeds=[embed])
    assert answer.code == 50035
    assert answer.error_codes(*path)


async def test_embeds_together_have_6000_characters(local: LocalDiscord, app: RawApp):
    answer = await send(local, app, embeds=[{"description": "x" * 3001}] * 2)
    assert answer.error_codes("embeds") == ["MAX_EMBED_SIZE_EXCEEDED"]


async def test_broken_json_is_refused(local: LocalDiscord, app: RawApp):
    url = f"{local.api_url}/v10{place(local)}"
    headers = {"Authorization": f"Bot {local.token}", "Content-Type": "application/json"}
    async with app.session.post(url, data=b"{", headers=headers) as answer:
        assert (answer.status, (await answer.json())["code"]) == (400, 50109)


# -- create, read, edit, delete ------------------------------------------------------------


async def test_wrong_token_is_unauthorized(local: LocalDiscord, app: RawApp):
    answer = await app.call("POST", place(local), {"content": "x"}, token="wrong")
    assert answer.status == 401
    assert local.messages("general") == []


async def test_same_nonce_gives_the_same_message(local: LocalDiscord, app: RawApp):
    first = await send(local, app, content="once", nonce="n1", enforce_nonce=True)
    second = await send(local, app, content="twice", nonce="n1", enforce_nonce=True)
    assert first.body["id"] == second.body["id"]
    assert [m.content for m in local.messages("general")] == ["once"]


async def test_nonce_without_enforcement_is_only_echoed(local: LocalDiscord, app: RawApp):
    for _ in range(2):
        assert (await send(local, app, content="x", nonce="n1")).body["nonce"] == "n1"
    assert len(local.messages("general")) == 2


async def test_reply_names_its_target(local: LocalDiscord, app: RawApp):
    target = await local.say("Ada", "general", "question")
    answer = await send(local, app, content="a", message_reference={"message_id": str(target.id)})
    assert answer.body["referenced_message"]["content"] == "question"
    missing = {"message_id": "1"}
    answer = await send(local, app, content="a", message_reference=missing)
    assert answer.error_codes("message_reference") == ["REPLIES_UNKNOWN_MESSAGE"]
    soft = missing | {"fail_if_not_exists": False}
    assert (await send(local, app, content="a", message_reference=soft)).status == 200


async def test_history_is_newest_first_and_without_ephemerals(local: LocalDiscord, app: RawApp):
    for text in ("one", "two", "three"):
        await local.say("Ada", "general", text)
    interaction = await local.invoke("Ada", "general", "ask")
    await app.callback(interaction, 4, {"content": "whisper", "flags": 64})
    read = (await app.call("GET", place(local, "?limit=2"))).body
    assert [m["content"] for m in read] == ["three", "two"]
    before = (await app.call("GET", place(local, f"?before={read[1]['id']}"))).body
    assert [m["content"] for m in before] == ["one"]
    after = (await app.call("GET", place(local, f"?after={before[0]['id']}&limit=1"))).body
    assert [m["content"] for m in after] == ["two"]
    assert (await app.call("GET", place(local, "?limit=101"))).code == 50035


async def test_history_around_a_message_has_it_in_the_middle(local: LocalDiscord, app: RawApp):
    said = [await local.say("Ada", "general", text) for text in "abcde"]
    read = (await app.call("GET", place(local, f"?around={said[2].id}&limit=3"))).body
    assert [m["content"] for m in read] == ["d", "c", "b"]


async def test_history_is_empty_without_its_permission(local: LocalDiscord, app: RawApp):
    target = await local.say("Ada", "general", "x")
    local.admin.overwrite("general", local.world.app, deny=Permission.READ_MESSAGE_HISTORY)
    assert (await app.call("GET", place(local))).body == []
    reply = await send(local, app, content="a", message_reference={"message_id": str(target.id)})
    assert reply.code == 160002


async def test_many_messages_are_deleted_with_one_event(local: LocalDiscord, app: RawApp):
    ids = [str((await local.say("Ada", "general", text)).id) for text in "abc"]
    async with identified(app) as gateway:
        answer = await app.call("POST", place(local, "/bulk-delete"), {"messages": ids[:2]})
        told = await gateway.until("MESSAGE_DELETE_BULK")
    assert (answer.status, told["ids"]) == (204, ids[:2])
    assert [m.content for m in local.messages("general")] == ["c"]
    assert (await app.call("POST", place(local, "/bulk-delete"), {"messages": ids})).status == 204
    one = await app.call("POST", place(local, "/bulk-delete"), {"messages": ids[:1]})
    assert one.code == 50035


async def test_old_messages_are_not_deleted_in_bulk(local: LocalDiscord, app: RawApp):
    ids = [str((await local.say("Ada", "general", text)).id) for text in "ab"]
    local.clock.advance(15 * 86_400)
    answer = await app.call("POST", place(local, "/bulk-delete"), {"messages": ids})
    assert answer.code == 50034


async def test_reply_to_a_deleted_message_has_lost_it(local: LocalDiscord, app: RawApp):
    target = await local.say("Ada", "general", "gone")
    reply = await local.say("Grace", "general", "to it", reply_to=target)
    await local.delete("Ada", target)
    read = (await app.call("GET", place(local, f"/{reply.id}"))).body
    assert read["message_reference"]["message_id"] == str(target.id)
    assert read["referenced_message"] is None


async def test_others_messages_can_only_lose_their_embeds(local: LocalDiscord, app: RawApp):
    message = await local.say("Ada", "general", "https://example.org")
    where = place(local, f"/{message.id}")
    assert (await app.call("PATCH", where, {"content": "mine"})).code == 50005
    assert (await app.call("PATCH", where, {"flags": 4})).body["flags"] == 4


async def test_deleted_message_is_unknown(local: LocalDiscord, app: RawApp):
    sent = await send(local, app, content="x")
    where = place(local, f"/{sent.body['id']}")
    assert (await app.call("DELETE", where)).status == 204
    assert (await app.call("PATCH", where, {"content": "y"})).code == 10008


async def test_suppressed_embeds_stay_suppressed_in_later_edits(local: LocalDiscord, app: RawApp):
    sent = await send(local, app, content="x", flags=4)
    where = place(local, f"/{sent.body['id']}")
    assert (await app.call("PATCH", where, {"content": "y"})).body["flags"] == 4


async def test_reaction_and_typing(local: LocalDiscord, app: RawApp):
    message = await local.say("Ada", "general", "x")
    where = place(local, f"/{message.id}/reactions/%F0%9F%91%8D/@me")
    assert (await app.call("PUT", where)).status == 204
    assert message.reactions == {"👍": {local.application_id}}
    assert (await app.call("DELETE", where)).status == 204
    assert message.reactions == {}
    channel = local.world.channel("general")
    assert (await app.call("POST", f"/channels/{channel.id}/typing")).status == 204


# -- access ------------------------------------------------------------------------------


async def test_channel_the_app_cannot_see_is_missing_access(local: LocalDiscord, app: RawApp):
    local.admin.overwrite("general", local.world.app, deny=Permission.VIEW_CHANNEL)
    answer = await send(local, app, content="x")
    assert (answer.status, answer.code) == (403, 50001)


async def test_sending_without_permission_is_refused(local: LocalDiscord, app: RawApp):
    local.admin.overwrite("general", local.world.app, deny=Permission.SEND_MESSAGES)
    answer = await send(local, app, content="x")
    assert (answer.status, answer.code) == (403, 50013)


async def test_kicked_app_has_no_access(local: LocalDiscord, app: RawApp):
    guild = local.world.guild("Playground")
    local.admin.remove_app(guild)
    assert (await send(local, app, content="x")).code == 50001
    assert (await app.call("GET", f"/guilds/{guild.id}")).code == 50001


async def test_gone_channel_is_unknown(local: LocalDiscord, app: RawApp):
    where = place(local)
    local.world.delete_channel("general")
    assert (await app.call("POST", where, {"content": "x"})).code == 10003


async def test_dm_is_opened_once(local: LocalDiscord, app: RawApp):
    body = {"recipient_id": str(local.world.person("Ada").id)}
    first = await app.call("POST", "/users/@me/channels", body)
    second = await app.call("POST", "/users/@me/channels", body)
    assert first.body["id"] == second.body["id"]
    await app.call("POST", f"/channels/{first.body['id']}/messages", {"content": "hi"})
    assert [m.content for m in local.messages(local.world.dm("Ada"))] == ["hi"]


async def test_content_is_blank_by_rest_without_the_privilege(local: LocalDiscord, app: RawApp):
    local.application.privileged = Intent(0)
    message = await local.say("Ada", "general", "secret")
    assert (await app.call("GET", place(local, f"/{message.id}"))).body["content"] == ""


async def test_unknown_path_and_method_have_their_own_answers(local: LocalDiscord, app: RawApp):
    assert (await app.call("GET", "/nothing/here")).status == 404
    assert (await app.call("PUT", place(local))).status == 405
    assert (await app.call("GET", "/channels/abc")).code == 50035


# -- people --------------------------------------------------------------------------------


async def test_long_paste_arrives_as_a_file(local: LocalDiscord):
    message = await local.say("Ada", "general", "x" * 2001)
    [attachment] = message.attachments
    assert message.content == ""
    assert (attachment.filename, attachment.content_type) == ("message.txt", None)
    assert len(attachment.content) == 2001


async def test_people_edit_only_their_own(local: LocalDiscord):
    message = await local.say("Ada", "general", "mine")
    with pytest.raises(PermissionError):
        await local.edit("Grace", message, "stolen")
    await local.edit("Ada", message, "changed")
    assert message.content == "changed"


async def test_people_delete_their_own_and_moderators_delete_all(local: LocalDiscord):
    mine = await local.say("Grace", "general", "mine")
    other = await local.say("Ada", "general", "other")
    with pytest.raises(PermissionError):
        await local.delete("Grace", other)
    await local.delete("Ada", mine)
    assert local.messages("general") == [other]
