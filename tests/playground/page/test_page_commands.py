"""Choosing commands, filling in options, live completion."""

import pytest
from playwright.async_api import expect

from tests.playground.page.conftest import Playground, Tab

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_slash_lists_all_commands_and_filters_them(tab: Tab, playground: Playground):
    await tab.composer.fill("/")
    names = {c["name"] for c in playground.discord.commands() if c.get("type", 1) == 1}
    await expect(tab.options).to_have_count(len(names))
    await expect(tab.options.filter(has_text="/ask")).to_contain_text("Ask the model something")
    await tab.composer.fill("/buttons")
    await expect(tab.options).to_have_count(1)
    await expect(tab.options).to_contain_text("/panel")
    await tab.composer.fill("/nothing-like-it")
    await expect(tab.panel).to_contain_text("No command matches")


async def test_picker_is_steered_by_keyboard_alone(tab: Tab):
    await tab.composer.fill("/s")
    await tab.press("ArrowDown", "ArrowDown", "ArrowUp")
    active = tab.panel.locator(".option.is-active")
    second = await tab.options.nth(1).get_attribute("id")
    await expect(active).to_have_id(str(second))
    await expect(tab.composer).to_have_attribute("aria-activedescendant", str(second))
    await tab.press("Escape")
    await expect(tab.panel).to_be_hidden()
    await expect(tab.composer).to_be_focused()


async def test_required_option_is_asked_for_before_anything_is_sent(
    tab: Tab, playground: Playground
):
    await tab.composer.fill("/ask ")
    await expect(tab.field("prompt")).to_be_focused()
    before = len(playground.discord.requests)
    await tab.press("Enter")
    await expect(tab.panel).to_contain_text("This option is required. Specify a value.")
    await expect(tab.field("prompt")).to_have_attribute("aria-invalid", "true")
    assert len(playground.discord.requests) == before


async def test_options_reach_the_app_with_their_types(tab: Tab):
    await tab.composer.fill("/ask why is the sky blue")
    await expect(tab.field("prompt")).to_have_value("why is the sky blue")
    await tab.button("temperature").click()
    await tab.page.keyboard.type("0.5")
    await tab.button("max_tokens").click()
    await tab.page.keyboard.type("64")
    await tab.press("Enter")
    await expect(tab.last).to_contain_text("You asked: why is the sky blue")
    await expect(tab.last.locator(".subtext")).to_contain_text("None, 0.5, 64")
    await expect(tab.last.locator(".used")).to_contain_text("Ada used /ask")
    await expect(tab.last.locator(".used-words")).to_have_text(
        "prompt: why is the sky blue · temperature: 0.5 · max_tokens: 64"
    )


WRONG = (
    ("temperature", "3", "Enter 2 or less."),
    ("temperature", "warm", "Enter a number."),
    ("max_tokens", "0", "Enter 1 or more."),
    ("max_tokens", "1.5", "Enter a whole number."),
    ("private", "maybe", "Pick one of the listed values."),
)


async def test_wrong_value_is_named_and_kept(tab: Tab):
    await tab.composer.fill("/ask hi")
    for option, typed, complaint in WRONG:
        await tab.button(option).click()
        await tab.page.keyboard.type(typed)
        await tab.press("Enter")
        await expect(tab.panel.locator(".panel-note")).to_have_text(complaint)
        await expect(tab.field(option)).to_have_value(typed)
        await tab.button(f"Remove {option}").click()


async def test_tab_reaches_optional_options_and_backspace_removes_them(tab: Tab):
    await tab.composer.fill("/ask hi")
    await expect(tab.field("prompt")).to_be_focused()
    await tab.press("Tab", "Enter")
    await expect(tab.field("model")).to_be_focused()
    await tab.press("Backspace")
    await expect(tab.field("model")).to_have_count(0)
    await expect(tab.field("prompt")).to_be_focused()
    await tab.press("Escape")
    await expect(tab.composer).to_be_focused()


async def test_app_completes_an_option_while_one_types(tab: Tab):
    await tab.composer.fill("/ask hi")
    await tab.button("model").click()
    await expect(tab.options).to_have_count(4)
    await tab.page.keyboard.type("luna")
    await expect(tab.options).to_have_count(1)
    await tab.press("Enter")
    await expect(tab.field("model")).to_have_value("gpt-6-luna (chat)")
    await tab.press("Enter")
    await expect(tab.last.locator(".subtext")).to_contain_text("gpt-6-luna, None")


async def test_completion_without_a_match_says_so(tab: Tab):
    await tab.composer.fill("/ask hi")
    await tab.button("model").click()
    await tab.page.keyboard.type("zebra")
    await expect(tab.panel).to_contain_text("No options match your search")


async def test_choice_is_picked_by_keyboard(tab: Tab):
    await tab.composer.fill("/show ")
    await expect(tab.options).to_have_count(2)
    await tab.press("ArrowDown", "Enter")
    await expect(tab.field("size")).to_have_value("large")
    await tab.press("Enter")
    await expect(tab.last.locator(".embed")).to_contain_text("A large embed")


async def test_unanswered_command_fails_in_words(tab: Tab, playground: Playground):
    await tab.command("silence")
    await expect(tab.last).to_contain_text("Sending command…")
    playground.discord.clock.advance(3)
    await expect(tab.last).to_contain_text("The application did not respond")
    await tab.last.get_by_role("button", name="Dismiss message").click()
    await expect(tab.row("did not respond")).to_have_count(0)


async def test_answer_streams_into_the_same_nodes(tab: Tab, playground: Playground):
    await tab.command("stream")
    await expect(tab.last.locator(".thinking")).to_contain_text("Companion is thinking…")
    playground.gates.open("first")
    first = tab.last.locator(".prose > *").first
    await expect(first).to_have_text("Palindromes")
    await first.evaluate("node => { node.dataset.kept = 'yes' }")
    playground.gates.open("rest")
    await expect(tab.last.locator(".fence-language")).to_have_text("python")
    await expect(first).to_have_attribute("data-kept", "yes")
    await expect(tab.button("Count")).to_be_in_viewport()
    await expect(tab.last.locator(".thinking")).to_have_count(0)


async def test_promised_answer_that_never_comes_fails(tab: Tab, playground: Playground):
    await tab.command("stream")
    await expect(tab.last.locator(".thinking")).to_be_visible()
    playground.discord.clock.advance(901)
    await expect(tab.last.locator(".failed")).to_be_visible()
    await expect(tab.last.locator(".thinking")).to_have_count(0)


async def test_message_command_is_in_the_message_menu(tab: Tab, playground: Playground):
    await playground.discord.say("Grace", "general", "three small words")
    row = tab.row("three small words")
    await row.hover()
    await row.get_by_role("button", name="More").click()
    await tab.page.get_by_role("menuitem", name="Count words").click()
    await expect(tab.last).to_contain_text("3 words")
