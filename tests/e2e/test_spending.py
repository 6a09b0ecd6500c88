"""What was used is shown to whoever may know, and managers cap their server's key."""

from __future__ import annotations

from tests.e2e.world import World, body, labels, only, refusal
from tests.support.wiring import MODEL

KEY = "sk-proj-" + "s" * 40


async def test_usage_lines_up_what_was_asked(world: World) -> None:
    await world.ask("Hello")
    await world.ask("Hello again")
    shown = await world.run("usage")
    assert only(shown).ephemeral
    head, row = shown.text.split("```")[1].strip().splitlines()
    assert head.split() == ["model", "requests", "tokens", "cost"]
    assert row.split()[:2] == [MODEL, "2"]
    assert row.split()[-1] == "unknown"
    assert len(head) == len(row)
    assert "used nothing today" in (await world.run("usage", who="Grace", period="day")).text


async def test_usage_of_a_server_is_for_its_managers(world: World) -> None:
    await world.ask("Hello", who="Grace")
    assert "manage" in refusal(await world.run("usage", who="Grace", scope="server"))
    shown = await world.run("usage", who="Ada", scope="server", period="week")
    assert MODEL in shown.text
    assert "seven days" in shown.text


async def test_managers_cap_the_servers_key(world: World) -> None:
    panel = await world.run("settings")
    assert "Each person: no limit. All together: no limit." in panel.text
    form = await world.click(only(panel), "Budgets")
    sent = await world.discord.submit_modal(form, {"person_day": "$0.50", "server_month": "20"})
    saved = refusal(await sent.answered())
    assert "$0.50 a day" in saved
    assert "$20.00 a month" in saved
    again = await world.run("settings")
    assert "$0.50 a day" in again.text
    form = await world.click(only(again), "Budgets")
    assert form.modal is not None
    assert "'0.5'" in str(form.modal)
    await world.set_key(KEY, scope="server")
    refused = await world.ask("Hello", who="Grace")
    assert f"I don't know what `{MODEL}` costs" in body(refused)


async def test_a_budget_that_is_no_amount_is_not_saved(world: World) -> None:
    form = await world.click(only(await world.run("settings")), "Budgets")
    sent = await world.discord.submit_modal(form, {"person_day": "much"})
    refused = refusal(await sent.answered())
    assert "no amount of money, so nothing was saved" in refused
    assert "`0.50`" in refused
    assert labels(only(sent)) == ["Budgets"]


async def test_a_forged_form_caps_nothing(world: World) -> None:
    form = await world.click(only(await world.run("settings")), "Budgets")
    sent = await world.discord.submit_modal(form, {"person_day": "0"}, person="Grace")
    assert "manage" in refusal(await sent.answered())
