"""Who is pinged by a message ("Allowed Mentions Object", Discord's documents).

Without `allowed_mentions`, and so with a body that says nothing about it, everything
in the text pings. One thing is stricter here than there: a mention inside of a code
block counts too, so that nobody relies on the Markdown around it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from companion.playground.api_errors import FormErrors
from companion.playground.state import Channel, Guild, Message, Person, Role
from companion.playground.vocabulary import Permission
from companion.playground.wire import as_int, as_list, as_object
from companion.playground.world import World

_USER = re.compile(r"<@!?(\d{1,20})>")
_ROLE = re.compile(r"<@&(\d{1,20})>")
_KINDS = ("roles", "users", "everyone")
_MAX_IDS = 100

__all__ = ["AllowedMentions", "Mentioned", "find_mentions", "read_allowed_mentions"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AllowedMentions:
    """A checked `allowed_mentions`."""

    parse: frozenset[str]
    users: frozenset[int] = frozenset()
    roles: frozenset[int] = frozenset()
    replied_user: bool = False

    def user(self, user_id: int) -> bool:
        """Say whether that person may be mentioned."""
        return "users" in self.parse or user_id in self.users

    def role(self, role_id: int) -> bool:
        """Say whether that role may be mentioned."""
        return "roles" in self.parse or role_id in self.roles


EVERYTHING = AllowedMentions(parse=frozenset(_KINDS), replied_user=True)


def read_allowed_mentions(value: object, errors: FormErrors) -> AllowedMentions | None:
    """Return what a body allows; `None` when it says nothing, which allows everything."""
    if value is None:
        return None
    said = as_object(value)
    if said is None:
        message = "Only dictionaries may be used in a ModelType"
        errors.add(("allowed_mentions",), "MODEL_TYPE_CONVERT", message)
        return None
    parse = as_list(said.get("parse")) or []
    for index, kind in enumerate(parse):
        if kind not in _KINDS:
            errors.choices(("allowed_mentions", "parse", index), str(_KINDS))
    ids = {name: _ids(said.get(name), name, errors) for name in ("users", "roles")}
    for name, listed in ids.items():
        if listed and name in parse:
            message = f'parse:["{name}"] and {name}: [ids...] are mutually exclusive.'
            errors.add(("allowed_mentions",), "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE", message)
    return AllowedMentions(
        parse=frozenset(str(kind) for kind in parse),
        users=ids["users"],
        roles=ids["roles"],
        replied_user=said.get("replied_user") is True,
    )


def _ids(value: object, name: str, errors: FormErrors) -> frozenset[int]:
    listed = as_list(value) or []
    if len(listed) > _MAX_IDS:
        errors.too_long(("allowed_mentions", name), _MAX_IDS)
    found: set[int] = set()
    for index, item in enumerate(listed):
        number = as_int(item)
        if number is None:
            message = f'Value "{item}" is not snowflake.'
            errors.add(("allowed_mentions", name, index), "NUMBER_TYPE_COERCE", message)
        else:
            found.add(number)
    return frozenset(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mentioned:
    """What a text mentions under its allowances. `here` is set when only `@here` is there."""

    users: tuple[Person, ...] = ()
    roles: tuple[Role, ...] = ()
    everyone: bool = False
    here: bool = False
    replied: Person | None = None

    @property
    def people(self) -> list[Person]:
        """Return the persons mentioned by name or by the reply, each once."""
        found = {person.id: person for person in self.users}
        if self.replied is not None:
            found[self.replied.id] = self.replied
        return list(found.values())


_NOBODY = Mentioned()


def find_mentions(
    world: World,
    channel: Channel,
    author: Person,
    text: str,
    *,
    allowed: AllowedMentions | None,
    reply_to: Message | None,
) -> Mentioned:
    """Return what `text` of `author` mentions in `channel`."""
    rules = allowed or EVERYTHING
    replied = reply_to.author if reply_to is not None and rules.replied_user else None
    if "@" not in text:
        return Mentioned(replied=replied)
    guild = world.guild_of(channel)
    may_all = Permission.MENTION_EVERYONE in world.permissions(author, channel)
    in_everyone = guild is not None and may_all and "everyone" in rules.parse
    everyone, here = in_everyone and "@everyone" in text, in_everyone and "@here" in text
    return Mentioned(
        users=tuple(_users(world, text, rules)),
        roles=tuple(_roles(guild, text, rules, may_all=may_all)),
        everyone=everyone,
        here=here and not everyone,
        replied=replied,
    )


def _users(world: World, text: str, rules: AllowedMentions) -> Iterable[Person]:
    for user_id in dict.fromkeys(int(found) for found in _USER.findall(text)):
        if user_id in world.people and rules.user(user_id):
            yield world.people[user_id]


def _roles(
    guild: Guild | None, text: str, rules: AllowedMentions, *, may_all: bool
) -> Iterable[Role]:
    for role_id in dict.fromkeys(int(found) for found in _ROLE.findall(text)):
        role = None if guild is None else guild.roles.get(role_id)
        if role is not None and rules.role(role_id) and (role.mentionable or may_all):
            yield role


def pinged(world: World, channel: Channel, mentioned: Mentioned) -> dict[str, frozenset[int]]:
    """Return whom each kind of mention notifies, by id; only those who see the channel."""
    if mentioned == _NOBODY:
        return {}
    present = {person.id for person in world.audience(channel)}
    guild = world.guild_of(channel)
    found: dict[str, set[int]] = {
        "user": {person.id for person in mentioned.users},
        "role": set(),
        "everyone": present if mentioned.everyone else set(),
        "here": present if mentioned.here else set(),
        "reply": {mentioned.replied.id} if mentioned.replied else set(),
    }
    for role in mentioned.roles:
        assert guild is not None
        holders = (m for m in guild.members.values() if role.id in m.roles or role.id == guild.id)
        found["role"] |= {member.person.id for member in holders}
    return {kind: frozenset(ids & present) for kind, ids in found.items() if ids & present}
