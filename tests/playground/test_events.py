from __future__ import annotations

import asyncio

from companion.playground.events import EventKind, Subscription, WorldEvent
from companion.playground.local_discord import LocalDiscord
from tests.playground.raw import RawApp, identified


async def next_of(events: Subscription, kind: EventKind) -> WorldEvent:
    async with asyncio.timeout(3):
        while True:
            event = await anext(events)
            if event.kind is kind:
                return event


async def test_people_see_an_answer_grow(local: LocalDiscord, app: RawApp):
    events = local.subscribe()
    interaction = await local.invoke("Ada", "general", "ask")
    await app.callback(interaction, 5)
    await app.original("PATCH", interaction, {"content": "so"})
    await app.original("DELETE", interaction)
    created = await next_of(events, EventKind.MESSAGE_CREATED)
    edited = await next_of(events, EventKind.MESSAGE_EDITED)
    deleted = await next_of(events, EventKind.MESSAGE_DELETED)
    assert created.message is edited.message is deleted.message
    assert created.audience is None


async def test_ephemeral_events_name_their_only_reader(local: LocalDiscord, app: RawApp):
    events = local.subscribe()
    interaction = await local.invoke("Ada", "general", "ask")
    await app.callback(interaction, 4, {"content": "psst", "flags": 64})
    event = await next_of(events, EventKind.MESSAGE_CREATED)
    assert event.audience == local.world.person("Ada").id


async def test_ephemerals_are_not_sent_to_the_gateway(local: LocalDiscord, app: RawApp):
    async with identified(app) as gateway:
        interaction = await local.invoke("Ada", "general", "ask")
        await app.callback(interaction, 4, {"content": "psst", "flags": 64})
        assert await gateway.nothing_but() == ["INTERACTION_CREATE"]


async def test_interaction_states_are_told(local: LocalDiscord, app: RawApp):
    events = local.subscribe()
    interaction = await local.invoke("Ada", "general", "ask")
    local.clock.advance(3)
    while True:
        event = await next_of(events, EventKind.INTERACTION)
        assert event.interaction is interaction
        if interaction.failed:
            break


async def test_app_comes_online_and_goes(local: LocalDiscord, app: RawApp):
    events = local.subscribe()
    async with identified(app):
        await next_of(events, EventKind.APP_ONLINE)
        assert local.gateway.online
    await next_of(events, EventKind.APP_OFFLINE)
    assert not local.gateway.online


async def test_commands_typing_and_channels_are_told(local: LocalDiscord, app: RawApp):
    events = local.subscribe()
    await app.register("new")
    await next_of(events, EventKind.COMMANDS)
    await local.type("Ada", "general")
    typing = await next_of(events, EventKind.TYPING)
    assert typing.person is local.world.person("Ada")
    added = local.world.add_channel("Playground", "later")
    assert (await next_of(events, EventKind.CHANNEL_CREATED)).channel is added


async def test_dropped_subscription_costs_nothing_more(local: LocalDiscord):
    held, dropped = local.subscribe(), local.subscribe()
    del dropped
    await local.say("Ada", "general", "x")
    assert (await next_of(held, EventKind.MESSAGE_CREATED)).message is not None
