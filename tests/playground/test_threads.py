from __future__ import annotations

import pytest

from companion.playground.api_errors import ApiError
from companion.playground.local_discord import LocalDiscord
from companion.playground.state import Channel
from companion.playground.vocabulary import Permission
from tests.playground.raw import Answer, RawApp, identified


async def start(local: LocalDiscord, app: RawApp, **body: object) -> Answer:
    channel = local.world.channel("general")
    return await app.call("POST", f"/channels/{channel.id}/threads", {"type": 11} | body)


async def started(local: LocalDiscord, app: RawApp) -> Channel:
    answer = await start(local, app, name="talk")
    return local.world.channel(int(answer.body["id"]))


async def test_thread_from_a_message_takes_its_id(local: LocalDiscord, app: RawApp):
    message = await local.say("Ada", "general", "start here")
    path = f"/channels/{message.channel_id}/messages/{message.id}/threads"
    async with identified(app) as gateway:
        answer = await app.call("POST", path, {"name": "talk"})
        created = await gateway.until("THREAD_CREATE")
    assert (answer.status, answer.body["id"]) == (201, str(message.id))
    assert created["newly_created"] is True
    assert created["thread_metadata"]["archived"] is False
    assert (await app.call("POST", path, {"name": "again"})).code == 160004


@pytest.mark.parametrize(
    "body", [{"name": ""}, {"name": "x" * 101}, {}, {"name": "x", "auto_archive_duration": 5}]
)
async def test_thread_beyond_the_rules_is_refused(
    local: LocalDiscord, app: RawApp, body: dict[str, object]
):
    assert (await start(local, app, **body)).code == 50035


async def test_thread_needs_its_permission(local: LocalDiscord, app: RawApp):
    app_account = local.world.app
    local.admin.overwrite("general", app_account, deny=Permission.CREATE_PUBLIC_THREADS)
    assert (await start(local, app, name="talk")).code == 50013


async def test_no_threads_in_threads_or_direct_messages(local: LocalDiscord, app: RawApp):
    thread, dm = await started(local, app), local.world.dm("Ada")
    for where in (thread, dm):
        path = f"/channels/{where.id}/threads"
        answer = await app.call("POST", path, {"name": "x", "type": 11})
        assert answer.code in {50024, 50013}


async def test_writing_opens_an_archived_thread(local: LocalDiscord, app: RawApp):
    thread = await started(local, app)
    local.admin.archive(thread)
    sent = await app.call("POST", f"/channels/{thread.id}/messages", {"content": "hi"})
    assert sent.status == 200
    assert thread.thread is not None
    assert not thread.thread.archived


async def test_editing_in_an_archived_thread_is_refused(local: LocalDiscord, app: RawApp):
    thread = await started(local, app)
    path = f"/channels/{thread.id}/messages"
    sent = await app.call("POST", path, {"content": "hi"})
    interaction = await local.invoke("Ada", thread, "ask")
    await app.callback(interaction, 5)
    local.admin.archive(thread)
    answer = await app.call("PATCH", f"{path}/{sent.body['id']}", {"content": "x"})
    assert (answer.status, answer.code) == (400, 50083)
    assert (await app.original("PATCH", interaction, {"content": "x"})).code == 50083


async def test_locked_thread_is_shut_for_those_who_do_not_manage_threads(
    local: LocalDiscord, app: RawApp
):
    thread = await started(local, app)
    path = f"/channels/{thread.id}/messages"
    earlier = await app.call("POST", path, {"content": "hi"})
    local.admin.lock(thread)
    local.admin.overwrite("general", local.world.app, deny=Permission.MANAGE_THREADS)
    edited = await app.call("PATCH", f"{path}/{earlier.body['id']}", {"content": "x"})
    assert (edited.status, edited.code) == (403, 160005)
    local.admin.archive(thread, locked=True)
    answer = await app.call("POST", path, {"content": "hi"})
    assert (answer.status, answer.code) == (403, 160005)
    with pytest.raises(ApiError):
        await local.say("Grace", thread, "me neither")


async def test_app_archives_and_renames_its_thread(local: LocalDiscord, app: RawApp):
    thread = await started(local, app)
    path = f"/channels/{thread.id}"
    assert (await app.call("PATCH", path, {"name": "a title"})).body["name"] == "a title"
    assert (await app.call("PATCH", path, {"name": "x" * 101})).code == 50035
    archived = await app.call("PATCH", path, {"archived": True})
    assert archived.body["thread_metadata"]["archived"] is True
    assert (await app.call("PATCH", path, {"locked": True})).code == 50083


async def test_third_rename_in_ten_minutes_is_limited(local: LocalDiscord, app: RawApp):
    thread = await started(local, app)
    statuses = [
        (await app.call("PATCH", f"/channels/{thread.id}", {"name": f"n{n}"})).status
        for n in range(3)
    ]
    assert statuses == [200, 200, 429]


async def test_members_come_and_go(local: LocalDiscord, app: RawApp):
    thread = await started(local, app)
    ada = local.world.person("Ada")
    base = f"/channels/{thread.id}/thread-members"
    async with identified(app) as gateway:
        await app.call("PUT", f"{base}/{ada.id}")
        update = await gateway.until("THREAD_MEMBERS_UPDATE")
    assert update["added_members"][0]["user_id"] == str(ada.id)
    ids = {m["user_id"] for m in (await app.call("GET", base)).body}
    assert ids == {str(ada.id), str(local.application_id)}
    await app.call("DELETE", f"{base}/{ada.id}")
    assert (await app.call("GET", f"{base}/{ada.id}")).code == 10007


async def test_private_thread_is_seen_by_members_only(local: LocalDiscord, app: RawApp):
    answer = await start(local, app, name="secret", type=12)
    thread = local.world.channel(int(answer.body["id"]))
    grace = local.world.person("Grace")
    assert grace not in local.world.audience(thread)
    await app.call("PUT", f"/channels/{thread.id}/thread-members/{grace.id}")
    assert grace in local.world.audience(thread)


async def test_deleted_channel_takes_its_threads_along(local: LocalDiscord, app: RawApp):
    thread = await started(local, app)
    async with identified(app) as gateway:
        local.world.delete_channel("general")
        assert (await gateway.until("THREAD_DELETE"))["id"] == str(thread.id)
        await gateway.until("CHANNEL_DELETE")
    assert (await app.call("GET", f"/channels/{thread.id}")).code == 10003


async def test_active_threads_are_listed(local: LocalDiscord, app: RawApp):
    open_one, shut = await started(local, app), await started(local, app)
    local.admin.archive(shut)
    guild = local.world.guild("Playground")
    listed = (await app.call("GET", f"/guilds/{guild.id}/threads/active")).body
    assert [thread["id"] for thread in listed["threads"]] == [str(open_one.id)]


async def test_people_start_threads_too(local: LocalDiscord, app: RawApp):
    message = await local.say("Ada", "general", "look")
    thread = await local.start_thread("Ada", "general", "ours", message=message)
    assert (thread.id, thread.parent_id) == (message.id, message.channel_id)
    assert message.flags & 32


async def test_server_has_only_so_many_open_threads(local: LocalDiscord, app: RawApp):
    local.world.guild("Playground").most_threads = 1
    thread = await started(local, app)
    refused = await start(local, app, name="one more")
    assert (refused.status, refused.code) == (400, 160006)
    local.admin.archive(thread)
    assert (await start(local, app, name="one more")).status == 201


async def test_archived_threads_are_listed_apart(local: LocalDiscord, app: RawApp):
    thread = await started(local, app)
    path = f"/channels/{thread.parent_id}/threads/archived/public"
    assert (await app.call("GET", path)).body["threads"] == []
    local.admin.archive(thread)
    assert [t["id"] for t in (await app.call("GET", path)).body["threads"]] == [str(thread.id)]


async def test_persons_thread_is_announced_or_hangs_at_its_message(local: LocalDiscord):
    free = await local.start_thread("Ada", "general", "free")
    message = await local.say("Ada", "general", "start")
    await local.start_thread("Grace", "general", "bound", message=message)
    assert [(m.content, m.thread_id) for m in local.messages("general")] == [
        ("free", free.id),
        ("start", message.id),
    ]
    with pytest.raises(ApiError):
        await local.start_thread("Ada", "general", "again", message=message)
