"""What exists in the local Discord: people, servers, channels, messages."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from companion.playground.vocabulary import (
    MEMBER_DEFAULTS,
    NO_FLAGS,
    NO_PERMISSION,
    THREADS,
    ChannelKind,
    ComponentKind,
    MessageFlag,
    MessageKind,
    Permission,
)
from companion.playground.wire import JsonObject


@dataclass(slots=True, kw_only=True, eq=False)
class Person:
    """A Discord account: someone who types, or the app itself."""

    id: int
    username: str
    display_name: str
    locale: str = "en-US"
    bot: bool = False


@dataclass(slots=True, kw_only=True, eq=False)
class Role:
    """A server's role; the one with the server's own id is `@everyone`."""

    id: int
    name: str
    permissions: Permission = MEMBER_DEFAULTS
    position: int = 0
    mentionable: bool = False
    managed: bool = False
    bot_id: int | None = None


@dataclass(slots=True, kw_only=True, eq=False)
class Member:
    """A person in a server."""

    person: Person
    joined_at: float
    roles: set[int] = field(default_factory=set[int])
    nick: str | None = None


@dataclass(slots=True, kw_only=True, eq=False)
class Guild:
    """A server."""

    id: int
    name: str
    owner_id: int
    roles: dict[int, Role] = field(default_factory=dict[int, Role])
    members: dict[int, Member] = field(default_factory=dict[int, Member])
    locale: str = "en-US"
    most_threads: int = 1000


@dataclass(slots=True, kw_only=True)
class Overwrite:
    """What a channel allows or denies to a role or member."""

    member: bool
    allow: Permission = NO_PERMISSION
    deny: Permission = NO_PERMISSION


@dataclass(slots=True, kw_only=True, eq=False)
class ThreadState:
    """What a thread has on top of a channel."""

    owner_id: int
    created_at: float
    archived: bool = False
    locked: bool = False
    invitable: bool = True
    auto_archive_minutes: int = 1440
    archive_changed_at: float = 0.0
    members: dict[int, float] = field(default_factory=dict[int, float])
    total_messages: int = 0


@dataclass(slots=True, kw_only=True, eq=False)
class Attachment:
    """A file, kept in memory."""

    id: int
    filename: str
    content: bytes = field(repr=False)
    content_type: str | None
    url: str
    description: str | None = None
    ephemeral: bool = False


@dataclass(slots=True, kw_only=True, eq=False)
class Message:
    """A message. `audience` is the only person who sees it when it is ephemeral."""

    id: int
    channel_id: int
    guild_id: int | None
    author: Person
    created_at: float
    content: str = ""
    kind: MessageKind = MessageKind.DEFAULT
    flags: MessageFlag = NO_FLAGS
    embeds: list[JsonObject] = field(default_factory=list[JsonObject])
    components: list[JsonObject] = field(default_factory=list[JsonObject])
    attachments: list[Attachment] = field(default_factory=list[Attachment])
    mentions: list[Person] = field(default_factory=list[Person])
    mention_roles: list[int] = field(default_factory=list[int])
    mention_everyone: bool = False
    reactions: dict[str, set[int]] = field(default_factory=dict[str, set[int]])
    reply_to: Message | None = None
    edited_at: float | None = None
    nonce: str | int | None = None
    audience: int | None = None
    webhook_id: int | None = None
    interaction: JsonObject | None = None
    thread_id: int | None = None
    tts: bool = False
    pings_reply: bool = False
    deleted: bool = False

    @property
    def ephemeral(self) -> bool:
        """Say whether only its audience sees it."""
        return MessageFlag.EPHEMERAL in self.flags

    @property
    def thinking(self) -> bool:
        """Say whether it still shows "thinking…"."""
        return MessageFlag.LOADING in self.flags

    @property
    def text(self) -> str:
        """Return all text that people read: content, or the V2 text displays."""
        return "\n".join([self.content, *text_displays(self.components)]).strip("\n")

    def buttons(self) -> list[JsonObject]:
        """Return all buttons, as Discord's JSON."""
        return [
            item for item in flatten(self.components) if item.get("type") == ComponentKind.BUTTON
        ]

    def visible_to(self, person_id: int | None) -> bool:
        """Say whether that person (or, for `None`, everyone) sees it."""
        return self.audience is None or self.audience == person_id


@dataclass(slots=True, kw_only=True, eq=False)
class Channel:
    """A channel, thread, DM or group DM, with its messages by id, oldest first."""

    id: int
    kind: ChannelKind
    name: str | None
    guild_id: int | None = None
    parent_id: int | None = None
    topic: str | None = None
    position: int = 0
    slow_mode_s: int = 0
    recipients: list[Person] = field(default_factory=list[Person])
    overwrites: dict[int, Overwrite] = field(default_factory=dict[int, Overwrite])
    thread: ThreadState | None = None
    messages: dict[int, Message] = field(default_factory=dict[int, Message])
    last_message_id: int | None = None

    @property
    def is_thread(self) -> bool:
        """Say whether this is a thread."""
        return self.kind in THREADS


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file that a person attaches."""

    filename: str
    content: bytes = field(repr=False)
    content_type: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ping:
    """A notification that a message of the app caused.

    `person_ids` are those who are notified, `kind` why: `user`, `role`, `everyone`,
    `here` or `reply`. `via` is the request that did it: `create` or `edit`.
    """

    message_id: int
    channel_id: int
    kind: str
    person_ids: frozenset[int]
    via: str


def flatten(components: list[JsonObject]) -> list[JsonObject]:
    """Return components and everything nested in them, in order."""
    found: list[JsonObject] = []
    for component in components:
        found.append(component)
        found += flatten(_children(component))
    return found


def _children(component: JsonObject) -> list[JsonObject]:
    children: list[Any] = list(component.get("components") or [])
    children += [component[key] for key in ("accessory", "component") if key in component]
    return [child for child in children if isinstance(child, dict)]


def text_displays(components: list[JsonObject]) -> list[str]:
    """Return the texts of all text displays."""
    kind = ComponentKind.TEXT_DISPLAY
    shown = (item for item in flatten(components) if item.get("type") == kind)
    return [str(item.get("content", "")) for item in shown]
