"""The text of a Word document; runs in the reading process only."""

from __future__ import annotations

from io import BytesIO
from typing import Final
from xml.etree.ElementTree import Element, iterparse
from zipfile import ZipFile, ZipInfo

from companion.domain.file_kinds import FileKind
from companion.files import caps
from companion.files.results import Outcome, Result

_TEXT: Final = "word/document.xml"
_W: Final = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_STANDS_FOR: Final = {f"{_W}tab": "\t", f"{_W}br": "\n", f"{_W}cr": "\n"}
_ENDS: Final = {f"{_W}p": "\n", f"{_W}tc": "\t"}


def read(data: bytes, _kind: FileKind) -> Result:
    """Return the document's paragraphs; what is deleted, hidden in fields or drawn is left out."""
    with ZipFile(BytesIO(data)) as archive:
        part = archive.getinfo(_TEXT)
        if part.flag_bits & 1:
            return Result(outcome=Outcome.PROTECTED)
        if _is_bomb(part):
            return Result(outcome=Outcome.EXPANDS)
        with archive.open(part) as unpacked:
            # the size that the archive states is a claim: this is what counts
            xml = unpacked.read(caps.UNPACKED_BYTES + 1)
    if len(xml) > caps.UNPACKED_BYTES:
        return Result(outcome=Outcome.EXPANDS)
    if b"<!DOCTYPE" in xml or b"<!ENTITY" in xml:  # no word processor writes one
        return Result(outcome=Outcome.EXPANDS)
    text = _text(xml)
    if not text:
        return Result(outcome=Outcome.WITHOUT_TEXT)
    return Result(
        outcome=Outcome.TEXT,
        contents=text[: caps.KEPT_CHARACTERS].encode("utf-8", "replace"),
        characters=len(text),
    )


def _is_bomb(part: ZipInfo) -> bool:
    ratio = part.file_size / max(part.compress_size, 1)
    dense = ratio > caps.UNPACKED_RATIO and part.file_size > caps.UNPACKED_ANYWAY
    return dense or part.file_size > caps.UNPACKED_BYTES


def _text(xml: bytes) -> str:
    pieces: list[str] = []
    for _, element in iterparse(BytesIO(xml)):  # noqa: S314 — without a DOCTYPE no entity can grow
        pieces.append(_piece(element))
        if element.tag == f"{_W}p":
            element.clear()
    return "".join(pieces).strip()


def _piece(element: Element) -> str:
    if element.tag == f"{_W}t":
        return element.text or ""
    return _STANDS_FOR.get(element.tag) or _ENDS.get(element.tag, "")
