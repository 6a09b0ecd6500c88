"""Threads: how they come about, and how archived and locked ones behave."""

from __future__ import annotations

from companion.playground import payloads
from companion.playground.api_errors import ApiError, Problem
from companion.playground.state import Channel, Guild, Person, ThreadState
from companion.playground.vocabulary import ChannelKind, Permission
from companion.playground.world import World


def new_thread(
    world: World,
    parent: Channel,
    owner: Person,
    name: str,
    *,
    kind: ChannelKind = ChannelKind.PUBLIC_THREAD,
    thread_id: int | None = None,
    auto_archive_minutes: int = 1440,
    invitable: bool = True,
) -> Channel:
    """Make a thread below a channel, with its owner as the first member.

    Raises `ApiError` (160006) when the server has as many open threads as it may have.
    """
    guild = world.guild_of(parent)
    if guild is not None and _open_threads(world, guild) >= guild.most_threads:
        raise ApiError(Problem.TOO_MANY_THREADS)
    now = world.clock.now()
    thread = Channel(
        id=thread_id or world.ids.next(),
        kind=kind,
        name=name,
        guild_id=parent.guild_id,
        parent_id=parent.id,
        thread=ThreadState(
            owner_id=owner.id,
            created_at=now,
            auto_archive_minutes=auto_archive_minutes,
            invitable=invitable,
            members={owner.id: now},
        ),
    )
    world.add_thread(thread)
    return thread


def _open_threads(world: World, guild: Guild) -> int:
    threads = (one.thread for one in world.channels_of(guild, threads=True))
    return sum(1 for state in threads if state is not None and not state.archived)


def enter_to_write(world: World, channel: Channel, person: Person) -> None:
    """Do what writing in a thread does: it opens again, and the writer joins.

    Raises `ApiError` (160005) when it is locked and the writer may not manage threads.
    """
    state = channel.thread
    if state is None:
        return
    manages = Permission.MANAGE_THREADS in world.permissions(person, channel)
    if state.locked and not manages:
        raise ApiError(Problem.THREAD_LOCKED)
    if state.archived:
        set_archived(world, channel, archived=False)
    add_member(world, channel, person)


def refuse_archived(channel: Channel) -> None:
    """Raise `ApiError` (50083) for an archived thread: only new messages open it again."""
    if channel.thread is not None and channel.thread.archived:
        raise ApiError(Problem.THREAD_ARCHIVED)


def refuse_shut(world: World, channel: Channel, person: Person) -> None:
    """Raise `ApiError` (50083, 160005) where not even one's own messages can be edited."""
    refuse_archived(channel)
    manages = Permission.MANAGE_THREADS in world.permissions(person, channel)
    if channel.thread is not None and channel.thread.locked and not manages:
        raise ApiError(Problem.THREAD_LOCKED)


def set_archived(world: World, thread: Channel, *, archived: bool) -> None:
    """Archive or open a thread and tell everyone."""
    assert thread.thread is not None
    thread.thread.archived = archived
    thread.thread.archive_changed_at = world.clock.now()
    world.change_channel(thread)


def add_member(world: World, thread: Channel, person: Person) -> None:
    """Add somebody to a thread and tell the app."""
    assert thread.thread is not None
    if person.id in thread.thread.members:
        return
    thread.thread.members[person.id] = world.clock.now()
    _tell_members(world, thread, added=[person.id], removed=[])


def remove_member(world: World, thread: Channel, person: Person) -> None:
    """Remove somebody from a thread and tell the app."""
    assert thread.thread is not None
    if thread.thread.members.pop(person.id, None) is not None:
        _tell_members(world, thread, added=[], removed=[person.id])


def _tell_members(world: World, thread: Channel, *, added: list[int], removed: list[int]) -> None:
    assert thread.thread is not None
    data = {
        "id": str(thread.id),
        "guild_id": str(thread.guild_id),
        "member_count": len(thread.thread.members),
        "added_members": [payloads.thread_member(thread, person_id) for person_id in added],
        "removed_member_ids": [str(person_id) for person_id in removed],
    }
    world.tell_app(thread, "THREAD_MEMBERS_UPDATE", data)
