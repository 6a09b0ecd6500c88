"""Server-sent events, as far as OpenAI's API uses them: `data:` lines.

Comments (`: ping`), other fields and blank keep-alives are no events. Lines end in
LF or CRLF. (HTML Standard, “Server-sent events”, 9.2.5 and 9.2.6.)
"""

from __future__ import annotations

from typing import Final

LONGEST_LINE: Final = 2**20
"""Bytes; a token's chunk has some hundreds, a whole answer in one event some tens of thousands."""

DONE: Final = b"[DONE]"


class LineTooLong(ValueError):
    """A line, or an event of several lines, that outgrew the bound."""


class EventReader:
    """Turn pieces of a byte stream into the data of its events, whatever the cuts between them."""

    def __init__(self, longest: int = LONGEST_LINE) -> None:
        self._longest = longest
        self._rest = b""
        self._data: list[bytes] = []
        self._size = 0

    def feed(self, piece: bytes) -> list[bytes]:
        """Return the data of every event that this piece completes; raises `LineTooLong`."""
        lines = (self._rest + piece).split(b"\n")
        self._rest = lines.pop()
        if len(self._rest) > self._longest:
            raise LineTooLong
        events: list[bytes] = []
        for line in lines:
            self._take(line.removesuffix(b"\r"), events)
        return events

    def end(self) -> list[bytes]:
        """Return what is complete but for its blank line; a half line is dropped.

        Some servers close right behind `data: [DONE]`, even without a line end.
        """
        events: list[bytes] = []
        if self._rest.strip() == b"data: " + DONE:
            self._take(self._rest.strip(), events)
        self._take(b"", events)
        return events

    def _take(self, line: bytes, events: list[bytes]) -> None:
        if line.startswith(b"data:"):
            value = line[5:].removeprefix(b" ")
            self._size += len(value)
            if self._size > self._longest:
                raise LineTooLong
            self._data.append(value)
        elif not line and self._data:
            events.append(self._data[0] if len(self._data) == 1 else b"\n".join(self._data))
            self._data.clear()
            self._size = 0
