"""What the reading process says to us: one line of JSON, then the contents.

Nothing in it is trusted: whoever made the file may have made the answer.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Final

LONGEST_HEAD: Final = 1024


class Outcome(StrEnum):
    """How reading ended."""

    IMAGE = "image"
    TEXT = "text"
    PROTECTED = "protected"
    WITHOUT_TEXT = "without_text"
    EXPANDS = "expands"
    TOO_MANY_PIXELS = "too_many_pixels"
    TOO_COMPLEX = "too_complex"


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """An outcome, its figures, and the text or the data URL as UTF-8."""

    outcome: Outcome
    contents: bytes = b""
    characters: int = 0
    pages: int = 0
    pages_read: int = 0
    width: int = 0
    height: int = 0

    def to_bytes(self) -> bytes:
        """Return the form that goes over the pipe."""
        head = asdict(self)
        del head["contents"]
        return json.dumps(head).encode() + b"\n" + self.contents


def parse(sent: bytes) -> Result:
    """Read what came over the pipe; raises `ValueError` when it is anything else."""
    end = sent.find(b"\n", 0, LONGEST_HEAD)
    if end < 0:
        raise ValueError("no head")
    head = json.loads(sent[:end])
    if not isinstance(head, dict):
        raise ValueError("no object")
    figures: dict[str, int] = {}
    for name in ("characters", "pages", "pages_read", "width", "height"):
        number = head.get(name, 0)  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
        if not isinstance(number, int) or not 0 <= number < 2**53:
            raise ValueError(name)
        figures[name] = number
    outcome = Outcome(str(head.get("outcome")))  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]
    return Result(outcome=outcome, contents=sent[end + 1 :], **figures)
