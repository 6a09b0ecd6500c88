from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from companion.bot.buttons import Action, Button
from companion.bot.output_pacing import Urgency
from companion.bot.reply_display import FILE_AFTER_PARTS, ReplyDisplay, Write
from companion.domain.splitting import first_visible
from tests.domain.model_text import cut_into, texts

STOP = (Button(action=Action.STOP, label="Stop"),)
AGAIN = (Button(action=Action.REGENERATE, label="Regenerate"),)
UNTIMED = settings(deadline=None, max_examples=50)
LONG = "Some words of prose. " * 600


class Channel:
    """Messages as Discord keeps them; refuses what a well-kept display never asks for."""

    def __init__(self, display: ReplyDisplay) -> None:
        self.display = display
        self.contents = [""]
        self.buttons: list[tuple[Button, ...]] = [()]
        self.files: list[str] = []

    def take(self, write: Write) -> None:
        assert write.content.strip()
        if write.message is None:
            self.contents.append("")
            self.buttons.append(())
        number = len(self.contents) - 1 if write.message is None else write.message
        before = (self.contents[number], self.buttons[number])
        assert before != (write.content, write.buttons) or write.file
        self.contents[number], self.buttons[number] = write.content, write.buttons
        self.files += [write.file.text] if write.file else []
        assert sum(map(bool, self.buttons)) <= 1
        self.display.confirm(write)

    def catch_up(self, *, most: int = 1000, may_send_more: bool = True) -> None:
        for _ in range(most):
            write = self.display.next_write(may_send_more=may_send_more)
            if write is None:
                return
            self.take(write)


def running(text: str = "") -> tuple[ReplyDisplay, Channel]:
    display = ReplyDisplay()
    display.buttons = STOP
    display.answer.feed(text)
    return display, Channel(display)


@UNTIMED
@given(texts(), st.lists(st.integers(0, 3), min_size=1, max_size=9))
def test_whatever_got_through_in_between_the_end_is_shown(text: str, turns: list[int]) -> None:
    display, channel = running()
    for number, delta in enumerate(cut_into(text, [150])):
        display.answer.feed(delta)
        if number % 4 == 3:
            display.next_write(may_send_more=True)  # one that fails
        channel.catch_up(most=turns[number % len(turns)])
    display.end("-# footer", AGAIN, rest_note="(rest in file)")
    channel.catch_up()
    assert channel.contents == [part.content for part in display.answer.parts]
    assert channel.buttons[-1] == AGAIN
    assert channel.files == (
        [display.answer.text] if display.answer.count > FILE_AFTER_PARTS else []
    )


@UNTIMED
@given(texts(), st.integers(1, 4))
def test_where_no_more_messages_fit_the_rest_is_in_a_file(text: str, allowed: int) -> None:
    display, channel = running(LONG + text)
    for _ in range(100):
        channel.catch_up(most=1, may_send_more=len(channel.contents) < allowed)
    display.end("-# footer", AGAIN, rest_note="(rest in file)")
    for _ in range(100):
        channel.catch_up(most=1, may_send_more=len(channel.contents) < allowed)
    assert len(channel.contents) == allowed
    assert channel.contents[-1].endswith("(rest in file)\n-# footer")
    assert channel.buttons[-1] == AGAIN
    assert channel.files == [display.answer.text]


@UNTIMED
@given(texts(), st.integers(0, 6))
def test_moving_elsewhere_loses_nothing(text: str, written: int) -> None:
    display, channel = running(LONG + text)
    channel.catch_up(most=written)
    left = display.leave("(out of time)")
    if left is not None:
        channel.take(left)
    before = list(channel.contents)
    display.relocate()
    display.answer.feed("And more words.")
    display.end("", AGAIN, rest_note="")
    channel.catch_up()
    assert channel.contents[: len(before)] == before
    shown = "\n".join(channel.contents)
    for part in display.answer.parts:
        assert part.content.strip() in shown
    assert first_visible(shown) is not None


def test_growth_waits_and_full_parts_do_not() -> None:
    display, channel = running("First words.")
    first = display.next_write(may_send_more=True)
    assert first is not None
    assert first.urgency is Urgency.PART
    channel.take(first)
    display.answer.feed(" More words.")
    more = display.next_write(may_send_more=True)
    assert more is not None
    assert more.urgency is Urgency.GROWTH
    display.answer.feed(LONG)
    full = display.next_write(may_send_more=True)
    assert full is not None
    assert (full.urgency, full.buttons) == (Urgency.PART, ())
    display.end("-# footer", AGAIN, rest_note="")
    last = display.next_write(may_send_more=True)
    assert last is not None
    assert last.urgency is Urgency.ENDING


def test_blank_text_is_nothing_to_write() -> None:
    display, _ = running(" \n ")
    assert display.next_write(may_send_more=True) is None


def test_second_ending_changes_nothing() -> None:
    display, channel = running("Words.")
    display.end("-# first", (), rest_note="")
    display.end("-# second", AGAIN, rest_note="")
    channel.catch_up()
    assert channel.contents == ["Words.\n-# first"]
