"""An answer as it grows, as the parts that are shown in Discord messages.

Text goes in piece by piece; parts come out. A part that is settled never changes
again. A code block that a cut leaves open is closed at the end of its part and opened
again, with its language, at the start of the next. Without those added lines the
bodies of all parts, joined, are the text.

Two things are not shown as they came: a NUL or half a surrogate pair becomes U+FFFD,
and blanks are left out where so many follow each other that a part would be nothing
else (Discord refuses blank messages).

Feeding is linear: only the open line is looked at again, and a part once, when it is cut.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from companion.domain.fences import Fence, after_line, may_become_fence
from companion.domain.splitting import (
    MESSAGE_LIMIT,
    choose_cut,
    first_visible,
    index_within,
    length,
)

NOTE_LIMIT: Final = 1000
"""The longest note (our own lines below the answer), in UTF-16 units."""

_UNSENDABLE: Final = re.compile("[\0\ud800-\udfff]")
_SLICE: Final = 1024
_BLANKS_KEPT: Final = 100
_ELLIPSIS: Final = "…"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One message: `body` is the model's text, the rest is added around it."""

    opening: str = ""
    body: str
    closing: str = ""
    note: str = ""

    @property
    def content(self) -> str:
        """Return the message's content."""
        answer = f"{self.opening}{self.body}{self.closing}"
        if not self.note or not self.body:
            return answer + self.note
        return f"{answer}{'' if answer.endswith(chr(10)) else chr(10)}{self.note}"


class AnswerParts:
    """The state machine: `feed` text, look at `parts`, then `flush` once with a note."""

    def __init__(self, limit: int = MESSAGE_LIMIT) -> None:
        self._limit = limit
        self._settled: list[Part] = []
        self._pieces: list[str] = []
        self._half_pair = ""
        self._flushed = False
        self._begin(None, "")

    @property
    def settled(self) -> int:
        """How many parts, from the first on, will never change again."""
        return len(self._settled)

    @property
    def count(self) -> int:
        """How many parts there are to show."""
        growing = not self._flushed and first_visible(self._body) is not None
        return len(self._settled) + growing

    @property
    def parts(self) -> tuple[Part, ...]:
        """All parts there is something to show of; the last one may still grow."""
        live = None if self._flushed else self._live()
        return (*self._settled, live) if live else tuple(self._settled)

    @property
    def text(self) -> str:
        """The whole answer so far."""
        return "".join(self._pieces)

    def part(self, index: int) -> Part | None:
        """Return one part without building the others."""
        if index < len(self._settled):
            return self._settled[index]
        return self._live() if index == len(self._settled) and not self._flushed else None

    def feed(self, delta: str) -> None:
        """Take more of the answer."""
        if self._half_pair or _UNSENDABLE.search(delta):
            delta = self._repaired(delta)
        self._pieces.append(delta)
        if len(delta) <= _SLICE:
            self._take(delta)
            return
        for start in range(0, len(delta), _SLICE):
            self._take(delta[start : start + _SLICE])

    def cut(self) -> None:
        """Settle what can be seen now; further text begins a new part."""
        live = self._live()
        if live is not None:
            rest = self._body[len(live.body) :]
            self._settle(live, self._fence_after(live.body), rest)

    def flush(self, note: str = "") -> None:
        """End the answer: settle the last part, with `note` below its text.

        A last part that has no room for the note is cut once more. Without text and
        note there is no part.
        """
        note = note[: index_within(note, NOTE_LIMIT)]
        self._take(self._completed_pair())
        while (last := self._ending(note)) is not None and length(last.content) > self._limit:
            self._shorten(self._limit - length(self._opening))
        if last is not None:
            self._settled.append(last)
        self._flushed = True

    def end_in(self, index: int, note: str) -> None:
        """End the answer in a settled part, because no later one can be sent.

        The text from there on is not shown; the end of that part makes room for `note`.
        """
        part = self._settled[index]
        note = note[: index_within(note, NOTE_LIMIT)]
        fence = self._fence_at_start(part)
        room = self._limit - length(part.opening) - length(note) - len(_ELLIPSIS) - 2
        cut = choose_cut(part.body, fence, room) or len(part.body)
        body = part.body[:cut]
        fence = _fence_after(body, fence)
        closing = fence.closing_after(body) if fence else ""
        ending = Part(opening=part.opening, body=body, closing=closing, note=f"{_ELLIPSIS}\n{note}")
        self._settled[index:] = [ending]
        self._flushed = True

    # The growing part

    def _begin(self, fence: Fence | None, body: str) -> None:
        self._start_fence = fence
        self._opening = fence.opening if fence else ""
        self._body = body
        self._length = length(body)
        self._fence = fence
        self._line_start = 0
        self._measure_room()
        self._read_lines()

    def _take(self, text: str) -> None:
        self._body += text
        self._length += len(text) if text.isascii() else length(text)
        if "\n" in text:
            self._read_lines()
        while self._length > self._room:
            self._shorten(self._limit - length(self._opening))

    def _read_lines(self) -> None:
        """Follow the fences through the lines that became complete."""
        body, start, fence = self._body, self._line_start, self._fence
        while (end := body.find("\n", start)) >= 0:
            fence = after_line(body[start:end], fence)
            start = end + 1
        self._line_start = start
        if fence is not self._fence:
            self._fence = fence
            self._measure_room()

    def _measure_room(self) -> None:
        closing = length(self._fence.closing) + 1 if self._fence else 0
        self._room = self._limit - length(self._opening) - closing

    def _shorten(self, room: int) -> None:
        """Settle the start of the growing part, or leave out blanks when nothing can be cut."""
        cut = choose_cut(self._body, self._start_fence, room)
        if cut is None:
            self._begin(self._start_fence, _fewer_blanks(self._body))
            return
        body = self._body[:cut]
        fence = self._fence_after(body)
        closing = fence.closing_after(body) if fence else ""
        part = Part(opening=self._opening, body=body, closing=closing)
        self._settle(part, fence, self._body[cut:])

    def _settle(self, part: Part, fence: Fence | None, rest: str) -> None:
        self._settled.append(part)
        self._begin(fence, rest)

    def _live(self) -> Part | None:
        """Return the growing part; an unfinished fence line at its end is held back."""
        body = self._body
        if may_become_fence(body[self._line_start :]):
            body = body[: self._line_start]
            if first_visible(body) is None:
                body = self._body
        return self._closed(body)

    def _ending(self, note: str) -> Part | None:
        part = self._closed(self._body)
        if part is None:
            return Part(body="", note=note) if note else None
        return Part(opening=part.opening, body=part.body, closing=part.closing, note=note)

    def _closed(self, body: str) -> Part | None:
        if first_visible(body) is None:
            return None
        fence = self._fence_after(body)
        closing = fence.closing_after(body) if fence else ""
        return Part(opening=self._opening, body=body, closing=closing)

    def _fence_after(self, body: str) -> Fence | None:
        return _fence_after(body, self._start_fence)

    def _fence_at_start(self, part: Part) -> Fence | None:
        return after_line(part.opening.rstrip("\n"), None) if part.opening else None

    # Surrogates

    def _repaired(self, delta: str) -> str:
        """Join surrogate pairs that came in two pieces, replace what cannot be sent."""
        text = (self._half_pair + delta).replace("\0", "\N{REPLACEMENT CHARACTER}")
        self._half_pair = ""
        if text and "\ud800" <= text[-1] <= "\udbff":
            text, self._half_pair = text[:-1], text[-1]
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")

    def _completed_pair(self) -> str:
        rest = "\N{REPLACEMENT CHARACTER}" if self._half_pair else ""
        self._half_pair = ""
        self._pieces.append(rest)
        return rest


def _fence_after(body: str, fence: Fence | None) -> Fence | None:
    for line in body.split("\n"):
        fence = after_line(line, fence) if line else fence
    return fence


def _fewer_blanks(body: str) -> str:
    """Shorten every run of characters that show nothing."""
    kept: list[str] = []
    run = 0
    for char in body:
        run = 0 if first_visible(char) is not None else run + 1
        if run <= _BLANKS_KEPT:
            kept.append(char)
    return "".join(kept)
