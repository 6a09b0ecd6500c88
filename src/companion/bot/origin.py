"""Who asks and where, read from an interaction.

Rights come from the interaction itself (Discord computes them for this member, in
this channel, now), never from a cache.
"""

from __future__ import annotations

from typing import Final

import discord

from companion.domain.actor import Actor, ChannelId, DiscordUserId, GuildId, Place, PlaceKind
from companion.domain.markdown import clean_label

NAME_LIMIT: Final = 80


def actor_of(interaction: discord.Interaction) -> Actor:
    """Return whoever caused this interaction (for a click: who clicked)."""
    user = interaction.user
    if user is None:
        raise ValueError("an interaction of a person names them")
    permissions = interaction.permissions
    return Actor(
        name=clean_label(user.display_name, NAME_LIMIT) or "someone",
        discord_id=DiscordUserId(user.id),
        role_ids=_role_ids(user),
        manages_guild=permissions.manage_guild or permissions.administrator,
        moderates=permissions.manage_messages,
        locale=interaction.locale or "en-US",
    )


def place_of(interaction: discord.Interaction) -> Place:
    """Return where it happened."""
    channel = interaction.channel
    thread = channel if isinstance(channel, discord.Thread) else None
    return Place(
        kind=_kind(interaction, in_thread=thread is not None),
        channel_id=ChannelId(interaction.channel_id) if interaction.channel_id else None,
        guild_id=GuildId(interaction.guild_id) if interaction.guild_id else None,
        parent_id=ChannelId(thread.parent_id) if thread else None,
        user_install_only=only_person_installed(interaction),
    )


def _kind(interaction: discord.Interaction, *, in_thread: bool) -> PlaceKind:
    if interaction.guild_id is not None:
        return PlaceKind.THREAD if in_thread else PlaceKind.CHANNEL
    # a direct message between two people counts as a group: someone else reads along
    if interaction.context is discord.InteractionContextType.private_channel:
        return PlaceKind.GROUP_DM
    return PlaceKind.DM


def only_person_installed(interaction: discord.Interaction) -> bool:
    """Return whether the app is no member of this server: only the person installed it."""
    owners = interaction.authorizing_integration_owners
    return owners.user_id is not None and owners.guild_id is None


def _role_ids(user: discord.User | discord.Member) -> frozenset[int]:
    if not isinstance(user, discord.Member):
        return frozenset()
    # `Member.roles` needs the server in the cache; the ids came with the interaction
    return frozenset(user._roles)  # pyright: ignore[reportPrivateUsage]
