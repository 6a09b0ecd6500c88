"""Small screens, light theme, and what everyone must be able to read."""

import pytest
from playwright.async_api import expect

from tests.playground.page.conftest import Playground
from tests.playground.page.contrast import LOW_CONTRAST

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_phone_shows_one_thing_at_a_time(playground: Playground):
    tab = await playground.tab(phone=True)
    sidebar = tab.page.get_by_role("navigation", name="Channels")
    await expect(sidebar).to_be_hidden()
    await tab.button("Show channels").click()
    await expect(sidebar).to_be_visible()
    await tab.go("random")
    await expect(sidebar).to_be_hidden()
    await expect(tab.page.get_by_role("heading", level=1)).to_have_text("random")
    width = await tab.page.evaluate("() => document.documentElement.scrollWidth")
    assert width <= 390


@pytest.mark.parametrize("scheme", ["dark", "light"])
async def test_all_text_has_enough_contrast(playground: Playground, scheme: str):
    tab = await playground.tab(scheme=scheme)
    assert await tab.page.evaluate(LOW_CONTRAST) == []
    playground.gates.open("first")
    playground.gates.open("rest")
    await tab.command("stream")
    await expect(tab.button("Count")).to_be_visible()
    await tab.command("whisper")
    await expect(tab.last.locator(".only-you")).to_be_visible()
    await tab.composer.fill("/")
    await expect(tab.options.first).to_be_visible()
    assert await tab.page.evaluate(LOW_CONTRAST) == []
    await tab.press("Escape")
    await tab.command("setkey")
    await tab.press("Enter")
    assert await tab.page.evaluate(LOW_CONTRAST) == []


@pytest.mark.parametrize("scheme", ["dark", "light"])
async def test_threads_and_menus_have_enough_contrast(playground: Playground, scheme: str):
    discord = playground.discord
    message = await discord.say("Grace", "general", "start")
    thread = await discord.start_thread("Grace", "general", "Side talk", message=message)
    await discord.say("Ada", thread, "in there")
    discord.admin.archive(thread, locked=True)
    await discord.say("Ada", "general", "an answer", reply_to=message)
    tab = await playground.tab_with_messages(scheme=scheme)
    await expect(tab.page.locator(".thread-mark")).to_be_visible()
    await tab.row("an answer").click(button="right")
    await expect(tab.page.get_by_role("menu")).to_be_visible()
    assert await tab.page.evaluate(LOW_CONTRAST) == []
    await tab.press("Escape")
    await tab.page.locator(".thread-link").click()
    await expect(tab.page.locator(".is-starter")).to_be_visible()
    assert await tab.page.evaluate(LOW_CONTRAST) == []


async def test_phone_has_room_for_threads_and_menus(playground: Playground):
    discord = playground.discord
    message = await discord.say("Grace", "general", "start")
    name = "A thread with quite a long name that goes on and on " * 2
    thread = await discord.start_thread("Grace", "general", name[:100], message=message)
    await discord.say("Ada", thread, "words " * 60)
    tab = await playground.tab_with_messages(phone=True)
    await tab.row("start").hover()
    await tab.row("start").get_by_role("button", name="More").click()
    menu = await tab.page.get_by_role("menu").bounding_box()
    assert menu is not None
    assert menu["x"] >= 0
    assert menu["x"] + menu["width"] <= 390
    await tab.press("Escape")
    await tab.page.locator(".thread-link").click()
    await expect(tab.page.locator(".is-starter")).to_be_visible()
    assert await tab.page.evaluate("() => document.documentElement.scrollWidth") <= 390
