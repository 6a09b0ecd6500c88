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
