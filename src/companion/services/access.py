"""One gate for every door: slash command, button, modal, mention, message, HTTP.

What nobody thought of is denied. Rights are what the request itself says of the
person at this moment, never a stored copy.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from companion.domain.accounts import KeyScope
from companion.domain.actor import Actor, Door, GuildId, Place, PlaceKind
from companion.domain.errors import ManagerOnly, NotAllowed
from companion.domain.server_errors import NotInServer

_IN_SERVER = frozenset({PlaceKind.CHANNEL, PlaceKind.THREAD})


class Purpose(StrEnum):
    """What someone wants to do."""

    CHAT = "chat"
    OWN_KEY = "own_key"
    SERVER_KEY = "server_key"
    OWN_DATA = "own_data"
    SERVER_SETTINGS = "server_settings"

    @classmethod
    def of_key(cls, scope: KeyScope) -> Purpose:
        """Return the purpose of looking at, saving or removing a key."""
        return cls.SERVER_KEY if scope is KeyScope.SERVER else cls.OWN_KEY


@dataclass(frozen=True, slots=True, kw_only=True)
class Permit:
    """What was allowed, and the rule that decided."""

    purpose: Purpose
    rule: str


class AccessGate:
    """Decides who may do what, where."""

    def __init__(self) -> None:
        self._left: set[GuildId] = set()

    def shut(self, guild: GuildId) -> None:
        """Let nobody ask there any more: the app is not a member now."""
        self._left.add(guild)

    def open(self, guild: GuildId) -> None:
        """Take that back."""
        self._left.discard(guild)

    def check(
        self, actor: Actor, place: Place, door: Door | None, purpose: Purpose = Purpose.CHAT
    ) -> Permit:
        """Return what was decided.

        Raises `NotAllowed`, as `ManagerOnly` or `NotInServer` where that is the reason.
        """
        if not _is_known(actor, place, door):
            raise NotAllowed
        if place.server in self._left:
            raise NotInServer
        if purpose in {Purpose.SERVER_KEY, Purpose.SERVER_SETTINGS}:
            if not may_manage(actor, place.guild_id):
                raise ManagerOnly
            if purpose is Purpose.SERVER_SETTINGS and place.server is None:
                raise NotInServer  # they would hold nowhere, and nothing would ever end them
            return Permit(purpose=purpose, rule=ManagerOnly.rule)
        return Permit(purpose=purpose, rule="everyone")


def may_manage(actor: Actor, guild_id: GuildId | None) -> bool:
    """Say whether the actor manages that server; outside of servers nobody does."""
    return actor.manages_guild and guild_id is not None


def may_moderate(actor: Actor, guild_id: GuildId | None) -> bool:
    """Say whether the actor may do something about others' answers in that place of a server."""
    return (actor.manages_guild or actor.moderates) and guild_id is not None


def identity(actor: Actor) -> str:
    """Return what tells this actor from all others, known before any look into the database."""
    return (
        f"discord:{actor.discord_id}" if actor.discord_id is not None else f"http:{actor.http_id}"
    )


def _is_known(actor: Actor, place: Place, door: Door | None) -> bool:
    """Say whether actor, place and door fit together."""
    if place.kind is PlaceKind.HTTP:
        # a Discord person comes in here with a token of their own
        return door in {Door.HTTP, None} and place.guild_id is None
    if actor.discord_id is None or door is Door.HTTP or place.channel_id is None:
        return False
    return (place.kind in _IN_SERVER) == (place.guild_id is not None)
