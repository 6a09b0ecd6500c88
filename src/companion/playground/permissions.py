"""What a member may do where ("Permissions", Discord's documents)."""

from __future__ import annotations

from companion.playground.state import Channel, Guild, Member, Overwrite, Person
from companion.playground.vocabulary import EVERYTHING, NO_PERMISSION, ChannelKind, Permission

DM_PERMISSIONS = (
    Permission.VIEW_CHANNEL
    | Permission.SEND_MESSAGES
    | Permission.EMBED_LINKS
    | Permission.ATTACH_FILES
    | Permission.READ_MESSAGE_HISTORY
    | Permission.ADD_REACTIONS
    | Permission.USE_EXTERNAL_EMOJIS
    | Permission.MENTION_EVERYONE
    | Permission.USE_APPLICATION_COMMANDS
)


def in_guild(guild: Guild, member: Member) -> Permission:
    """Return a member's permissions before any channel's overwrites."""
    if guild.owner_id == member.person.id:
        return EVERYTHING
    granted = guild.roles[guild.id].permissions
    for role_id in member.roles:
        granted |= guild.roles[role_id].permissions
    return EVERYTHING if Permission.ADMINISTRATOR in granted else granted


def in_channel(guild: Guild, member: Member, overwrites: dict[int, Overwrite]) -> Permission:
    """Return a member's permissions under a channel's overwrites (for a thread: its parent's)."""
    granted = in_guild(guild, member)
    if granted == EVERYTHING or not overwrites:
        return granted
    everyone = overwrites.get(guild.id)
    if everyone is not None:
        granted = (granted & ~everyone.deny) | everyone.allow
    of_roles = [overwrites[role] for role in member.roles if role in overwrites]
    for overwrite in of_roles:
        granted &= ~overwrite.deny
    for overwrite in of_roles:
        granted |= overwrite.allow
    own = overwrites.get(member.person.id)
    if own is not None:
        granted = (granted & ~own.deny) | own.allow
    return granted if Permission.VIEW_CHANNEL in granted else NO_PERMISSION


def is_open_to(channel: Channel, person: Person, granted: Permission) -> bool:
    """Say whether a person with these permissions gets into a channel: private threads are shut."""
    state = channel.thread
    if channel.kind is not ChannelKind.PRIVATE_THREAD or state is None:
        return True
    return person.id in state.members or Permission.MANAGE_THREADS in granted


def sending_needs(channel: Channel) -> Permission:
    """Return what sending a message to that channel takes."""
    send = Permission.SEND_MESSAGES_IN_THREADS if channel.is_thread else Permission.SEND_MESSAGES
    return Permission.VIEW_CHANNEL | send


def can_hold_messages(channel: Channel) -> bool:
    """Say whether that channel has messages at all."""
    return channel.kind is not ChannelKind.CATEGORY
