"""Who asks, where, and through which door."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NewType
from uuid import UUID

PersonId = NewType("PersonId", UUID)
DiscordUserId = NewType("DiscordUserId", int)
GuildId = NewType("GuildId", int)
ChannelId = NewType("ChannelId", int)
InteractionId = NewType("InteractionId", int)
"""The snowflake of whatever asked: an interaction, or a message."""
MessageId = NewType("MessageId", int)


class Door(StrEnum):
    """The way a request came in; written to the provider log."""

    SLASH = "slash"
    COMPONENT = "component"
    MODAL = "modal"
    MENTION = "mention"
    MESSAGE = "message"
    MESSAGE_COMMAND = "message_command"
    HTTP = "http"


class PlaceKind(StrEnum):
    """What kind of place a request came from."""

    CHANNEL = "channel"
    THREAD = "thread"
    DM = "dm"
    GROUP_DM = "group_dm"
    HTTP = "http"


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Whoever asks: a Discord user or a user of the HTTP API, never both.

    `manages_guild` is what Discord said of this member in this very request
    (MANAGE_GUILD or ADMINISTRATOR), never a stored copy; `moderates` (MANAGE_MESSAGES)
    holds for the place of the request.
    """

    name: str
    discord_id: DiscordUserId | None = None
    http_id: str | None = None
    role_ids: frozenset[int] = frozenset()
    manages_guild: bool = False
    moderates: bool = False
    locale: str = "en-US"

    def __post_init__(self) -> None:
        if (self.discord_id is None) == (self.http_id is None):
            raise ValueError("an actor has exactly one of discord_id and http_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a request came from. `parent_id` is a thread's channel.

    `user_install_only`: the app is not a member of this server; only the person
    installed it (Discord: key "1" alone in `authorizing_integration_owners`).
    """

    kind: PlaceKind
    channel_id: ChannelId | None = None
    guild_id: GuildId | None = None
    parent_id: ChannelId | None = None
    user_install_only: bool = False

    @property
    def server(self) -> GuildId | None:
        """The server, where the app is a member of it: only there anything is the server's."""
        return None if self.user_install_only else self.guild_id
