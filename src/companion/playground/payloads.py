"""Discord's JSON for what exists."""

from __future__ import annotations

from companion.playground.state import (
    Attachment,
    Channel,
    Guild,
    Member,
    Message,
    Overwrite,
    Person,
    Role,
)
from companion.playground.vocabulary import ChannelKind, MessageKind, Permission
from companion.playground.wire import JsonObject
from companion.playground.world_clock import timestamp


def user(person: Person) -> JsonObject:
    """Return a user object."""
    return {
        "id": str(person.id),
        "username": person.username,
        "global_name": None if person.bot else person.display_name,
        "discriminator": "0",
        "avatar": None,
        "bot": person.bot,
        "public_flags": 0,
    }


def member(one: Member, *, with_user: bool = True) -> JsonObject:
    """Return a guild member object."""
    payload: JsonObject = {
        "roles": [str(role) for role in one.roles],
        "nick": one.nick,
        "avatar": None,
        "joined_at": timestamp(one.joined_at),
        "premium_since": None,
        "communication_disabled_until": None,
        "deaf": False,
        "mute": False,
        "flags": 0,
        "pending": False,
    }
    if with_user:
        payload["user"] = user(one.person)
    return payload


def role(one: Role) -> JsonObject:
    """Return a role object."""
    payload: JsonObject = {
        "id": str(one.id),
        "name": one.name,
        "permissions": str(int(one.permissions)),
        "position": one.position,
        "color": 0,
        "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
        "hoist": False,
        "managed": one.managed,
        "mentionable": one.mentionable,
        "flags": 0,
    }
    if one.bot_id is not None:
        payload["tags"] = {"bot_id": str(one.bot_id)}
    return payload


def channel(one: Channel) -> JsonObject:
    """Return a channel object."""
    payload: JsonObject = {
        "id": str(one.id),
        "type": int(one.kind),
        "last_message_id": _id(one.last_message_id),
        "flags": 0,
    }
    if one.kind in {ChannelKind.DM, ChannelKind.GROUP_DM}:
        payload["recipients"] = [user(person) for person in one.recipients]
        if one.kind is ChannelKind.GROUP_DM:
            payload |= {"name": one.name, "icon": None, "owner_id": str(one.recipients[0].id)}
        return payload
    payload |= {
        "guild_id": _id(one.guild_id),
        "name": one.name,
        "parent_id": _id(one.parent_id),
        "rate_limit_per_user": one.slow_mode_s,
    }
    return payload | (_thread_fields(one) if one.is_thread else _text_fields(one))


def _text_fields(one: Channel) -> JsonObject:
    return {
        "topic": one.topic,
        "position": one.position,
        "nsfw": False,
        "permission_overwrites": [overwrite(id_, o) for id_, o in one.overwrites.items()],
    }


def _thread_fields(one: Channel) -> JsonObject:
    state = one.thread
    assert state is not None
    return {
        "owner_id": str(state.owner_id),
        "member_count": min(len(state.members), 50),
        "message_count": len(one.messages),
        "total_message_sent": state.total_messages,
        "thread_metadata": {
            "archived": state.archived,
            "archive_timestamp": timestamp(state.archive_changed_at or state.created_at),
            "auto_archive_duration": state.auto_archive_minutes,
            "locked": state.locked,
            "invitable": state.invitable,
            "create_timestamp": timestamp(state.created_at),
        },
    }


def overwrite(target_id: int, one: Overwrite) -> JsonObject:
    """Return a permission overwrite object."""
    return {
        "id": str(target_id),
        "type": int(one.member),
        "allow": str(int(one.allow)),
        "deny": str(int(one.deny)),
    }


def interaction_channel(one: Channel, permissions: Permission) -> JsonObject:
    """Return the partial channel of an interaction."""
    payload = channel(one)
    payload.pop("permission_overwrites", None)
    if one.guild_id is not None:
        payload["permissions"] = str(int(permissions))
    return payload


def thread_member(one: Channel, person_id: int) -> JsonObject:
    """Return a thread member object."""
    assert one.thread is not None
    return {
        "id": str(one.id),
        "user_id": str(person_id),
        "join_timestamp": timestamp(one.thread.members[person_id]),
        "flags": 0,
    }


def guild(one: Guild) -> JsonObject:
    """Return a guild object."""
    return {
        "id": str(one.id),
        "name": one.name,
        "icon": None,
        "splash": None,
        "discovery_splash": None,
        "owner_id": str(one.owner_id),
        "afk_channel_id": None,
        "afk_timeout": 300,
        "verification_level": 0,
        "default_message_notifications": 1,
        "explicit_content_filter": 0,
        "roles": [role(each) for each in one.roles.values()],
        "emojis": [],
        "stickers": [],
        "features": [],
        "mfa_level": 0,
        "application_id": None,
        "system_channel_id": None,
        "system_channel_flags": 0,
        "rules_channel_id": None,
        "vanity_url_code": None,
        "description": None,
        "banner": None,
        "premium_tier": 0,
        "premium_progress_bar_enabled": False,
        "preferred_locale": one.locale,
        "public_updates_channel_id": None,
        "nsfw_level": 0,
        "safety_alerts_channel_id": None,
    }


def attachment(one: Attachment) -> JsonObject:
    """Return an attachment object."""
    payload: JsonObject = {
        "id": str(one.id),
        "filename": one.filename,
        "size": len(one.content),
        "url": one.url,
        "proxy_url": one.url,
        "flags": 0,
    }
    optional = {"content_type": one.content_type, "description": one.description}
    payload |= {key: value for key, value in optional.items() if value is not None}
    if one.ephemeral:
        payload["ephemeral"] = True
    return payload


def message(one: Message, *, nested: bool = False) -> JsonObject:
    """Return a message object; the message it replies to comes along unless `nested`."""
    payload: JsonObject = {
        "id": str(one.id),
        "type": int(one.kind),
        "channel_id": str(one.channel_id),
        "author": user(one.author),
        "content": one.content,
        "timestamp": timestamp(one.created_at),
        "edited_timestamp": None if one.edited_at is None else timestamp(one.edited_at),
        "tts": one.tts,
        "mention_everyone": one.mention_everyone,
        "mentions": [user(person) for person in one.mentions],
        "mention_roles": [str(role_id) for role_id in one.mention_roles],
        "attachments": [attachment(each) for each in one.attachments],
        "embeds": one.embeds,
        "components": one.components,
        "pinned": False,
        "flags": int(one.flags),
    }
    if one.nonce is not None:
        payload["nonce"] = one.nonce
    if one.webhook_id is not None:
        payload |= {"webhook_id": str(one.webhook_id), "application_id": str(one.webhook_id)}
    if one.interaction is not None:
        payload["interaction_metadata"] = one.interaction
    if one.reactions:
        payload["reactions"] = [_reaction(one, emoji) for emoji in one.reactions]
    if one.kind is MessageKind.REPLY and one.reply_to is not None:
        payload |= _reply(one, one.reply_to, nested=nested)
    return payload


def _reply(one: Message, target: Message, *, nested: bool) -> JsonObject:
    reference: JsonObject = {
        "type": 0,
        "message_id": str(target.id),
        "channel_id": str(one.channel_id),
    }
    if one.guild_id is not None:
        reference["guild_id"] = str(one.guild_id)
    payload: JsonObject = {"message_reference": reference}
    if not nested:
        shown = None if target.deleted else message(target, nested=True)
        payload["referenced_message"] = shown
    return payload


def _reaction(one: Message, emoji: str) -> JsonObject:
    count = len(one.reactions[emoji])
    return {
        "emoji": {"id": None, "name": emoji},
        "count": count,
        "count_details": {"burst": 0, "normal": count},
        "me": False,
        "me_burst": False,
        "burst_colors": [],
    }


def _id(value: int | None) -> str | None:
    return None if value is None else str(value)
