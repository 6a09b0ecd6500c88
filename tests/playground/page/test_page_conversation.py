"""Reading and writing on the page."""

import asyncio

import pytest
from playwright.async_api import expect

from tests.playground.page.conftest import Playground, Tab

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_first_visit_says_what_this_is_and_who_answers(tab: Tab):
    await expect(tab.page.get_by_role("heading", name="Welcome to #general")).to_be_visible()
    await expect(tab.page.locator(".welcome-model")).to_contain_text("the built-in sample model")
    await expect(tab.page.locator(".header-model")).to_contain_text("the built-in sample model")
    await tab.page.get_by_role("button", name="Ask something").click()
    await expect(tab.field("prompt")).to_have_value(
        "Explain how a rainbow forms, with a short list."
    )


async def test_first_visit_offers_talk_by_mention_and_in_private(tab: Tab):
    await tab.page.get_by_role("button", name="Just talk").click()
    await expect(tab.composer).to_have_value("@Companion what can you do?")
    await tab.page.get_by_role("button", name="Write in private").click()
    await expect(tab.page.get_by_role("heading", level=1)).to_have_text("Companion")


async def test_enter_sends_and_shift_enter_breaks_the_line(tab: Tab, playground: Playground):
    await tab.composer.fill("first")
    await tab.press("Shift+Enter")
    await tab.page.keyboard.type("second")
    await tab.press("Enter")
    await expect(tab.last.locator(".prose")).to_have_text("first\nsecond", use_inner_text=True)
    await expect(tab.composer).to_have_value("")
    assert playground.discord.messages("general")[-1].content == "first\nsecond"


async def test_messages_of_one_author_stand_together_under_one_name(tab: Tab):
    for text in ("one", "two"):
        await tab.say(text)
        await expect(tab.last).to_contain_text(text)
    await expect(tab.page.locator(".row-name:visible")).to_have_count(1)
    await expect(tab.page.locator(".day")).to_have_text("Today")


async def test_mention_is_completed_and_the_app_replies_to_it(tab: Tab, playground: Playground):
    await tab.composer.fill("hi @comp")
    await expect(tab.options).to_have_count(1)
    await tab.press("Enter")
    await expect(tab.composer).to_have_value("hi @Companion ")
    await tab.press("Enter")
    reply = tab.row("you said something to me")
    await expect(reply.locator(".used-words")).to_have_text("hi @Companion")
    await expect(reply.locator(".chip.is-me")).to_have_text("@Ada")
    await expect(tab.page.locator(".row.is-answer")).to_have_count(1)
    app_id = playground.discord.application_id
    assert playground.discord.messages("general")[0].content == f"hi <@{app_id}>"


async def test_reply_names_the_message_and_the_person(tab: Tab, playground: Playground):
    await playground.discord.say("Grace", "general", "what do **you** think?")
    row = tab.row("what do you think?")
    await row.hover()
    await row.get_by_role("button", name="Reply").click()
    await expect(tab.page.locator(".reply-bar")).to_contain_text("Replying to Grace")
    await tab.say("I agree")
    await expect(tab.last.locator(".used-words")).to_have_text("what do you think?")
    assert playground.discord.messages("general")[-1].reply_to is not None
    await expect(tab.page.locator(".reply-bar")).to_be_hidden()


async def test_own_message_is_edited_in_place_and_deleted(tab: Tab, playground: Playground):
    await tab.say("helo")
    await expect(tab.last.locator(".prose")).to_have_text("helo")
    await tab.press("ArrowUp")
    await tab.page.get_by_role("textbox", name="Edit message").fill("hello")
    await tab.press("Enter")
    await expect(tab.last.locator(".edited")).to_be_visible()
    assert playground.discord.messages("general")[-1].content == "hello"
    await tab.last.click(button="right")
    await tab.page.get_by_role("menuitem", name="Delete message").click()
    await expect(tab.row("hello")).to_have_count(0)
    assert playground.discord.messages("general") == []


async def test_other_channel_is_marked_unread_until_it_is_read(tab: Tab, playground: Playground):
    random = tab.page.locator(".place[data-name=random]")
    await expect(random).not_to_have_class("is-unread")
    ada = playground.discord.world.person("Ada")
    await playground.discord.say("Grace", "random", f"look <@{ada.id}>")
    await expect(random.locator(".count")).to_have_text("1")
    await random.click()
    await expect(tab.page.locator(".day.is-new")).to_be_visible()
    await expect(random.locator(".count")).to_have_count(0)
    await tab.press("Alt+ArrowUp")
    await expect(tab.page.get_by_role("heading", level=1)).to_have_text("general")


async def test_thread_appears_below_its_channel_and_opens(tab: Tab, playground: Playground):
    message = await playground.discord.say("Grace", "general", "let us go deeper")
    await expect(tab.row("deeper")).to_be_visible()
    await playground.discord.start_thread("Grace", "general", "Deeper", message=message)
    await tab.row("deeper").locator(".thread-link").click()
    await expect(tab.page.get_by_role("heading", level=1)).to_have_text("Deeper")
    await expect(tab.page.locator(".threads .place[aria-current]")).to_have_text("Deeper")


async def test_two_people_see_their_own_ephemeral_messages_only(tab: Tab):
    await tab.command("whisper")
    row = tab.row("Only you can read this.")
    await expect(row.locator(".only-you")).to_be_visible()
    await tab.be("Grace")
    await expect(tab.composer).to_have_attribute(
        "placeholder", "Message #general as Grace, or type / for commands"
    )
    await expect(row).to_have_count(0)
    await tab.be("Ada")
    await expect(row).to_be_visible()
    await row.get_by_role("button", name="Dismiss message").click()
    await expect(row).to_have_count(0)


async def test_reader_who_scrolled_up_stays_there_and_can_jump_back(
    tab: Tab, playground: Playground
):
    for number in range(40):
        await playground.discord.say("Grace", "general", f"message {number}\nline\nline")
    await expect(tab.row("message 39")).to_be_in_viewport()
    await tab.page.locator(".timeline").hover()
    await tab.page.mouse.wheel(0, -900)
    jump = tab.page.locator(".jump")
    await expect(jump).to_be_visible()
    await expect(jump).to_have_text("Jump to present")
    await playground.discord.say("Grace", "general", "the newest")
    await expect(jump).to_have_text("1 new message")
    await expect(tab.row("the newest")).not_to_be_in_viewport()
    await jump.click()
    await expect(tab.row("the newest")).to_be_in_viewport()
    await expect(jump).to_be_hidden()


async def test_who_uses_a_command_further_up_sees_its_answer(tab: Tab, playground: Playground):
    for number in range(20):
        await playground.discord.say("Grace", "general", f"message {number}\nline\nline")
    await expect(tab.row("message 19")).to_be_in_viewport()
    await tab.page.locator(".timeline").hover()
    await tab.page.mouse.wheel(0, -900)
    await expect(tab.page.locator(".jump")).to_be_visible()
    await tab.command("whisper")
    await expect(tab.row("Only you can read this.")).to_be_in_viewport()


async def test_what_grows_before_it_is_followed_does_not_let_go_of_the_end(tab: Tab):
    await tab.say("hello\n" * 30)
    scroller = tab.page.locator(".timeline")
    await expect(tab.page.locator(".jump")).to_be_hidden()
    # as when a picture has loaded between a scroll and the frame that follows it
    await scroller.evaluate(
        """node => {
             node.firstChild.lastElementChild.style.minHeight = "1500px";
             node.dispatchEvent(new Event("scroll"));
           }"""
    )
    await tab.page.wait_for_function(
        """() => {
             const node = document.querySelector(".timeline");
             return node.scrollHeight - node.scrollTop - node.clientHeight < 4;
           }"""
    )
    await expect(tab.page.locator(".jump")).to_be_hidden()


async def test_earlier_messages_are_loaded_page_by_page(tab: Tab, playground: Playground):
    await tab.go("random")
    for number in range(70):
        await playground.discord.say("Grace", "general", f"message {number}.")
    await tab.go("general")
    await expect(tab.row("message 69.")).to_be_in_viewport()
    await expect(tab.row("message 5.")).to_have_count(0)
    await tab.page.get_by_role("button", name="Show earlier messages").click()
    await expect(tab.row("message 0.")).to_have_count(1)
    await expect(tab.page.locator(".rows > .row")).to_have_count(70)


async def test_lost_connection_is_said_and_what_was_missed_appears(
    tab: Tab, playground: Playground
):
    await tab.say("before")
    await expect(tab.row("before")).to_be_visible()
    await tab.composer.fill("half written")
    noticed = asyncio.create_task(tab.page.wait_for_selector(".status-reconnecting"))
    await playground.drop_tabs()
    await playground.discord.say("Grace", "general", "while you were away")
    await noticed
    await expect(tab.page.locator(".status-online")).to_be_visible()
    await expect(tab.row("while you were away")).to_be_visible()
    await expect(tab.row("before")).to_have_count(1)
    await expect(tab.composer).to_have_value("half written")


async def test_typing_is_shown(tab: Tab, playground: Playground):
    await playground.discord.type("Grace", "general")
    await expect(tab.page.locator(".typing")).to_contain_text("Grace is typing…")
    await playground.discord.say("Grace", "general", "done")
    await expect(tab.page.locator(".typing")).to_be_empty()


async def test_others_see_that_one_types(tab: Tab, playground: Playground):
    other = await playground.tab()
    await other.be("Grace")
    await tab.composer.press_sequentially("hm")
    await expect(other.page.locator(".typing")).to_contain_text("Ada is typing…")
    await expect(tab.page.locator(".typing")).to_be_empty()


async def test_direct_message_belongs_to_one_person(tab: Tab, playground: Playground):
    await tab.page.locator(".place-dm").click()
    composer = tab.page.get_by_role("textbox", name="Message @Companion")
    await composer.fill("just us")
    await tab.press("Enter")
    await expect(tab.row("just us")).to_be_visible()
    assert playground.discord.world.dm("Ada").last_message_id is not None
    await tab.be("Grace")
    await expect(tab.row("just us")).to_have_count(0)
