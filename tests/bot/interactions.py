"""Real py-cord interactions from payloads, without a connection."""

from __future__ import annotations

from typing import Any, cast

import discord

APP_ID = 500
PERSON_ID = 11
PERSON: dict[str, Any] = {
    "id": str(PERSON_ID),
    "username": "ada",
    "global_name": "Ada",
    "discriminator": "0",
    "avatar": None,
}


def interaction(**changes: Any) -> discord.Interaction:
    """Build an interaction of Ada's in a direct message, changed as told."""
    bot = discord.AutoShardedBot(intents=discord.Intents.none())
    payload: dict[str, Any] = {
        "id": "900",
        "application_id": str(APP_ID),
        "type": 2,
        "token": "interaction-token",
        "version": 1,
        "channel_id": "77",
        "channel": {"id": "77", "type": 1},
        "context": 1,
        "user": PERSON,
        "locale": "en-GB",
        "authorizing_integration_owners": {"0": "0"},
        "entitlements": [],
        "app_permissions": "0",
        "attachment_size_limit": 1024,
        "data": {"id": "1", "name": "ask", "type": 1},
    }
    payload.update(changes)
    return discord.Interaction(data=cast("Any", payload), state=bot._connection)  # pyright: ignore[reportPrivateUsage]


def in_guild(*, permissions: int = 0, roles: tuple[int, ...] = (), **changes: Any) -> Any:
    """Build an interaction of Ada's in a server."""
    member = {
        "user": PERSON,
        "permissions": str(permissions),
        "roles": [str(role) for role in roles],
        "joined_at": "2026-01-01T00:00:00+00:00",
        "deaf": False,
        "mute": False,
        "flags": 0,
        "nick": None,
    }
    payload: dict[str, Any] = {
        "guild_id": "33",
        "guild": {"id": "33", "locale": "en-US", "features": []},
        "member": member,
        "channel": {"id": "77", "type": 0, "name": "general", "position": 0},
        "context": 0,
        "authorizing_integration_owners": {"0": "33"},
    }
    return interaction(**{**payload, **changes})
