"""The text of a file that is nothing but text, whatever its encoding."""

from __future__ import annotations

import codecs
from typing import Final

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # begins as UTF-16's does: looked at first
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SAMPLE: Final = 4096
_MOSTLY: Final = 0.4
_CONTROLS: Final = frozenset(range(32)) - {9, 10, 12, 13, 27}
_UNUSED_IN_1252: Final = frozenset({0x7F, 0x81, 0x8D, 0x8F, 0x90, 0x9D})


def decoded(data: bytes) -> str | None:
    """Return the text, with plain line ends; `None` when these bytes are no text."""
    encoding = _encoding(data)
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        if encoding != "utf-8" or not _may_be_western(data):
            return None
        text = data.decode("cp1252", "replace")
    return None if "\x00" in text else text.replace("\r\n", "\n")


def _encoding(data: bytes) -> str:
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return encoding
    sample = data[:_SAMPLE]
    if len(sample) % 2 == 0 and b"\x00" in sample:  # some tools leave the mark out
        for start, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
            if (
                sample[start::2].count(0) >= _MOSTLY * len(sample) / 2
                and 0 not in sample[1 - start :: 2]
            ):
                return encoding
    return "utf-8"


def _may_be_western(data: bytes) -> bool:
    # what Windows writes; other binary data holds control bytes soon
    return not (_CONTROLS | _UNUSED_IN_1252).intersection(data)
