"""Channels, servers and members by bot token."""

from __future__ import annotations

from collections.abc import Iterable

from companion.playground import payloads
from companion.playground.api_errors import ApiError, FormErrors, Problem
from companion.playground.calls import Call, Reply, Route, route
from companion.playground.channel_access import ChannelAccess
from companion.playground.component_fields import check_text, number
from companion.playground.state import Channel
from companion.playground.vocabulary import ChannelKind, Permission
from companion.playground.wire import JsonObject
from companion.playground.world import World

_CHANNEL = "/channels/{channel_id}"
_GUILD = "/guilds/{guild_id}"
_SLOWEST_S = 21_600


class ChannelRoutes:
    """`/channels/{id}` and `/guilds/{id}`."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._access = ChannelAccess(world)

    def routes(self) -> Iterable[Route]:
        """Return the routes."""
        yield route("GET", _CHANNEL, self.read)
        yield route("PATCH", _CHANNEL, self.change)
        yield route("DELETE", _CHANNEL, self.delete)
        yield route("GET", _GUILD, self.guild)
        yield route("GET", f"{_GUILD}/channels", self.channels)
        yield route("GET", f"{_GUILD}/roles", self.roles)
        yield route("GET", f"{_GUILD}/members", self.members)
        yield route("GET", f"{_GUILD}/members/{{user_id}}", self.member)

    def read(self, call: Call) -> Reply:
        """Return a channel."""
        return Reply(body=payloads.channel(self._access.channel(call)))

    def change(self, call: Call) -> Reply:
        """Change a channel or thread; archived threads can only be opened first."""
        channel = self._access.channel(call)
        if channel.guild_id is None:
            raise ApiError(Problem.WRONG_CHANNEL_KIND)
        body = call.json()
        _check(body)
        if channel.is_thread:
            self._change_thread(channel, body)
        else:
            self._access.require(channel, Permission.MANAGE_CHANNELS)
            channel.topic = body.get("topic", channel.topic)
        if "name" in body:
            channel.name = body["name"].strip()
        channel.slow_mode_s = body.get("rate_limit_per_user") or channel.slow_mode_s
        self._world.change_channel(channel)
        return Reply(body=payloads.channel(channel))

    def _change_thread(self, thread: Channel, body: JsonObject) -> None:
        state = thread.thread
        assert state is not None
        manages = self._access.may(thread, Permission.MANAGE_THREADS)
        owns = state.owner_id == self._world.app.id
        only_opens = body.get("archived") is False and set(body) <= {"archived", "locked"}
        if state.archived and body.get("archived") is not False:
            raise ApiError(Problem.THREAD_ARCHIVED)
        if not manages and ("locked" in body or state.locked or not (owns or only_opens)):
            raise ApiError(Problem.MISSING_PERMISSIONS)
        if "archived" in body and state.archived is not body["archived"]:
            state.archived = bool(body["archived"])
            state.archive_changed_at = self._world.clock.now()
        state.locked = bool(body.get("locked", state.locked))
        minutes = number(body.get("auto_archive_duration"))
        state.auto_archive_minutes = minutes or state.auto_archive_minutes

    def delete(self, call: Call) -> Reply:
        """Delete a channel or thread."""
        channel = self._access.channel(call)
        if channel.kind is not ChannelKind.DM:
            threads, channels = Permission.MANAGE_THREADS, Permission.MANAGE_CHANNELS
            self._access.require(channel, threads if channel.is_thread else channels)
            self._world.delete_channel(channel)
        return Reply(body=payloads.channel(channel))

    # -- servers -----------------------------------------------------------------------

    def guild(self, call: Call) -> Reply:
        """Return a server."""
        guild = self._access.guild(call)
        body = payloads.guild(guild)
        if call.flag("with_counts"):
            count = len(guild.members)
            body |= {"approximate_member_count": count, "approximate_presence_count": count}
        return Reply(body=body)

    def channels(self, call: Call) -> Reply:
        """Return a server's channels."""
        found = self._world.channels_of(self._access.guild(call), threads=False)
        return Reply(body=[payloads.channel(channel) for channel in found])

    def roles(self, call: Call) -> Reply:
        """Return a server's roles."""
        guild = self._access.guild(call)
        return Reply(body=[payloads.role(role) for role in guild.roles.values()])

    def members(self, call: Call) -> Reply:
        """Return a server's members."""
        guild = self._access.guild(call)
        limit = call.number("limit", 1, low=1, high=1000)
        found = list(guild.members.values())[:limit]
        return Reply(body=[payloads.member(member) for member in found])

    def member(self, call: Call) -> Reply:
        """Return one member."""
        member = self._access.guild(call).members.get(call.id("user_id"))
        if member is None:
            raise ApiError(Problem.UNKNOWN_MEMBER)
        return Reply(body=payloads.member(member))


def _check(body: JsonObject) -> None:
    errors = FormErrors()
    check_text(body, "name", (), errors, low=1, high=100)
    check_text(body, "topic", (), errors, low=0, high=1024)
    slow = body.get("rate_limit_per_user")
    if slow is not None and not 0 <= (number(slow) or 0) <= _SLOWEST_S:
        message = f"int value should be between 0 and {_SLOWEST_S}."
        errors.add(("rate_limit_per_user",), "NUMBER_TYPE_RANGE", message)
    errors.raise_if_any()
