"""Who wrote a message and where, read from the message itself.

Unlike an interaction, a message does not say what its author may do. Their roles come
with it; what those allow is in the cache of the server. Whatever is unknown is no right.
"""

from __future__ import annotations

from typing import Final

import discord

from companion.bot.origin import NAME_LIMIT
from companion.domain.actor import Actor, ChannelId, DiscordUserId, GuildId, Place, PlaceKind
from companion.domain.markdown import clean_label

_ROOMS: Final = (discord.TextChannel, discord.VoiceChannel, discord.StageChannel)


def author_of(message: discord.Message) -> Actor:
    """Return whoever wrote a message."""
    author = message.author
    return Actor(
        name=clean_label(author.display_name, NAME_LIMIT) or "someone",
        discord_id=DiscordUserId(author.id),
        role_ids=_role_ids(author),
        manages_guild=_manages_guild(author),
    )


def place_of_message(message: discord.Message) -> Place | None:
    """Return where it was written; `None` when that is nothing the app knows."""
    channel = message.channel
    if isinstance(channel, discord.DMChannel):
        return Place(kind=PlaceKind.DM, channel_id=ChannelId(channel.id))
    if isinstance(channel, discord.Thread):
        return Place(
            kind=PlaceKind.THREAD,
            channel_id=ChannelId(channel.id),
            guild_id=GuildId(channel.guild.id),
            parent_id=ChannelId(channel.parent_id),
        )
    if isinstance(channel, _ROOMS):
        guild = GuildId(channel.guild.id)
        return Place(kind=PlaceKind.CHANNEL, channel_id=ChannelId(channel.id), guild_id=guild)
    return None


def may_speak(channel: discord.abc.MessageableChannel) -> bool:
    """Say whether the app may write there, as far as it knows: Discord has the last word."""
    if isinstance(channel, discord.Thread):
        granted = _granted(channel)
        if granted is None:
            return True
        shut = channel.locked and not granted.manage_threads
        return granted.view_channel and granted.send_messages_in_threads and not shut
    if isinstance(channel, _ROOMS):
        granted = _granted(channel)
        return granted is None or (granted.view_channel and granted.send_messages)
    return True


def may_thread(channel: discord.abc.MessageableChannel) -> bool:
    """Say whether the app may start public threads there and write in them."""
    if not isinstance(channel, discord.TextChannel):
        return False
    granted = _granted(channel)
    return granted is None or (
        granted.view_channel and granted.create_public_threads and granted.send_messages_in_threads
    )


def _granted(channel: discord.abc.GuildChannel | discord.Thread) -> discord.Permissions | None:
    me = channel.guild.get_member(channel._state.self_id or 0)  # pyright: ignore[reportPrivateUsage]
    if me is None:
        return None
    try:
        return channel.permissions_for(me)
    except discord.ClientException:
        return None  # a thread below a channel that is not in the cache


def _manages_guild(author: discord.User | discord.Member) -> bool:
    if not isinstance(author, discord.Member):
        return False
    granted = author.guild_permissions
    return granted.manage_guild or granted.administrator


def _role_ids(author: discord.User | discord.Member) -> frozenset[int]:
    if not isinstance(author, discord.Member):
        return frozenset()
    return frozenset(author._roles)  # pyright: ignore[reportPrivateUsage]
