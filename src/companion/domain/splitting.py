"""Where a text that is too long for one message is cut.

Discord counts code points (its staff, in discord-api-docs issue 1315: "the API
calculates length based on the number of codepoints"), its clients UTF-16 units. The
stricter one, UTF-16, is used throughout; `room` and lengths below are in units,
indexes in code points.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from companion.domain.fences import Fence, after_line, may_become_fence
from companion.domain.graphemes import boundary_before, inside_cluster

MESSAGE_LIMIT: Final = 2000
"""Characters of content in one Discord message."""

_SENTENCE: Final = re.compile(r"[.!?…:;][\"'”’)\]*_]*[ \t]+|[。！？；][」』”’）]*")
_WORD: Final = re.compile(r"\s+")
_KEPT_WHOLE: Final = re.compile(
    r"(?P<ticks>`+)[^\n]{0,400}?(?:(?<!`)(?P=ticks)(?!`)|$)"  # inline code
    r"|\[[^\]\n]{0,500}(?:\]\([^)\s]*(?:\)|$)|\]?$)"  # a masked link
    r"|https?://\S+|\bh(?:t(?:t(?:ps?(?::/{0,2})?)?)?)?$"
    r"|<(?:@[!&]?|#|/|a?:|t:|https?:)[^\s>]*>?",  # mentions, emoji, timestamps
    re.MULTILINE,
)
_UNSEEN: Final = frozenset({"Cc", "Cf", "Zs", "Zl", "Zp"})


class _Line(IntEnum):
    """What a line end is like as a place to cut."""

    PARAGRAPH = 0
    TEXT = 1
    CODE = 2


@dataclass(frozen=True, slots=True)
class _LineEnd:
    index: int
    kind: _Line


def length(text: str) -> int:
    """Return the length of `text` as the stricter of Discord's ways counts it."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def index_within(text: str, units: int) -> int:
    """Return the length in code points of the longest start of `text` that takes `units`."""
    if text.isascii():
        return max(0, min(units, len(text)))
    cut = text.encode("utf-16-le", "surrogatepass")[: 2 * max(0, units)]
    return len(cut.decode("utf-16-le", "ignore"))


def first_visible(text: str) -> int | None:
    """Return where the first character stands that Discord would show, if there is one."""
    return next((i for i, char in enumerate(text) if _visible(char)), None)


def last_visible(text: str) -> int | None:
    """Return where the last character stands that Discord would show, if there is one."""
    return next((i for i in range(len(text) - 1, -1, -1) if _visible(text[i])), None)


def choose_cut(body: str, fence: Fence | None, room: int) -> int | None:
    """Return where to cut `body`, which starts inside `fence`, so that its start takes `room`.

    `room` includes the line that closes a block left open by the cut. Both sides keep
    something visible; `None` when that is impossible (one character and blanks).
    """
    first, last = first_visible(body), last_visible(body)
    if first is None or last is None or first == last:
        return None
    search = _Search(body, fence, room, lowest=first + 1, highest=last)
    return search.best()


class _Search:
    """One search for a cut. Better places are asked first, each from its end backwards."""

    def __init__(
        self, body: str, fence: Fence | None, room: int, *, lowest: int, highest: int
    ) -> None:
        self._body = body
        self._room = room
        self._lowest = lowest
        self._highest = highest
        self._ends: list[_LineEnd] = []
        self._line_start = 0
        self._fence = fence
        self._read_lines(fence)
        self._end = min(highest, self._reach(self._fence))

    def best(self) -> int | None:
        """Return the best place to cut, the least bad one when all are bad."""
        # a paragraph below the first half would leave a message nearly empty
        half, two_fifths = self._end // 2, self._end * 2 // 5
        for cut in (
            self._line_end(half, _Line.PARAGRAPH),
            self._line_end(half, _Line.TEXT),
            self._line_end(two_fifths, _Line.CODE),
            self._in_line(_SENTENCE, half) if self._fence is None else None,
            self._in_line(_WORD, half),
            self._line_end(0, _Line.CODE),
            self._in_line(_WORD, 0),
        ):
            if cut is not None:
                return cut
        return self._anywhere()

    def _read_lines(self, fence: Fence | None) -> None:
        """Collect the line ends within reach; stop in the line that goes beyond."""
        start = 0
        for line in _lines(self._body):
            end = start + len(line)
            after = after_line(line.rstrip("\n"), fence) if line.endswith("\n") else fence
            if end > self._reach(after) or not line.endswith("\n"):
                break
            if self._allowed(end) and not self._splits_marker(end, fence, after):
                self._ends.append(_LineEnd(end, self._kind(line, fence, after, end)))
            start, fence = end, after
        self._line_start, self._fence = start, fence

    def _kind(self, line: str, before: Fence | None, after: Fence | None, end: int) -> _Line:
        if after is not None:
            return _Line.CODE
        following = self._following(end)
        if before is not None or not line.strip() or following.startswith("#"):
            return _Line.PARAGRAPH
        return _Line.PARAGRAPH if after_line(following, None) else _Line.TEXT

    def _splits_marker(self, end: int, before: Fence | None, after: Fence | None) -> bool:
        """Whether a cut at `end` leaves an empty block on either side."""
        if after is None:
            return False
        return before is None or after_line(self._following(end), after) is None

    def _following(self, index: int) -> str:
        end = self._body.find("\n", index)
        return self._body[index : None if end < 0 else end]

    def _reach(self, fence: Fence | None) -> int:
        closing = 0 if fence is None else length(fence.closing) + 1
        return index_within(self._body, self._room - closing)

    def _allowed(self, index: int) -> bool:
        return self._lowest <= index <= self._highest

    def _line_end(self, least: int, worst: _Line) -> int | None:
        fitting = [e for e in self._ends if e.index >= least and e.kind <= worst]
        return fitting[-1].index if fitting else None

    def _in_line(self, pattern: re.Pattern[str], least: int) -> int | None:
        """Return the last place behind `pattern` in the line where the room ends."""
        if self._is_fence_line():
            return None
        kept = list(self._kept_whole())
        start = max(self._line_start, least, self._lowest)
        window = self._body[self._line_start : self._end + 1]
        for found in reversed(list(pattern.finditer(window))):
            index = min(self._line_start + found.end(), self._end)
            if index >= start and found.start() > 0 and self._clean(index, kept):
                return index
        return None

    def _clean(self, index: int, kept: list[tuple[int, int]]) -> bool:
        """Whether a cut inside the line breaks nothing, and turns its start into no fence."""
        return (
            not any(start < index < end for start, end in kept)
            and not inside_cluster(self._body, index)
            and after_line(self._body[self._line_start : index], self._fence) == self._fence
        )

    def _anywhere(self) -> int | None:
        start = max(self._lowest, 1)
        if self._is_fence_line() and self._line_start >= start:
            return self._line_start
        index = boundary_before(self._body, self._end, start)
        for kept_start, kept_end in self._kept_whole():
            if index is not None and kept_start < index < kept_end and kept_start >= start:
                index = boundary_before(self._body, kept_start, start)
        if index is not None:
            return index
        # one cluster longer than a message: no reader can tell
        return self._end if self._end >= start else None

    def _is_fence_line(self) -> bool:
        return may_become_fence(self._following(self._line_start))

    def _kept_whole(self) -> Iterator[tuple[int, int]]:
        if self._fence is not None:
            return
        line = self._following(self._line_start)
        for found in _KEPT_WHOLE.finditer(line):
            yield self._line_start + found.start(), self._line_start + found.end()


def _lines(text: str) -> Iterator[str]:
    start = 0
    while start < len(text):
        end = text.find("\n", start)
        end = len(text) if end < 0 else end + 1
        yield text[start:end]
        start = end


def _visible(char: str) -> bool:
    return char > " " if char < "\x7f" else unicodedata.category(char) not in _UNSEEN
