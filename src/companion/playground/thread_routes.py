"""Threads by bot token: start, join, members."""

from __future__ import annotations

from collections.abc import Iterable

from companion.playground import payloads
from companion.playground.api_errors import ApiError, FormErrors, Problem
from companion.playground.calls import NO_CONTENT, Call, Reply, Route, route
from companion.playground.channel_access import ChannelAccess
from companion.playground.component_fields import check_text, number
from companion.playground.message_board import MessageBoard
from companion.playground.state import Channel, Person
from companion.playground.threads import add_member, new_thread, refuse_archived, remove_member
from companion.playground.vocabulary import ChannelKind, Permission
from companion.playground.wire import JsonObject
from companion.playground.world import World

_MEMBERS = "/channels/{channel_id}/thread-members"
_ARCHIVE_MINUTES = (60, 1440, 4320, 10080)


class ThreadRoutes:
    """Starting threads and who is in them."""

    def __init__(self, world: World, board: MessageBoard) -> None:
        self._world = world
        self._board = board
        self._access = ChannelAccess(world)

    def routes(self) -> Iterable[Route]:
        """Return the routes."""
        path = "/channels/{channel_id}/messages/{message_id}/threads"
        yield route("POST", path, self.start_from_message)
        yield route("POST", "/channels/{channel_id}/threads", self.start)
        yield route("GET", "/guilds/{guild_id}/threads/active", self.active)
        path = "/channels/{channel_id}/threads/archived/public"
        yield route("GET", path, self.archived)
        yield route("GET", _MEMBERS, self.members)
        yield route("GET", f"{_MEMBERS}/{{user_id}}", self.member)
        yield route("PUT", f"{_MEMBERS}/{{user_id}}", self.add)
        yield route("DELETE", f"{_MEMBERS}/{{user_id}}", self.remove)

    def start_from_message(self, call: Call) -> Reply:
        """Start a thread at a message, whose id it takes."""
        parent = self._parent(call, Permission.CREATE_PUBLIC_THREADS)
        message = self._access.message(parent, call.id("message_id"))
        if message.thread_id is not None:
            raise ApiError(Problem.THREAD_EXISTS)
        body = _checked(call.json())
        thread = self._new(parent, body, ChannelKind.PUBLIC_THREAD, thread_id=message.id)
        self._board.attach_thread(parent, message, thread)
        return Reply(status=201, body=payloads.channel(thread))

    def start(self, call: Call) -> Reply:
        """Start a thread without a message."""
        body = _checked(call.json())
        kind = ChannelKind(body.get("type", ChannelKind.PRIVATE_THREAD))
        public = kind is ChannelKind.PUBLIC_THREAD
        needed = Permission.CREATE_PUBLIC_THREADS if public else Permission.CREATE_PRIVATE_THREADS
        parent = self._parent(call, needed)
        thread = self._new(parent, body, kind)
        if public:
            self._board.announce_thread(parent, thread, self._world.app)
        return Reply(status=201, body=payloads.channel(thread))

    def _new(
        self,
        parent: Channel,
        body: JsonObject,
        kind: ChannelKind,
        *,
        thread_id: int | None = None,
    ) -> Channel:
        return new_thread(
            self._world,
            parent,
            self._world.app,
            body["name"].strip(),
            kind=kind,
            thread_id=thread_id,
            auto_archive_minutes=body.get("auto_archive_duration") or 1440,
            invitable=body.get("invitable", True),
        )

    def _parent(self, call: Call, needed: Permission) -> Channel:
        parent = self._access.channel(call, needed)
        if parent.is_thread or parent.guild_id is None:
            raise ApiError(Problem.WRONG_CHANNEL_KIND)
        return parent

    def active(self, call: Call) -> Reply:
        """Return a server's open threads."""
        guild = self._access.guild(call)
        threads = self._world.channels_of(guild, threads=True)
        return self._listed([one for one in threads if one.thread and not one.thread.archived])

    def archived(self, call: Call) -> Reply:
        """Return a channel's archived threads."""
        parent = self._access.channel(call, Permission.READ_MESSAGE_HISTORY)
        found = (one for one in self._world.channels.values() if one.parent_id == parent.id)
        return self._listed([one for one in found if one.thread and one.thread.archived])

    def _listed(self, threads: list[Channel]) -> Reply:
        mine = [t for t in threads if t.thread and self._world.app.id in t.thread.members]
        return Reply(
            body={
                "threads": [payloads.channel(thread) for thread in threads],
                "members": [payloads.thread_member(t, self._world.app.id) for t in mine],
                "has_more": False,
            }
        )

    # -- members -----------------------------------------------------------------------

    def members(self, call: Call) -> Reply:
        """Return who is in a thread."""
        thread = self._thread(call)
        ids = thread.thread.members if thread.thread else {}
        return Reply(body=[payloads.thread_member(thread, person_id) for person_id in ids])

    def member(self, call: Call) -> Reply:
        """Return one member of a thread."""
        thread, person = self._thread(call), self._person(call)
        if thread.thread is None or person.id not in thread.thread.members:
            raise ApiError(Problem.UNKNOWN_MEMBER)
        return Reply(body=payloads.thread_member(thread, person.id))

    def add(self, call: Call) -> Reply:
        """Add a person, or join."""
        thread = self._thread(call)
        refuse_archived(thread)
        add_member(self._world, thread, self._person(call))
        return NO_CONTENT

    def remove(self, call: Call) -> Reply:
        """Remove a person, or leave."""
        person = self._person(call)
        thread = self._thread(call)
        if person is not self._world.app:
            self._access.require(thread, Permission.MANAGE_THREADS)
        remove_member(self._world, thread, person)
        return NO_CONTENT

    def _thread(self, call: Call) -> Channel:
        thread = self._access.channel(call)
        if thread.thread is None:
            raise ApiError(Problem.WRONG_CHANNEL_KIND)
        return thread

    def _person(self, call: Call) -> Person:
        if call.parameters["user_id"] == "@me":
            return self._world.app
        person = self._world.people.get(call.id("user_id"))
        if person is None:
            raise ApiError(Problem.UNKNOWN_USER)
        return person


def _checked(body: JsonObject) -> JsonObject:
    errors = FormErrors()
    check_text(body, "name", (), errors, low=1, high=100, required=True)
    minutes = body.get("auto_archive_duration")
    if minutes is not None and number(minutes) not in _ARCHIVE_MINUTES:
        errors.choices(("auto_archive_duration",), str(_ARCHIVE_MINUTES))
    if body.get("type") not in {None, 10, 11, 12}:
        errors.choices(("type",), "(10, 11, 12)")
    errors.raise_if_any()
    return body
