from __future__ import annotations

from dataclasses import replace

import pytest

from companion.domain.actor import Actor, ChannelId, DiscordUserId, Door, GuildId, Place, PlaceKind
from companion.domain.errors import ManagerOnly, NotAllowed
from companion.domain.server_errors import NotInServer
from companion.services.access import AccessGate, Purpose

LEFT = GuildId(9)
ADA = Actor(name="Ada", discord_id=DiscordUserId(1))
ADMIN = Actor(name="Admin", discord_id=DiscordUserId(2), manages_guild=True)
CLIENT = Actor(name="client", http_id="client")


def place(kind: PlaceKind, *, guild: int | None = None, channel: int | None = 1) -> Place:
    return Place(
        kind=kind,
        channel_id=None if channel is None else ChannelId(channel),
        guild_id=None if guild is None else GuildId(guild),
    )


@pytest.mark.parametrize(
    ("actor", "where", "door"),
    [
        (ADA, place(PlaceKind.CHANNEL, guild=9), Door.SLASH),
        (ADA, place(PlaceKind.THREAD, guild=9), Door.MENTION),
        (ADA, place(PlaceKind.DM), Door.MESSAGE),
        (ADA, place(PlaceKind.GROUP_DM), Door.COMPONENT),
        (CLIENT, place(PlaceKind.HTTP, channel=None), Door.HTTP),
        (ADA, place(PlaceKind.HTTP, channel=None), Door.HTTP),
    ],
)
def test_everyone_may_chat_in_every_known_place(actor: Actor, where: Place, door: Door) -> None:
    assert AccessGate().check(actor, where, door).rule == "everyone"


@pytest.mark.parametrize(
    ("actor", "where", "door"),
    [
        (ADA, place(PlaceKind.CHANNEL), Door.SLASH),
        (ADA, place(PlaceKind.THREAD), Door.SLASH),
        (ADA, place(PlaceKind.DM, guild=9), Door.SLASH),
        (ADA, place(PlaceKind.GROUP_DM, guild=9), Door.SLASH),
        (ADA, place(PlaceKind.CHANNEL, guild=9, channel=None), Door.SLASH),
        (ADA, place(PlaceKind.CHANNEL, guild=9), Door.HTTP),
        (CLIENT, place(PlaceKind.CHANNEL, guild=9), Door.HTTP),
        (CLIENT, place(PlaceKind.HTTP, channel=None), Door.SLASH),
        (CLIENT, place(PlaceKind.HTTP, guild=9, channel=None), Door.HTTP),
    ],
)
def test_what_does_not_fit_together_is_denied(actor: Actor, where: Place, door: Door) -> None:
    with pytest.raises(NotAllowed):
        AccessGate().check(actor, where, door)


def test_a_servers_key_is_for_its_managers() -> None:
    here = place(PlaceKind.CHANNEL, guild=9)
    permit = AccessGate().check(ADMIN, here, Door.MODAL, Purpose.SERVER_KEY)
    assert permit.rule == "manage_guild"
    with pytest.raises(ManagerOnly):
        AccessGate().check(ADA, here, Door.MODAL, Purpose.SERVER_KEY)


def test_outside_of_servers_nobody_manages_one() -> None:
    with pytest.raises(ManagerOnly):
        AccessGate().check(ADMIN, place(PlaceKind.DM), Door.MODAL, Purpose.SERVER_KEY)


def test_nobody_asks_in_a_server_that_the_app_left_until_it_is_back() -> None:
    gate, here = AccessGate(), place(PlaceKind.CHANNEL, guild=LEFT)
    gate.shut(LEFT)
    with pytest.raises(NotInServer):
        gate.check(ADA, here, Door.SLASH)
    gate.check(ADA, replace(here, user_install_only=True), Door.SLASH)
    gate.check(ADA, place(PlaceKind.CHANNEL, guild=8), Door.SLASH)
    gate.check(ADA, place(PlaceKind.DM), Door.SLASH)
    gate.open(LEFT)
    gate.check(ADA, here, Door.SLASH)


def test_a_server_has_settings_only_where_the_app_is_a_member() -> None:
    here = place(PlaceKind.CHANNEL, guild=9)
    AccessGate().check(ADMIN, here, None, Purpose.SERVER_SETTINGS)
    with pytest.raises(NotInServer):
        brought = replace(here, user_install_only=True)
        AccessGate().check(ADMIN, brought, None, Purpose.SERVER_SETTINGS)
