"""What the app may reach and do in channels, with Discord's refusals."""

from __future__ import annotations

from companion.playground.api_errors import ApiError, Problem
from companion.playground.calls import Call
from companion.playground.state import Channel, Guild, Message
from companion.playground.vocabulary import NO_PERMISSION, Permission
from companion.playground.world import World


class ChannelAccess:
    """Finds channels and messages for the app, or refuses."""

    def __init__(self, world: World) -> None:
        self._world = world

    def channel(self, call: Call, needed: Permission = NO_PERMISSION) -> Channel:
        """Return the call's channel. Raises `ApiError` (10003, 50001, 50013)."""
        channel = self._world.channels.get(call.id("channel_id"))
        if channel is None:
            raise ApiError(Problem.UNKNOWN_CHANNEL)
        self.require(channel, needed)
        return channel

    def require(self, channel: Channel, needed: Permission) -> None:
        """Raise `ApiError` unless the app sees the channel and may do that."""
        granted = self._world.permissions(self._world.app, channel)
        if Permission.VIEW_CHANNEL not in granted:
            raise ApiError(Problem.MISSING_ACCESS)
        if needed & ~granted:
            raise ApiError(Problem.MISSING_PERMISSIONS)

    def may(self, channel: Channel, wanted: Permission) -> bool:
        """Say whether the app may do that."""
        return not wanted & ~self._world.permissions(self._world.app, channel)

    def message(self, channel: Channel, message_id: int) -> Message:
        """Return a message, never an ephemeral one. Raises `ApiError` (10008)."""
        message = channel.messages.get(message_id)
        if message is None or message.ephemeral:
            raise ApiError(Problem.UNKNOWN_MESSAGE)
        return message

    def guild(self, call: Call) -> Guild:
        """Return the call's server. Raises `ApiError` (10004, 50001)."""
        guild = self._world.guilds.get(call.id("guild_id"))
        if guild is None:
            raise ApiError(Problem.UNKNOWN_GUILD)
        if self._world.app.id not in guild.members:
            raise ApiError(Problem.MISSING_ACCESS)
        return guild
