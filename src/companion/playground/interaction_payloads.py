"""INTERACTION_CREATE, as Discord sends it ("Receiving and Responding", its documents)."""

from __future__ import annotations

from companion.playground import payloads
from companion.playground.interaction import Interaction
from companion.playground.message_drafts import FILE_SIZE_LIMIT
from companion.playground.state import Channel, Guild, Message, Person
from companion.playground.vocabulary import (
    EVERYTHING,
    ChannelKind,
    ContextKind,
    InteractionKind,
    Permission,
)
from companion.playground.wire import JsonObject
from companion.playground.world import World


def integration_owners(world: World, interaction: Interaction) -> JsonObject:
    """Return who installed the app: key 0 a server (0 in its DM), key 1 a person."""
    channel = interaction.channel
    owners: JsonObject = {}
    if "guild" in interaction.install:
        owners["0"] = str(channel.guild_id or 0)
    if "user" in interaction.install:
        owners["1"] = str(interaction.person.id)
    return owners


def context_of(channel: Channel) -> ContextKind:
    """Return where an interaction in that channel happens."""
    if channel.guild_id is not None:
        return ContextKind.GUILD
    return ContextKind.BOT_DM if channel.kind is ChannelKind.DM else ContextKind.PRIVATE_CHANNEL


def installed_by(world: World, channel: Channel, source: Message | None = None) -> str:
    """Return whose installation an interaction belongs to, unless a test says otherwise.

    What is clicked belongs where the message came from; a command to the server where
    the app is, else to the person, as in a group DM.
    """
    owners = (source.interaction or {}).get("authorizing_integration_owners") if source else None
    if owners:
        return "+".join(("guild", "user")[int(key)] for key in sorted(owners))
    guild = world.guild_of(channel)
    outside = (
        channel.kind is ChannelKind.GROUP_DM
        if guild is None
        else (world.app.id not in guild.members)
    )
    return "user" if outside else "guild"


def interaction_create(
    world: World, interaction: Interaction, source: JsonObject | None
) -> JsonObject:
    """Return the gateway payload of an interaction; `source` is the message clicked on."""
    channel, person = interaction.channel, interaction.person
    mine = world.permissions(person, channel)
    payload: JsonObject = {
        "version": 1,
        "type": int(interaction.kind),
        "token": interaction.token,
        "id": str(interaction.id),
        "application_id": str(world.app.id),
        "data": interaction.data,
        "channel_id": str(channel.id),
        "channel": payloads.interaction_channel(channel, mine),
        "locale": person.locale,
        "app_permissions": str(int(_app_permissions(world, channel))),
        "authorizing_integration_owners": integration_owners(world, interaction),
        "context": int(context_of(channel)),
        "entitlements": [],
        "entitlement_sku_ids": [],
        "attachment_size_limit": FILE_SIZE_LIMIT,
    }
    if source is not None:
        payload["message"] = source
    guild = world.guild_of(channel)
    return payload | _who(guild, person, mine)


def _who(guild: Guild | None, person: Person, mine: Permission) -> JsonObject:
    if guild is None:
        return {"user": payloads.user(person)}
    member = payloads.member(guild.members[person.id]) | {"permissions": str(int(mine))}
    return {
        "guild_id": str(guild.id),
        "guild": {"id": str(guild.id), "locale": guild.locale, "features": []},
        "guild_locale": guild.locale,
        "member": member,
    }


def _app_permissions(world: World, channel: Channel) -> Permission:
    if channel.guild_id is not None:
        guild = world.guilds[channel.guild_id]
        if world.app.id in guild.members:
            return world.permissions(world.app, channel)
    everyday = Permission.ATTACH_FILES | Permission.EMBED_LINKS | Permission.MENTION_EVERYONE
    return (everyday | Permission.USE_EXTERNAL_EMOJIS) & EVERYTHING


def metadata(
    world: World, interaction: Interaction, *, original_id: int | None = None
) -> JsonObject:
    """Return the `interaction_metadata` of an answer; follow-ups name the original."""
    payload: JsonObject = {
        "id": str(interaction.id),
        "type": int(interaction.kind),
        "user": payloads.user(interaction.person),
        "authorizing_integration_owners": integration_owners(world, interaction),
    }
    if interaction.kind is InteractionKind.COMMAND:
        payload |= {"name": interaction.name, "command_type": interaction.data.get("type", 1)}
    if interaction.source is not None and interaction.kind is InteractionKind.COMPONENT:
        payload["interacted_message_id"] = str(interaction.source.id)
    if interaction.from_modal is not None:
        payload["triggering_interaction_metadata"] = metadata(world, interaction.from_modal)
    if original_id is not None:
        payload["original_response_message_id"] = str(original_id)
    return payload
