"""A real browser on a real page, in front of the local Discord with a small real app."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
import pytest_asyncio
from aiohttp import web
from playwright.async_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Locator,
    Page,
    ViewportSize,
    async_playwright,
    expect,
)

from companion.playground.local_discord import LocalDiscord
from companion.playground.web import add_page
from tests.playground.page.page_bot import Gates, page_bot
from tests.support.discord_app import logged_in

BANNER = "the built-in sample model"
PATIENCE_MS = 5000
_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_PHONE = ViewportSize(width=390, height=844)
_DESK = ViewportSize(width=1280, height=800)

expect.set_options(timeout=PATIENCE_MS)


@dataclass
class Playground:
    """One local Discord with the app in it, and browser tabs that show it."""

    discord: LocalDiscord
    app: web.Application
    gates: Gates
    browser: Browser
    problems: list[str] = field(default_factory=list[str])
    _contexts: list[BrowserContext] = field(default_factory=list[BrowserContext])
    _ada: Tab | None = None

    async def tab(self, *, phone: bool = False, scheme: str = "dark") -> Tab:
        """Open the page in a browser profile of its own, until the test ends."""
        page = await self._new_page(phone=phone, scheme=scheme)
        self._contexts.append(page.context)
        return await self._show(Tab(page, self))

    async def tab_with_messages(self, *, phone: bool = False, scheme: str = "dark") -> Tab:
        """Open the page on a world in which something was said already."""
        page = await self._new_page(phone=phone, scheme=scheme)
        self._contexts.append(page.context)
        await page.goto(f"{self.discord.origin}/")
        await expect(page.locator(".rows > .row").first).to_be_visible()
        return Tab(page, self)

    async def ada(self) -> Tab:
        """Show the page afresh in the tab that all tests share, which loads faster."""
        if self._ada is None:
            self._ada = Tab(await self._new_page(phone=False, scheme="dark"), self)
        else:
            await self._ada.page.evaluate("() => sessionStorage.clear()")
            await self._ada.page.mouse.move(0, 0)
        return await self._show(self._ada)

    async def _new_page(self, *, phone: bool, scheme: str) -> Page:
        context = await self.browser.new_context(
            viewport=_PHONE if phone else _DESK,
            color_scheme="light" if scheme == "light" else "dark",
            reduced_motion="reduce",
            permissions=["clipboard-read", "clipboard-write"],
        )
        page = await context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on("console", self._note)
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        return page

    async def _show(self, tab: Tab) -> Tab:
        await tab.page.goto(f"{self.discord.origin}/")
        await expect(tab.page.locator(".status-online")).to_be_visible()
        await expect(tab.page.locator(".welcome")).to_be_visible()
        return tab

    def _note(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.problems.append(message.text)

    async def drop_tabs(self) -> None:
        """Cut the connections of all tabs, as a restarting server would."""
        await self.app.on_shutdown.send(self.app)

    def clean(self) -> None:
        """Take away what a test left in the world."""
        self.problems.clear()
        self.gates.shut()
        for channel in list(self.discord.world.channels.values()):
            if channel.is_thread:
                self.discord.world.delete_channel(channel)
            channel.messages.clear()
            channel.last_message_id = None

    async def close_tabs(self) -> None:
        """Close the tabs of one test."""
        for context in self._contexts:
            await context.close()
        self._contexts.clear()


@dataclass(slots=True)
class Tab:
    """One open page, in the words of someone who uses it."""

    page: Page
    playground: Playground

    @property
    def composer(self) -> Locator:
        return self.page.get_by_role("textbox", name="Message #", exact=False)

    @property
    def panel(self) -> Locator:
        return self.page.locator(".panel")

    @property
    def options(self) -> Locator:
        return self.panel.get_by_role("option")

    @property
    def dialog(self) -> Locator:
        return self.page.get_by_role("dialog")

    @property
    def last(self) -> Locator:
        """The newest row."""
        return self.page.locator(".rows > .row").last

    def row(self, words: str) -> Locator:
        return self.page.locator(".rows > .row", has_text=words)

    def field(self, option: str) -> Locator:
        return self.page.locator(f".field[data-option={option}] .field-input")

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    async def press(self, *keys: str) -> None:
        for key in keys:
            await self.page.keyboard.press(key)

    async def say(self, text: str) -> None:
        await self.composer.fill(text)
        await self.press("Enter")

    async def command(self, name: str, **fields: str) -> None:
        """Choose a command by keyboard, fill in required options, send it."""
        await self.composer.fill(f"/{name}")
        await expect(self.options.first).to_contain_text(f"/{name}")
        await self.press("Enter")
        for option, text in fields.items():
            await self.field(option).fill(text)
        await self.press("Enter")

    async def be(self, name: str) -> None:
        """Switch to another person."""
        await self.page.get_by_role("button", name="Switch person").click()
        await self.page.get_by_role("menuitemradio", name=name).click()
        await expect(self.page.locator(".who strong")).to_have_text(name)

    async def go(self, place: str) -> None:
        await self.page.locator(f".place[data-name={place}]").click()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """One browser for all tests."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("NO BROWSER: the page is not tested here, because `chromium` is not installed")
    async with async_playwright() as playwright:
        running = await playwright.chromium.launch(executable_path=chromium, args=list(_FLAGS))
        yield running
        await running.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def served(browser: Browser) -> AsyncIterator[Playground]:
    """Log in once: it costs more than most tests."""
    gates = Gates()
    apps: list[web.Application] = []

    def routes(app: web.Application, discord: LocalDiscord) -> None:
        apps.append(app)
        add_page(app, discord, banner=BANNER)

    async with (
        LocalDiscord.start(routes=routes) as discord,
        logged_in(page_bot(gates), discord),
    ):
        await discord.wait_for_commands(["ask"])
        yield Playground(discord, apps[0], gates, browser)


@pytest_asyncio.fixture(loop_scope="session")
async def playground(served: Playground) -> AsyncIterator[Playground]:
    """A clean world for one test; fails the test when a page reported any problem."""
    served.clean()
    yield served
    await served.close_tabs()
    assert served.problems == []


@pytest_asyncio.fixture(loop_scope="session")
async def tab(playground: Playground) -> Tab:
    """Ada's tab."""
    return await playground.ada()
