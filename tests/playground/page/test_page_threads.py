"""Threads, replies, message menus and group DMs on the page."""

import pytest
from playwright.async_api import Locator, expect

from companion.playground.vocabulary import Permission
from tests.playground.page.conftest import Playground, Tab

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


def item(tab: Tab, name: str) -> Locator:
    return tab.page.get_by_role("menuitem", name=name)


async def test_thread_is_started_from_a_messages_menu_and_opens(tab: Tab, playground: Playground):
    await playground.discord.say("Grace", "general", "let us go **deeper**")
    await tab.row("deeper").click(button="right")
    await item(tab, "Create thread").click()
    await expect(tab.dialog.get_by_label("Thread name")).to_have_value("let us go deeper")
    await tab.dialog.get_by_label("Thread name").fill("Deeper")
    await tab.press("Enter")
    await expect(tab.page.get_by_role("heading", level=1)).to_have_text("Deeper")
    await expect(tab.page.locator(".is-starter")).to_contain_text("let us go deeper")
    await expect(tab.page.get_by_role("textbox", name="Message Deeper")).to_be_focused()
    thread = playground.discord.world.channel("Deeper")
    assert thread.id == playground.discord.messages("general")[0].id


async def test_starter_shows_how_far_its_thread_has_come(tab: Tab, playground: Playground):
    discord = playground.discord
    message = await discord.say("Grace", "general", "start")
    thread = await discord.start_thread("Grace", "general", "Long talk", message=message)
    chip = tab.row("start").locator(".thread-link")
    await expect(chip).to_contain_text("0 messages")
    await discord.say("Grace", thread, "first")
    await discord.say("Ada", thread, "the **newest**")
    await expect(chip).to_contain_text("2 messages")
    await expect(chip.locator(".thread-words")).to_have_text("the newest")
    discord.admin.archive(thread)
    await expect(chip.locator(".thread-mark")).to_have_text("Archived")


async def test_thread_without_a_message_is_announced_and_opens(tab: Tab, playground: Playground):
    await playground.discord.start_thread("Grace", "general", "Free talk")
    await tab.row("started a thread").get_by_role("button", name="Free talk").first.click()
    await expect(tab.page.get_by_role("heading", level=1)).to_have_text("Free talk")


async def test_archived_threads_are_found_in_the_list_and_open_again(
    tab: Tab, playground: Playground
):
    discord = playground.discord
    thread = await discord.start_thread("Ada", "general", "Old talk")
    discord.admin.archive(thread)
    await expect(tab.page.locator(".threads .place")).to_have_count(0)
    await tab.button("Threads").click()
    await item(tab, "Old talk").click()
    await expect(tab.page.locator(".header .thread-mark")).to_have_text("Archived")
    box = tab.page.get_by_role("textbox", name="Message Old talk")
    await expect(box).to_have_attribute("placeholder", "Write as Ada to open this thread again")
    await box.fill("back")
    await tab.press("Enter")
    await expect(tab.page.locator(".header .thread-mark")).to_have_count(0)
    await tab.button("Thread options").click()
    await item(tab, "Archive and lock thread").click()
    await expect(tab.page.locator(".header .thread-mark")).to_have_text("Locked")
    await tab.be("Grace")
    await expect(tab.page.locator(".composer-text")).to_be_disabled()


async def test_menu_offers_only_what_one_may_do(tab: Tab, playground: Playground):
    discord = playground.discord
    general = discord.world.channel("general")
    discord.admin.overwrite(
        general, discord.world.person("Grace"), deny=Permission.CREATE_PUBLIC_THREADS
    )
    await discord.say("Ada", "general", "hello there")
    await tab.be("Grace")
    await tab.row("hello there").hover()
    await tab.row("hello there").get_by_role("button", name="More").click()
    await expect(tab.page.get_by_role("menuitem")).to_have_text(
        ["Reply", "Copy text", "Copy message ID", "Count words"]
    )
    general.overwrites.clear()
    await tab.press("Escape")
    await expect(tab.page.locator(".menu")).to_have_count(0)


async def test_menu_is_steered_by_keys_and_moderators_delete_by_it(
    tab: Tab, playground: Playground
):
    await playground.discord.say("Grace", "general", "to be removed")
    more = tab.row("to be removed").get_by_role("button", name="More")
    await more.focus()
    await tab.press("Enter")
    await expect(item(tab, "Reply")).to_be_focused()
    await tab.press("c", "c", "c", "End")
    await expect(item(tab, "Delete message")).to_be_focused()
    await tab.press("Enter")
    await expect(tab.row("to be removed")).to_have_count(0)


async def test_quiet_reply_pings_nobody(tab: Tab, playground: Playground):
    await playground.discord.say("Grace", "general", "question")
    await tab.row("question").click(button="right")
    await item(tab, "Reply").click()
    await tab.page.locator(".reply-bar").get_by_role("button", name="On").click()
    await tab.say("whispered")
    await expect(tab.last.locator(".used-words")).to_have_text("question")
    assert playground.discord.messages("general")[-1].mentions == []


async def test_quoted_message_is_found_among_earlier_ones(tab: Tab, playground: Playground):
    discord = playground.discord
    target = await discord.say("Grace", "general", "the very first")
    for number in range(70):
        await discord.say("Grace", "general", f"message {number}.")
    await discord.say("Ada", "general", "about the first", reply_to=target)
    await tab.go("random")
    await tab.go("general")
    await tab.row("about the first").locator("button.used").click()
    await expect(tab.page.locator(".row.is-flashed")).to_contain_text("the very first")
    await expect(tab.page.locator(".row.is-flashed")).to_be_in_viewport()


async def test_group_dm_is_listed_and_offers_what_people_installed(
    tab: Tab, playground: Playground
):
    await tab.page.locator(".place-group").click()
    await expect(tab.page.get_by_role("heading", level=1)).to_have_text("Grace")
    box = tab.page.get_by_role("textbox", name="Message Grace")
    await box.fill("hello group")
    await tab.press("Enter")
    await expect(tab.row("hello group")).to_be_visible()
    await tab.be("Grace")
    await expect(tab.row("hello group")).to_be_visible()
    await expect(tab.page.get_by_role("heading", level=1)).to_have_text("Ada")


async def test_starter_above_a_thread_follows_its_edits(tab: Tab, playground: Playground):
    discord = playground.discord
    message = await discord.say("Grace", "general", "as it was")
    await discord.start_thread("Grace", "general", "About it", message=message)
    await tab.row("as it was").locator(".thread-link").click()
    await expect(tab.page.locator(".is-starter")).to_contain_text("as it was")
    await discord.edit("Grace", message, "as it is now")
    await expect(tab.page.locator(".is-starter")).to_contain_text("as it is now")


async def test_renamed_thread_is_renamed_where_it_is_mentioned(tab: Tab, playground: Playground):
    discord = playground.discord
    thread = await discord.start_thread("Grace", "general", "Working title")
    await discord.say("Grace", "general", f"it goes on in <#{thread.id}>")
    await expect(tab.row("it goes on in")).to_contain_text("Working title")
    thread.name = "Tides"
    discord.world.change_channel(thread)
    await expect(tab.row("it goes on in")).to_contain_text("Tides")
