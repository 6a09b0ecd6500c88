"""Fenced code blocks, line by line: which block is open after a line.

A fence is three or more backticks or tildes at the start of a line, behind any
indentation, list bullet or quote mark. It is closed by at least as many of the same
on a line of their own, or by the end of the quote that it stands in.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

LONGEST_LINE: Final = 300
"""A longer line is no fence: real ones are short, and a reopened one must fit a message."""

_LEAD: Final = r"(?P<lead>[ \t]*(?:(?:>|[-*+]|\d{1,9}[.)])[ \t]+|>(?=[`~]))*)"
_OPENING: Final = re.compile(
    _LEAD + r"(?P<marker>`{3,100}(?!`)|~{3,100}(?!~))(?P<info>[^\n]*)", re.DOTALL
)
_CLOSING: Final = re.compile(r"[ \t]*(?P<marker>`{3,}|~{3,})[ \t\r]*")
_LANGUAGE: Final = re.compile(r"[ \t]*(?P<language>[\w+#.\-]{1,40})")
_BEGINNING: Final = re.compile(_LEAD + r"(?:`{1,2}|~{1,2}|`{3,}[^`\n]*|~{3,}[^\n]*)")


@dataclass(frozen=True, slots=True)
class Fence:
    """An open code block: what reopens it in the next message, and what closes it here."""

    marker: str
    language: str = ""
    quote: str = ""

    @property
    def opening(self) -> str:
        """Return the line that opens the block again, with its line end."""
        return f"{self.quote}{self.marker}{self.language}\n"

    @property
    def closing(self) -> str:
        """Return the line that closes the block, without a line end."""
        return f"{self.quote}{self.marker}"

    def closing_after(self, body: str) -> str:
        """Return what to put behind `body` so that the block is closed on its own line."""
        return self.closing if body.endswith("\n") else f"\n{self.closing}"


def after_line(line: str, fence: Fence | None) -> Fence | None:
    """Return the block that is open after `line` (given without its line end)."""
    if fence is None:
        return _opened_by(line)
    if fence.quote and not line.lstrip().startswith(">"):
        return _opened_by(line)
    return None if _closes(line, fence) else fence


def may_become_fence(line: str) -> bool:
    """Whether an unfinished line may still turn into a fence, or is one already."""
    return len(line) <= LONGEST_LINE and _BEGINNING.fullmatch(line) is not None


def _opened_by(line: str) -> Fence | None:
    if "```" not in line and "~~~" not in line:
        return None
    found = _OPENING.fullmatch(line) if len(line) <= LONGEST_LINE else None
    if found is None or (found["marker"][0] == "`" and "`" in found["info"]):
        return None
    language = _LANGUAGE.match(found["info"])
    return Fence(
        marker=found["marker"],
        language=language["language"] if language else "",
        quote="> " * found["lead"].count(">"),
    )


def _closes(line: str, fence: Fence) -> bool:
    found = _CLOSING.fullmatch(line.replace(">", "") if fence.quote else line)
    return found is not None and found["marker"].startswith(fence.marker)
