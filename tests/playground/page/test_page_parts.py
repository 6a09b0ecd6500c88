"""Buttons, selects, modals, embeds, files."""

from pathlib import Path

import pytest
from playwright.async_api import FilePayload, expect

from tests.playground.page.conftest import Playground, Tab

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

# Between the last and the first field a browser stops at its own bars, which is the body here.
FOCUS_IS_INSIDE = """() => {
    const focused = document.activeElement;
    return focused === document.body || focused.closest("dialog") !== null;
}"""


async def test_button_shows_that_it_waits_and_then_the_change(tab: Tab, playground: Playground):
    await tab.command("panel")
    count = tab.last.locator("[data-custom-id=count]")
    await count.click()
    await expect(count).to_have_attribute("aria-busy", "true")
    await expect(tab.button("Remove")).to_be_disabled()
    playground.gates.open("count")
    await expect(tab.last.locator(".prose")).to_contain_text("Counted: 1")
    await expect(count).to_be_enabled()


async def test_unanswered_button_fails_in_words(tab: Tab, playground: Playground):
    await tab.command("panel")
    await tab.button("Silent").click()
    await expect(tab.last.locator("[aria-busy]")).to_have_count(1)
    playground.discord.clock.advance(3)
    await expect(tab.last.locator(".failed")).to_have_text("This interaction failed")
    await expect(tab.button("Silent")).to_be_enabled()
    await expect(tab.button("Off")).to_be_disabled()


async def test_select_is_chosen_by_keyboard(tab: Tab):
    await tab.command("panel")
    select = tab.page.get_by_role("combobox", name="Pick a colour")
    await select.focus()
    await tab.press("ArrowDown", "ArrowDown", "Enter")
    await expect(tab.last).to_contain_text("blue it is.")
    await expect(tab.last.locator(".only-you")).to_be_visible()


async def test_channel_select_offers_the_kinds_of_channels_it_wants(
    tab: Tab, playground: Playground
):
    await playground.discord.start_thread("Ada", "general", "Not for this")
    await tab.command("rooms")
    await tab.page.get_by_role("combobox", name="Pick channels").click()
    choices = tab.page.locator(".select-popup:popover-open").get_by_role("option")
    await expect(choices).to_have_text(["general", "random"])
    await choices.nth(0).click()
    await choices.nth(1).click()
    await tab.press("Escape")
    await expect(tab.last).to_contain_text("Chosen: general, random")


async def test_buttons_go_when_the_app_takes_them(tab: Tab):
    await tab.command("panel")
    await tab.button("Remove").click()
    await expect(tab.last.locator(".prose")).to_contain_text("Removed.")
    await expect(tab.last.locator(".button")).to_have_count(0)


async def test_modal_checks_holds_the_focus_and_submits(tab: Tab):
    await tab.command("setkey")
    await expect(tab.dialog).to_be_visible()
    key = tab.dialog.get_by_role("textbox", name="API key")
    await expect(key).to_be_focused()
    await tab.press("Enter")
    await expect(tab.dialog).to_contain_text("This field is required.")
    await tab.page.keyboard.type("abc")
    await tab.press("Enter")
    await expect(tab.dialog).to_contain_text("Enter at least 4 characters.")
    for _ in range(8):
        await tab.press("Tab")
        assert await tab.page.evaluate(FOCUS_IS_INSIDE)
    await key.fill("sk-test-1234")
    await tab.dialog.get_by_role("textbox", name="Why").fill("trying")
    await tab.dialog.get_by_role("button", name="Submit").click()
    await expect(tab.dialog).to_have_count(0)
    await expect(tab.last).to_contain_text("Saved a key ending in 1234 because trying.")


async def test_escape_closes_a_modal_without_sending(tab: Tab, playground: Playground):
    await tab.command("setkey")
    await tab.dialog.get_by_role("textbox", name="API key").fill("sk-never")
    await tab.press("Escape")
    await expect(tab.dialog).to_have_count(0)
    await expect(tab.row("Saved")).to_have_count(0)
    await expect(tab.composer).to_be_focused()


async def test_one_can_type_on_after_a_modal(tab: Tab):
    """Chromium gives the composer its focus back, but no caret: keys went nowhere."""
    await tab.command("setkey")
    await expect(tab.dialog).to_be_visible()
    await tab.page.keyboard.press("Escape")
    await expect(tab.dialog).to_have_count(0)
    await tab.page.keyboard.type("hello")
    await expect(tab.composer).to_have_value("hello")


async def test_failed_modal_keeps_what_was_typed(tab: Tab, playground: Playground):
    await tab.command("setkey")
    key = tab.dialog.get_by_role("textbox", name="API key")
    await key.fill("slow")
    await tab.press("Enter")
    await expect(tab.dialog.locator("[aria-busy=true]")).to_be_visible()
    playground.discord.clock.advance(3)
    await expect(tab.dialog.locator(".modal-error")).to_contain_text("did not respond")
    await expect(key).to_have_value("slow")


async def test_new_modal_with_labels_and_a_select(tab: Tab):
    await tab.command("persona")
    await expect(tab.dialog).to_contain_text("How should the app sound?")
    await expect(tab.dialog).to_contain_text("What to call it")
    await tab.dialog.get_by_role("textbox", name="Name").fill("Marvin")
    await tab.dialog.get_by_role("button", name="Submit").click()
    await expect(tab.dialog).to_contain_text("Make a selection.")
    await tab.dialog.get_by_role("combobox", name="Voice").click()
    await tab.dialog.get_by_role("option", name="Calm").click()
    await tab.dialog.get_by_role("radio", name="Short").check()
    await tab.dialog.get_by_role("button", name="Submit").click()
    await expect(tab.last).to_contain_text("Marvin sounds calm, short.")


async def test_embed_and_files_are_shown(tab: Tab):
    await tab.command("show", size="small")
    await tab.press("Enter")
    row = tab.page.locator(".row", has=tab.page.locator(".embed"))
    await expect(row.locator(".embed dt").first).to_have_text("Tokens")
    await expect(row.locator(".picture img")).to_have_js_property("naturalWidth", 1)
    await expect(row.locator(".file-preview")).to_contain_text("line")
    await row.get_by_role("button", name="Show all 12 lines").click()
    await expect(row.get_by_role("button", name="Show less")).to_be_visible()
    async with tab.page.expect_download() as download:
        await row.get_by_role("link", name="Download data.bin").click()
    path = await (await download.value).path()
    assert Path(path).read_bytes() == bytes(range(256))


async def test_file_reaches_the_app_as_an_option(tab: Tab):
    await tab.composer.fill("/ask read this")
    await tab.button("attachment").click()
    chosen = FilePayload(name="notes.md", mimeType="text/markdown", buffer=b"# hello")
    await tab.page.locator(".field-file").set_input_files(chosen)
    await expect(tab.page.locator(".field-drop")).to_contain_text("notes.md")
    await tab.press("Enter")
    await expect(tab.last.locator(".subtext")).to_contain_text("file notes.md (7 bytes)")


async def test_long_paste_becomes_a_file(tab: Tab, playground: Playground):
    await tab.composer.focus()
    await tab.page.evaluate("text => navigator.clipboard.writeText(text)", "word " * 500)
    await tab.press("Control+v")
    await expect(tab.page.locator(".tray-item")).to_contain_text("message.txt")
    await expect(tab.composer).to_have_value("")
    await tab.press("Enter")
    await expect(tab.last.locator(".file-name")).to_have_text("message.txt")
    (file,) = playground.discord.messages("general")[-1].attachments
    assert file.content == b"word " * 500


async def test_dropped_file_waits_in_the_composer_and_can_be_removed(tab: Tab):
    await tab.page.evaluate(
        """() => {
            const data = new DataTransfer();
            data.items.add(new File(["hi"], "dropped.txt", { type: "text/plain" }));
            for (const type of ["dragenter", "drop"])
                document.getElementById("timeline").dispatchEvent(
                    new DragEvent(type, { dataTransfer: data, bubbles: true, cancelable: true }));
        }"""
    )
    await expect(tab.page.locator(".tray-item")).to_contain_text("dropped.txt")
    await expect(tab.page.locator(".drop-sign")).to_be_hidden()
    await tab.button("Remove dropped.txt").click()
    await expect(tab.page.locator(".tray-item")).to_have_count(0)


async def test_message_over_the_limit_is_not_sent_and_not_lost(tab: Tab, playground: Playground):
    await tab.composer.fill("x" * 2001)
    await tab.press("Enter")
    await expect(tab.page.locator(".composer-note")).to_contain_text("1 characters too many")
    assert playground.discord.messages("general") == []
    await tab.button("Attach as message.txt").click()
    await expect(tab.page.locator(".tray-item")).to_contain_text("message.txt")
