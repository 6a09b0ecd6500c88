"""The one world: who and what exists, and how to find it.

Reading is by id or by name; every change is told to the app by the gateway and to
people by subscriptions.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

from companion.playground import payloads, permissions
from companion.playground.events import Bus, Dispatch, EventKind, WorldEvent
from companion.playground.snowflakes import Snowflakes
from companion.playground.state import (
    Attachment,
    Channel,
    Guild,
    Member,
    Message,
    Overwrite,
    Person,
    Role,
)
from companion.playground.vocabulary import (
    NO_PERMISSION,
    ChannelKind,
    Intent,
    Permission,
)
from companion.playground.wire import JsonObject
from companion.playground.world_clock import WorldClock

_Found = TypeVar("_Found")


class World:
    """People, servers, channels and files."""

    def __init__(self, clock: WorldClock, bus: Bus) -> None:
        self.clock = clock
        self.bus = bus
        self.ids = Snowflakes(clock)
        self.people: dict[int, Person] = {}
        self.guilds: dict[int, Guild] = {}
        self.channels: dict[int, Channel] = {}
        self.attachments: dict[int, Attachment] = {}
        self.origin = ""
        self.app = Person(
            id=self.ids.next(), username="companion", display_name="Companion", bot=True
        )
        self.people[self.app.id] = self.app

    # -- finding ---------------------------------------------------------------

    def person(self, who: Person | str | int) -> Person:
        """Return a person by object, id, display name or user name. Raises `LookupError`."""
        if isinstance(who, Person):
            return who
        if isinstance(who, int):
            return self.people[who]
        names = (p for p in self.people.values() if who in {p.display_name, p.username})
        return _only(names, who)

    def channel(self, where: Channel | str | int) -> Channel:
        """Return a channel or thread by object, id or name (`general`, `#general`)."""
        if isinstance(where, Channel):
            return where
        if isinstance(where, int):
            return self.channels[where]
        name = where.removeprefix("#")
        return _only((c for c in self.channels.values() if c.name == name), where)

    def guild(self, which: Guild | str | int) -> Guild:
        """Return a server by object, id or name."""
        if isinstance(which, Guild):
            return which
        if isinstance(which, int):
            return self.guilds[which]
        return _only((g for g in self.guilds.values() if g.name == which), which)

    def guild_of(self, channel: Channel) -> Guild | None:
        """Return the server a channel belongs to."""
        return None if channel.guild_id is None else self.guilds.get(channel.guild_id)

    def channels_of(self, guild: Guild, *, threads: bool) -> list[Channel]:
        """Return a server's channels, or its threads."""
        return [
            channel
            for channel in self.channels.values()
            if channel.guild_id == guild.id and channel.is_thread is threads
        ]

    def dm(self, person: Person | str) -> Channel:
        """Return the DM between a person and the app, opened when there was none."""
        who = self.person(person)
        for channel in self.channels.values():
            if channel.kind is ChannelKind.DM and who in channel.recipients:
                return channel
        channel = Channel(id=self.ids.next(), kind=ChannelKind.DM, name=None, recipients=[who])
        return self._added(channel)

    def permissions(self, person: Person, channel: Channel) -> Permission:
        """Return what a person may do in a channel."""
        guild = self.guild_of(channel)
        if guild is None:
            # The app has a DM with a person; it never is in a group DM.
            with_app = channel.kind is ChannelKind.DM and person is self.app
            inside = with_app or person in channel.recipients
            return permissions.DM_PERMISSIONS if inside else NO_PERMISSION
        member = guild.members.get(person.id)
        if member is None:
            return NO_PERMISSION
        granted = permissions.in_channel(guild, member, self.overwrites_of(channel))
        return granted if permissions.is_open_to(channel, person, granted) else NO_PERMISSION

    def overwrites_of(self, channel: Channel) -> dict[int, Overwrite]:
        """Return a channel's overwrites, for a thread those of its parent."""
        if channel.is_thread and channel.parent_id in self.channels:
            return self.channels[channel.parent_id].overwrites
        return channel.overwrites

    def audience(self, channel: Channel) -> list[Person]:
        """Return all people, the app included, who see a channel."""
        guild = self.guild_of(channel)
        if guild is None:
            return [*channel.recipients, *([self.app] if channel.kind is ChannelKind.DM else [])]
        members = (member.person for member in guild.members.values())
        return [p for p in members if Permission.VIEW_CHANNEL in self.permissions(p, channel)]

    # -- making ----------------------------------------------------------------

    def add_person(self, display_name: str, *, locale: str = "en-US") -> Person:
        """Make a person, who is in no server yet."""
        person = Person(
            id=self.ids.next(),
            username=display_name.lower().replace(" ", "_"),
            display_name=display_name,
            locale=locale,
        )
        self.people[person.id] = person
        return person

    def add_guild(
        self,
        name: str,
        *,
        owner: Person | str,
        members: tuple[Person | str, ...] = (),
        with_app: bool = True,
        id: int | None = None,
    ) -> Guild:
        """Make a server with a `#general`; the app joins it unless it is only user-installed."""
        guild_id = id or self.ids.next()
        guild = Guild(id=guild_id, name=name, owner_id=self.person(owner).id)
        guild.roles[guild_id] = Role(id=guild_id, name="@everyone")
        for who in (owner, *members):
            self._enrol(guild, self.person(who))
        self.guilds[guild_id] = guild
        self.add_channel(guild, "general")
        if with_app:
            self.admit_app(guild)
        return guild

    def _enrol(self, guild: Guild, person: Person) -> Member:
        member = Member(person=person, joined_at=self.clock.now())
        guild.members[person.id] = member
        return member

    def admit_app(self, guild: Guild) -> None:
        """Let the app into a server, with a role of its own."""
        role = Role(
            id=self.ids.next(), name="Companion", position=1, managed=True, bot_id=self.app.id
        )
        role.permissions |= Permission.MANAGE_THREADS | Permission.MANAGE_MESSAGES
        guild.roles[role.id] = role
        self._enrol(guild, self.app).roles.add(role.id)
        self.bus.dispatch(
            Dispatch(
                name="GUILD_CREATE",
                # only of a server that the app was in already Discord says this
                data={k: v for k, v in self.guild_create(guild).items() if k != "unavailable"},
                guild_id=guild.id,
                intent=Intent.GUILDS,
            )
        )

    def guild_create(self, guild: Guild) -> JsonObject:
        """Return the payload that tells the app of a server."""
        threads = [c for c in self.channels_of(guild, threads=True) if not _archived(c)]
        return payloads.guild(guild) | {
            "joined_at": payloads.timestamp(guild.members[self.app.id].joined_at),
            "large": False,
            "unavailable": False,
            "member_count": len(guild.members),
            "voice_states": [],
            "members": [payloads.member(member) for member in guild.members.values()],
            "channels": [payloads.channel(c) for c in self.channels_of(guild, threads=False)],
            "threads": [payloads.channel(thread) for thread in threads],
            "presences": [],
            "stage_instances": [],
            "guild_scheduled_events": [],
            "soundboard_sounds": [],
        }

    def add_channel(
        self, guild: Guild | str, name: str, *, kind: ChannelKind = ChannelKind.TEXT
    ) -> Channel:
        """Make a channel in a server."""
        home = self.guild(guild)
        position = len(self.channels_of(home, threads=False))
        return self._added(
            Channel(id=self.ids.next(), kind=kind, name=name, guild_id=home.id, position=position)
        )

    def add_group_dm(self, *people: Person | str) -> Channel:
        """Make a group DM; the app is only there for those who installed it for themselves."""
        recipients = [self.person(who) for who in people]
        channel = Channel(
            id=self.ids.next(), kind=ChannelKind.GROUP_DM, name=None, recipients=recipients
        )
        self.channels[channel.id] = channel
        return channel

    def _added(self, channel: Channel) -> Channel:
        self.channels[channel.id] = channel
        self.tell_app(channel, "CHANNEL_CREATE", payloads.channel(channel))
        self.bus.announce(WorldEvent(kind=EventKind.CHANNEL_CREATED, channel=channel))
        return channel

    def add_thread(self, thread: Channel) -> None:
        """Add a thread that was made by `threads.new_thread`."""
        self.channels[thread.id] = thread
        self.tell_app(thread, "THREAD_CREATE", payloads.channel(thread) | {"newly_created": True})
        self.bus.announce(WorldEvent(kind=EventKind.CHANNEL_CREATED, channel=thread))

    def tell_app(self, channel: Channel, name: str, data: JsonObject) -> None:
        """Send the app a gateway event about a channel, if it is in there."""
        guild = self.guild_of(channel)
        if guild is not None and self.app.id not in guild.members:
            return
        if channel.kind is ChannelKind.GROUP_DM:
            return
        intent = Intent(0) if guild is None else Intent.GUILDS
        self.bus.dispatch(Dispatch(name=name, data=data, guild_id=channel.guild_id, intent=intent))

    def change_channel(self, channel: Channel | str) -> None:
        """Tell everyone that a channel's fields were changed."""
        where = self.channel(channel)
        name = "THREAD_UPDATE" if where.is_thread else "CHANNEL_UPDATE"
        self.tell_app(where, name, payloads.channel(where))
        self.bus.announce(WorldEvent(kind=EventKind.CHANNEL_CHANGED, channel=where))

    def delete_channel(self, channel: Channel | str) -> None:
        """Delete a channel with its threads."""
        where = self.channel(channel)
        for thread in [c for c in self.channels.values() if c.parent_id == where.id]:
            if thread.is_thread:
                self.delete_channel(thread)
        del self.channels[where.id]
        name = "THREAD_DELETE" if where.is_thread else "CHANNEL_DELETE"
        self.tell_app(where, name, payloads.channel(where))
        self.bus.announce(WorldEvent(kind=EventKind.CHANNEL_DELETED, channel=where))

    # -- reading messages --------------------------------------------------------

    def messages(
        self, channel: Channel | str | int, *, seen_by: Person | str | None = None
    ) -> list[Message]:
        """Return a channel's messages, oldest first; ephemerals only for their person."""
        viewer = None if seen_by is None else self.person(seen_by).id
        return [m for m in self.channel(channel).messages.values() if m.visible_to(viewer)]


def _archived(channel: Channel) -> bool:
    return channel.thread is not None and channel.thread.archived


def _only(found: Iterator[_Found], wanted: str) -> _Found:
    first = next(found, None)
    if first is None:
        raise LookupError(f"nothing here is named {wanted!r}")
    return first
