from __future__ import annotations

import pytest

from companion.playground.local_discord import LocalDiscord
from companion.playground.vocabulary import Permission
from tests.playground.raw import Answer, Json, RawApp


def command(**fields: object) -> Json:
    return {"name": "ask", "description": "Ask a question"} | fields


def option(**fields: object) -> Json:
    return {"type": 3, "name": "prompt", "description": "What to ask"} | fields


async def put(local: LocalDiscord, app: RawApp, *commands: Json, guild: str = "") -> Answer:
    path = f"/applications/{local.application_id}{guild}/commands"
    return await app.call("PUT", path, list(commands))


@pytest.mark.parametrize(
    "good",
    [
        command(),
        command(name="frage-2_b", name_localizations={"de": "frage"}),
        command(options=[option(required=True), option(name="model", autocomplete=True)]),
        command(options=[option(choices=[{"name": "n" * 100, "value": "v" * 100}] * 25)]),
        command(options=[option(type=10, name="n", min_value=0, max_value=2)]),
        {"name": "Ask about this", "type": 3},
    ],
)
async def test_allowed_command_is_stored(local: LocalDiscord, app: RawApp, good: Json):
    answer = await put(local, app, good)
    assert answer.status == 200, answer.body
    assert [stored["name"] for stored in local.commands()] == [good["name"]]


@pytest.mark.parametrize(
    ("bad", "path"),
    [
        (command(name="Ask"), (0, "name")),
        (command(name="two words"), (0, "name")),
        (command(name="x" * 33), (0, "name")),
        (command(name=None), (0, "name")),
        (command(name_localizations={"de": "Frage"}), (0, "name_localizations", "de")),
        (command(description=""), (0, "description")),
        (command(description="x" * 101), (0, "description")),
        (
            command(description_localizations={"de": "x" * 101}),
            (0, "description_localizations", "de"),
        ),
        (command(options=[option(name=f"o{n}") for n in range(26)]), (0, "options")),
        (command(options=[option(), option()]), (0, "options", 1, "name")),
        (command(options=[option(), option(name="b", required=True)]), (0, "options", 1)),
        (command(options=[option(type=99)]), (0, "options", 0, "type")),
        (
            command(options=[option(choices=[{"name": "n", "value": "v"}] * 26)]),
            (0, "options", 0, "choices"),
        ),
        (
            command(options=[option(choices=[{"name": "n", "value": "v"}], autocomplete=True)]),
            (0, "options", 0),
        ),
        (command(options=[option(type=5, autocomplete=True)]), (0, "options", 0)),
        (command(options=[option(max_length=6001)]), (0, "options", 0, "max_length")),
        (
            command(
                options=[
                    option(name=f"o{n}", choices=[{"name": "n" * 100, "value": "v" * 100}] * 4)
                    for n in range(10)
                ]
            ),
            (0,),
        ),
        (command(type=9), (0, "type")),
        ({"name": "Menu", "type": 3, "description": "no"}, (0, "description")),
    ],
)
async def test_command_beyond_the_rules_is_refused(
    local: LocalDiscord, app: RawApp, bad: Json, path: tuple[str | int, ...]
):
    before = [stored["name"] for stored in local.commands()]
    answer = await put(local, app, bad)
    assert answer.code == 50035
    assert answer.error_codes(*path)
    assert [stored["name"] for stored in local.commands()] == before


async def test_two_commands_of_one_name_are_refused(local: LocalDiscord, app: RawApp):
    answer = await put(local, app, command(), command())
    assert answer.error_codes(1) == ["APPLICATION_COMMANDS_DUPLICATE_NAME"]


async def test_same_name_keeps_its_id_and_gets_a_new_version(local: LocalDiscord, app: RawApp):
    [first] = (await put(local, app, command())).body
    [second] = (await put(local, app, command(description="Other"))).body
    assert second["id"] == first["id"]
    assert second["version"] != first["version"]


async def test_commands_one_by_one(local: LocalDiscord, app: RawApp):
    path = f"/applications/{local.application_id}/commands"
    created = await app.call("POST", path, command(name="new"))
    assert created.status == 201
    assert (await app.call("POST", path, command(name="new"))).status == 200
    where = f"{path}/{created.body['id']}"
    changed = await app.call("PATCH", where, {"description": "Changed"})
    assert changed.body["description"] == "Changed"
    assert (await app.call("GET", where)).body["description"] == "Changed"
    assert (await app.call("DELETE", where)).status == 204
    assert (await app.call("GET", where)).code == 10063


async def test_a_servers_command_hides_the_global_one_there(local: LocalDiscord, app: RawApp):
    guild = local.world.guild("Playground")
    await put(local, app, command(description="Here"), guild=f"/guilds/{guild.id}")
    interaction = await local.invoke("Ada", "general", "ask")
    assert interaction.data["guild_id"] == str(guild.id)


async def test_two_hundred_creations_a_day(local: LocalDiscord, app: RawApp):
    local.limits.sizes.other = None
    for batch in range(2):
        await put(local, app)
        await put(local, app, *(command(name=f"c{batch}-{n}") for n in range(98)))
    answer = await put(local, app, command(name="one-more"), command(name="two-more"))
    assert (answer.status, answer.code) == (429, 30034)


async def test_other_applications_commands_are_out_of_reach(local: LocalDiscord, app: RawApp):
    assert (await app.call("GET", "/applications/1/commands")).code == 50001


async def test_only_what_fits_person_and_place_is_offered(local: LocalDiscord, app: RawApp):
    manage = str(int(Permission.MANAGE_GUILD))
    await put(
        local,
        app,
        command(name="everywhere"),
        command(name="in-servers", contexts=[0]),
        command(name="for-managers", default_member_permissions=manage),
        command(name="for-nobody", default_member_permissions="0"),
    )

    def offered(person: str, *, in_dm: bool = False) -> set[str]:
        where = local.world.dm(person) if in_dm else "general"
        return {one["name"] for one in local.commands_for(person, where)}

    assert offered("Grace") == {"everywhere", "in-servers"}
    assert offered("Ada") == {"everywhere", "in-servers", "for-managers", "for-nobody"}
    assert offered("Grace", in_dm=True) == {"everywhere", "for-managers", "for-nobody"}


async def test_waiting_for_commands_ends_when_they_are_there(local: LocalDiscord, app: RawApp):
    with pytest.raises(TimeoutError):
        await local.wait_for_commands(["image"], timeout=0.01)
    await put(local, app, command(name="image"))
    await local.wait_for_commands(["image"], timeout=0.01)
