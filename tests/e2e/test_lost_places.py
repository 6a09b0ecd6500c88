"""Answers whose message, thread or channel is lost while they are written (D16)."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from companion.playground.interaction import Interaction
from companion.playground.state import Channel, Message
from companion.playground.threads import new_thread
from companion.playground.vocabulary import Permission
from tests.e2e.world import World, body, labels, until
from tests.support.provider_script import Answer, Fault

LONG = Answer(text="tick " * 3000, tokens_per_s=80)
SILENT = Answer(text="tick " * 9, fault=Fault.STALL, fault_after=4)
TALL = Answer(text="tick " * 500, tokens_per_s=400)
SHORT = Answer(text="tick " * 120, tokens_per_s=120)


def room(world: World, name: str) -> Channel:
    return world.discord.world.add_channel("Playground", name)


def thread(world: World) -> Channel:
    places = world.discord.world
    return new_thread(places, places.channel("general"), places.person("Ada"), "Talk")


async def spoken(world: World, where: Channel) -> Message:
    """Mention the app, and return the answer that began."""
    said = await world.say(f"<@{world.discord.application_id}> Tick.", where=where)
    await until(lambda: any("tick" in each.text for each in world.below(said)))
    return world.below(said)[0]


async def asked(world: World, where: Channel) -> Interaction:
    """Ask by command, and return the answer that began."""
    begun = await world.start("ask", prompt="Tick.", where=where)
    await begun.until(lambda seen: "tick" in seen.text)
    return begun


def stored(database: Path, query: str) -> Sequence[tuple[object, ...]]:
    with sqlite3.connect(database) as connection:
        rows = connection.execute(query).fetchall()
    connection.close()
    return rows


async def test_answer_that_nobody_can_see_any_more_is_stopped(world: World, database: Path) -> None:
    """By mention and by command, all at once; a refusal or two each, and nothing after that."""
    world.provider.default = LONG
    discord, app = world.discord, world.discord.world.app
    discord.admin.overwrite("general", app, deny=Permission.MANAGE_THREADS)
    locked, shut, hidden, gone = thread(world), thread(world), room(world, "a"), room(world, "b")
    deleted, removed = await spoken(world, hidden), await asked(world, gone)
    for where in (locked, shut, hidden, gone):
        await spoken(world, where)
    await asked(world, locked)
    await asked(world, gone)
    await discord.delete("Ada", deleted)
    discord.faults.remove_original(removed)
    discord.admin.lock(locked)
    discord.admin.archive(shut, locked=True)
    discord.admin.overwrite(hidden, app, deny=Permission.VIEW_CHANNEL)
    discord.world.delete_channel(gone)
    await until(lambda: not world.door.busy)
    assert len(world.provider.chats) == 8
    assert all(chat.hung_up_at for chat in world.provider.chats)
    assert set(stored(database, "SELECT finish FROM turns")) == {("stopped",)}
    assert set(stored(database, "SELECT status, error_code FROM provider_calls")) == {
        ("stopped", "unseen")
    }
    assert len([each for each in discord.requests if each.status >= 400]) <= 12
    assert len([each for each in hidden.messages.values() if each.author is app]) == 1
    world.provider.default = SHORT
    assert body(await world.ask("Still there?")).strip() == SHORT.text.strip()


async def test_deleted_message_ends_its_answer_also_while_the_model_is_silent(
    world: World, database: Path
) -> None:
    """A deleted answer stays deleted; a deleted question takes its unfinished answer along."""
    world.provider.default = SILENT
    discord, where = world.discord, room(world, "here")
    question = await world.say(f"<@{discord.application_id}> Tick.", where=where)
    await until(lambda: bool(world.below(question)))
    answer, command = await spoken(world, where), await asked(world, where)
    gone = (thread(world), room(world, "there"))
    for place in gone:
        await spoken(world, place)
    await discord.delete("Ada", question)
    await discord.delete("Ada", answer)
    discord.faults.remove_original(command)
    for place in gone:
        discord.world.delete_channel(place)
    await until(lambda: not world.door.busy)
    assert all(chat.hung_up_at for chat in world.provider.chats)
    assert stored(database, "SELECT finish FROM turns") == [("stopped",)] * 4
    assert [each.author.display_name for each in where.messages.values()] == ["Ada"]
    assert not [each for each in discord.requests if each.status >= 400]


async def test_answer_goes_on_as_far_as_it_still_can(world: World) -> None:
    """An archived thread is opened again; a channel closed to new messages gets a file."""
    world.provider.default = SHORT
    discord, where, quiet = world.discord, thread(world), room(world, "quiet")
    said, command = await spoken(world, where), await asked(world, where)
    world.provider.default = TALL
    tall = await spoken(world, quiet)
    discord.admin.archive(where)
    discord.admin.overwrite(quiet, discord.world.app, deny=Permission.SEND_MESSAGES)
    await until(lambda: not world.door.busy, 15.0)
    assert body(said).strip() == body(command).strip() == SHORT.text.strip()
    assert len(where.messages) == 3
    assert len(quiet.messages) == 2
    assert "attached file" in tall.text
    assert len(tall.attachments) == 1
    assert "Regenerate" in labels(said) and "Regenerate" in labels(tall)
    assert discord.requests.invalid == 1
