"""Who is typing."""

from __future__ import annotations

from companion.playground import payloads
from companion.playground.events import Dispatch, EventKind, WorldEvent
from companion.playground.state import Channel, Person
from companion.playground.vocabulary import Intent
from companion.playground.wire import JsonObject
from companion.playground.world import World


def announce_typing(world: World, who: Person, where: Channel) -> None:
    """Tell the app and all people that somebody types."""
    world.bus.announce(WorldEvent(kind=EventKind.TYPING, channel=where, person=who))
    data: JsonObject = {
        "channel_id": str(where.id),
        "user_id": str(who.id),
        "timestamp": int(world.clock.now()),
    }
    guild = world.guild_of(where)
    if guild is not None:
        data["guild_id"] = str(guild.id)
        data["member"] = payloads.member(guild.members[who.id])
    intent = Intent.DIRECT_MESSAGE_TYPING if guild is None else Intent.GUILD_MESSAGE_TYPING
    world.bus.dispatch(
        Dispatch(name="TYPING_START", data=data, guild_id=where.guild_id, intent=intent)
    )
