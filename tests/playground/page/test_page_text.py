"""Markdown, and content that tries to be more than text."""

import re

import pytest
from playwright.async_api import expect

from tests.playground.page.conftest import Playground, Tab

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

HOSTILE = (
    "<script>window.pwned = 1</script>",
    '<img src=x onerror="window.pwned = 1">',
    "[click](javascript:window.pwned=1)",
    "<javascript:window.pwned=1>",
    '"><svg onload=window.pwned=1>',
    "```<img src=x onerror=window.pwned=1>\n<script>window.pwned = 1</script>\n```",
    '<@1><#2><@&3></ask:4><t:99999999999999:R><t:9999999999999:F><:a">:5>',
    '[x](https://e.example/"onmouseover="window.pwned=1)',
    "`` ` `` ||**__~~*_ unclosed",
    "\u202ereversed\u202c \u200b zero",
)


async def test_markdown_is_shown_as_it_is_meant(tab: Tab, playground: Playground):
    text = (
        "# Title\n**bold** *it* __under__ ~~gone~~ `code` ||secret||\n"
        "-# small\n- one\n  - two\n1. first\n> quoted\n[site](https://docs.example/a) <t:0:d>"
    )
    await playground.discord.say("Grace", "general", text)
    prose = tab.last.locator(".prose")
    for selector, words in {
        ".heading-1": "Title",
        "strong": "bold",
        "em": "it",
        "u": "under",
        "s": "gone",
        "code.inline": "code",
        ".subtext": "small",
        "ul ul li": "two",
        "ol li": "first",
        "blockquote": "quoted",
        "a": "site",
        ".link-host": "(docs.example)",
    }.items():
        await expect(prose.locator(selector)).to_have_text(words)
    await expect(prose.locator("time")).to_be_visible()


async def test_link_to_a_message_leads_there(tab: Tab, playground: Playground):
    said = await playground.discord.say("Grace", "random", "the one that is meant")
    link = f"https://discord.com/channels/{said.guild_id}/{said.channel_id}/{said.id}"
    await playground.discord.say("Grace", "general", f"about [her message]({link})")
    await tab.last.get_by_role("button", name="her message").click()
    await expect(tab.row("the one that is meant")).to_have_class(re.compile("is-flashed"))
    await expect(tab.page.locator(".place[data-name=random]")).to_have_attribute(
        "aria-current", "page"
    )


async def test_spoiler_opens_by_keyboard_and_stays_open(tab: Tab, playground: Playground):
    message = await playground.discord.say("Grace", "general", "it was ||the butler||\n\nreally")
    spoiler = tab.last.get_by_role("button", name="Spoiler: show")
    await spoiler.focus()
    await tab.press("Enter")
    await expect(tab.last.locator(".spoiler.is-open")).to_have_text("the butler")
    await playground.discord.edit("Grace", message, "it was ||the butler||\n\nno doubt")
    await expect(tab.last).to_contain_text("no doubt")
    await expect(tab.last.locator(".spoiler.is-open")).to_have_count(1)


async def test_code_is_copied_whole(tab: Tab, playground: Playground):
    await playground.discord.say("Grace", "general", "```python\ndef f():\n    return 1\n```")
    await expect(tab.last.locator(".tok-keyword").first).to_have_text("def")
    await tab.button("Copy code").click()
    await expect(tab.button("Copy code")).to_contain_text("Copied")
    copied = await tab.page.evaluate("() => navigator.clipboard.readText()")
    assert copied == "def f():\n    return 1"


async def test_hostile_content_stays_text(tab: Tab, playground: Playground):
    for text in HOSTILE:
        await playground.discord.say("Grace", "general", text)
        await playground.discord.say("Grace", "general", f"**{text}** > {text}")
    await playground.discord.say("Grace", "general", "end")
    await expect(tab.row("end")).to_be_visible()
    assert await tab.page.evaluate("() => window.pwned") is None
    dangerous = ".prose script, .prose img, .prose svg[onload], .prose [onerror], .prose iframe"
    await expect(tab.page.locator(dangerous)).to_have_count(0)
    links = await tab.page.locator(".prose a").evaluate_all("nodes => nodes.map(n => n.protocol)")
    assert set(links) <= {"https:", "http:"}


async def test_walls_of_marks_do_not_stall_the_page(tab: Tab, playground: Playground):
    for unit in ("*", "**", "_a", "||", "[", "`", "> ", "```", "<", "\\", "*a ", "**a __b ~~c "):
        await playground.discord.say("Grace", "general", f"{(unit * 2000)[:1990]} .")
    await playground.discord.say("Grace", "general", "after the walls")
    await expect(tab.row("after the walls")).to_be_visible(timeout=3000)


async def test_names_of_people_are_text_too(playground: Playground):
    grace = playground.discord.world.person("Grace")
    grace.display_name = "<b>Grace</b>"
    try:
        tab = await playground.tab()
        await playground.discord.say(grace, "general", "hello")
        await expect(tab.last.locator(".row-name")).to_have_text("<b>Grace</b>")
    finally:
        grace.display_name = "Grace"
