from __future__ import annotations

from typing import Any

import pytest

from companion.bot.origin import actor_of, place_of
from companion.domain.actor import PlaceKind
from tests.bot.interactions import PERSON, PERSON_ID, in_guild, interaction

MANAGE_GUILD = 1 << 5
ADMINISTRATOR = 1 << 3
THREAD: dict[str, Any] = {
    "id": "77",
    "type": 11,
    "name": "talk",
    "parent_id": "70",
    "guild_id": "33",
    "owner_id": str(PERSON_ID),
    "message_count": 0,
    "member_count": 1,
    "thread_metadata": {
        "archived": False,
        "auto_archive_duration": 60,
        "archive_timestamp": "2026-01-01T00:00:00+00:00",
        "locked": False,
    },
}


async def test_person_in_a_direct_message() -> None:
    asked = interaction()
    actor, place = actor_of(asked), place_of(asked)
    assert (actor.discord_id, actor.name, actor.locale) == (PERSON_ID, "Ada", "en-GB")
    assert not actor.manages_guild
    assert (place.kind, place.channel_id, place.guild_id) == (PlaceKind.DM, 77, None)
    assert not place.user_install_only


@pytest.mark.parametrize(
    ("permissions", "manages"),
    [(0, False), (1 << 4, False), (MANAGE_GUILD, True), (ADMINISTRATOR, True)],
)
async def test_rights_are_those_of_this_interaction(permissions: int, manages: bool) -> None:
    assert actor_of(in_guild(permissions=permissions)).manages_guild is manages


async def test_member_of_a_server() -> None:
    asked = in_guild(roles=(5, 6))
    actor, place = actor_of(asked), place_of(asked)
    assert actor.role_ids == {5, 6}
    assert (place.kind, place.channel_id, place.guild_id) == (PlaceKind.CHANNEL, 77, 33)


async def test_thread_names_its_channel() -> None:
    place = place_of(in_guild(channel=THREAD))
    assert (place.kind, place.channel_id, place.parent_id) == (PlaceKind.THREAD, 77, 70)


async def test_others_read_along_in_a_private_channel() -> None:
    place = place_of(interaction(context=2, authorizing_integration_owners={"1": "11"}))
    assert place.kind is PlaceKind.GROUP_DM
    assert place.user_install_only


@pytest.mark.parametrize(
    ("owners", "alone"),
    [({"0": "33"}, False), ({"0": "33", "1": "11"}, False), ({"1": "11"}, True)],
)
async def test_app_installed_by_the_person_alone(owners: dict[str, str], alone: bool) -> None:
    place = place_of(in_guild(authorizing_integration_owners=owners))
    assert place.user_install_only is alone


async def test_unprintable_name_is_cleaned() -> None:
    person = {**PERSON, "global_name": "A\u202eda\n" + "x" * 100}
    name = actor_of(interaction(user=person)).name
    assert name.startswith("Ada x")
    assert len(name) <= 80
    assert actor_of(interaction(user={**PERSON, "global_name": "\u200b"})).name == "someone"
    blank = {**PERSON, "global_name": "\u3164"}  # a letter to Unicode, invisible to people
    assert actor_of(interaction(user=blank)).name == "someone"
