"""What a reply should look like in Discord, compared with what it does look like.

Pure: it says which write comes next, and hears which ones Discord took. As every write
is derived from the newest text, a write that failed or was overtaken needs no memory.

Messages are numbered as the responder numbers them. The parts of the answer begin at
message `_first_message`; that is 0 until the reply had to move to another way of sending.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from companion.bot.buttons import Button
from companion.bot.output_pacing import Urgency
from companion.bot.responder import TextFile
from companion.domain.streaming import AnswerParts

FILE_NAME: Final = "answer.md"
FILE_AFTER_PARTS: Final = 4
"""An answer in more messages than this also comes whole, as a file."""

FILE_NOT_AWAITED: Final = 2
"""With more messages than this still to send at the end, the file does not wait for the last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """One request to make. `message` is `None` for a new message."""

    message: int | None
    content: str
    buttons: tuple[Button, ...]
    file: TextFile | None
    urgency: Urgency
    has_text: bool


@dataclass(frozen=True, slots=True)
class _Face:
    """How one message looks."""

    content: str
    buttons: tuple[Button, ...]


class ReplyDisplay:
    """The messages of one reply. The first exists and shows nothing of ours yet."""

    def __init__(self) -> None:
        self.answer = AnswerParts()
        self.buttons: tuple[Button, ...] = ()
        self.notice = ""
        self.ended = False
        self._shown: list[_Face] = [_Face("", ())]
        self._first_message = 0
        self._next_part = 0
        self._text_shown = False
        self._most_messages: int | None = None
        self._rest_note = ""
        self._file: TextFile | None = None
        self._file_sent = False

    @property
    def has_text(self) -> bool:
        """Whether there is any of the model's text to show."""
        return self.answer.count > 0

    def end(self, note: str, buttons: tuple[Button, ...], *, rest_note: str) -> None:
        """Show the end of the answer: `note` below it, `rest_note` too where it was cut off."""
        if self.ended:
            return
        self.answer.flush(note)
        self.ended = True
        self.notice = ""
        self.buttons = buttons
        self._rest_note = f"{rest_note}\n{note}" if note else rest_note
        if self.answer.count > FILE_AFTER_PARTS:
            self._attach()
        self._make_do()

    def next_write(self, *, may_send_more: bool) -> Write | None:
        """Return what to write next, oldest message first; `None` when all is shown."""
        while (wanted := self._wanted(self._next_part)) is not None:
            message = self._next_part + self._first_message
            if message >= len(self._shown):
                if may_send_more:
                    return self._write(None, wanted)
                self._stop_sending()
                continue
            if not _same(wanted, self._shown[message]) or self._file_goes_to(self._next_part):
                return self._write(message, wanted)
            if self._next_part >= self._last_part():
                return None
            self._next_part += 1
        return None

    def confirm(self, write: Write) -> None:
        """Hear that Discord took a write."""
        face = _Face(write.content, write.buttons)
        if write.message is None:
            self._shown.append(face)
        else:
            self._shown[write.message] = face
        self._text_shown = self._text_shown or write.has_text
        if write.file is not None:
            self._file, self._file_sent = None, True

    def leave(self, notice: str) -> Write | None:
        """Return the last edit of what stands here: without buttons, or saying why it is empty.

        Further text begins a new message. Call `relocate` next.
        """
        if self.ended:
            return None
        self.answer.cut()
        if not self.has_text:
            self.notice = notice
        message = len(self._shown) - 1
        wanted = self._wanted(message - self._first_message)
        if wanted is None:
            return None
        self._next_part = message - self._first_message
        last = _Face(wanted.content, ())
        return None if _same(last, self._shown[message]) else self._write(message, last)

    def relocate(self) -> None:
        """Send everything that is not shown yet as new messages; leave the older ones alone."""
        message = self._next_part + self._first_message
        wanted = self._wanted(self._next_part) if self.has_text else None
        shown = self._shown[message].content if message < len(self._shown) else ""
        if wanted and wanted.content.strip() == shown.strip():
            self._next_part += 1
        self.notice = ""
        self._first_message = len(self._shown) - self._next_part
        self._most_messages = None

    def _write(self, message: int | None, wanted: _Face) -> Write:
        part = self._next_part
        return Write(
            message=message,
            content=wanted.content,
            buttons=wanted.buttons,
            file=self._file if self._file_goes_to(part) else None,
            urgency=self._urgency(message),
            has_text=self.has_text,
        )

    def _urgency(self, message: int | None) -> Urgency:
        if self.ended:
            return Urgency.ENDING
        full = self._next_part < self.answer.settled
        return Urgency.PART if full or message is None or not self._text_shown else Urgency.GROWTH

    def _file_goes_to(self, part: int) -> bool:
        if self._file is None:
            return False
        left = self._last_part() - part
        return left == 0 or left > FILE_NOT_AWAITED

    def _last_part(self) -> int:
        last = max(self.answer.count, 1) - 1
        if self._most_messages is not None:
            last = min(last, self._most_messages - 1 - self._first_message)
        return last

    def _wanted(self, index: int) -> _Face | None:
        last = self._last_part()
        if index > last:
            return None
        part = self.answer.part(index)
        content = part.content if part else self.notice
        if not content:
            return None
        return _Face(content, self.buttons if index == last else ())

    def _stop_sending(self) -> None:
        """No further message may be sent: the last one takes the ending, a file the rest."""
        self._most_messages = len(self._shown)
        self._next_part = self._last_part()
        self._make_do()

    def _make_do(self) -> None:
        last = self._last_part()
        if self.ended and last + 1 < self.answer.count:
            self.answer.end_in(last, self._rest_note)
            self._attach()

    def _attach(self) -> None:
        if not self._file_sent:
            self._file = TextFile(name=FILE_NAME, text=self.answer.text)


def _same(wanted: _Face, shown: _Face) -> bool:
    # Discord strips blanks at both ends, so an edit of those alone would change nothing
    return wanted.buttons == shown.buttons and wanted.content.strip() == shown.content.strip()
