"""Attached files as a model can read them: text inlined, pictures as data URLs."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import PurePath
from typing import Final

from companion.domain.chat import InputFile
from companion.domain.errors import FileTooLarge, FileUnreadable, FileUnsupported
from companion.domain.markdown import clean_label
from companion.ports.llm import ImagePart

IMAGE_BYTES: Final = 8 * 1024 * 1024
TEXT_BYTES: Final = 4 * 1024 * 1024
SUPPORTED: Final = ("text", "source code", "PNG", "JPEG", "WebP")

_IMAGE_STARTS: Final = (
    (b"\x89PNG\r\n\x1a\n", 0, "image/png"),
    (b"\xff\xd8\xff", 0, "image/jpeg"),
    (b"WEBP", 8, "image/webp"),
)
_CLAIMS_IMAGE: Final = frozenset({".png", ".jpg", ".jpeg", ".webp"})
_PDF: Final = b"%PDF-"
_UTF16_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")
_NAME_LIMIT: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class TextFile:
    """A file that is text."""

    name: str
    text: str

    def excerpt(self, limit: int) -> str:
        """Return its name and text, cut to `limit` characters with a note of what was used."""
        used = self.text[:limit]
        note = (
            ""
            if len(used) == len(self.text)
            else f", used {len(used):,} of {len(self.text):,} characters"
        )
        fence = "`" * max(3, _longest_run(used) + 1)
        return f"[file: {self.name}{note}]\n{fence}\n{used}\n{fence}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageFile:
    """A file that is a picture. Only its name is stored with the conversation."""

    name: str
    part: ImagePart

    @property
    def marker(self) -> str:
        """Return what stands for the picture in the text."""
        return f"[image: {self.name}]"


def read(file: InputFile) -> TextFile | ImageFile:
    """Return a file as something a model can read.

    What it is, is decided by its bytes; its name and content type are only claims.
    Raises `FileUnsupported`, `FileTooLarge` or `FileUnreadable`.
    """
    # the end is kept: it says what kind of file it claims to be
    name = clean_label(file.name, len(file.name))[-_NAME_LIMIT:] or "file"
    if kind := _image_kind(file.data):
        return _image(name, kind, file.data)
    if PurePath(name).suffix.lower() in _CLAIMS_IMAGE:
        raise FileUnreadable(name=name)
    text = _text(name, file.data)
    if len(file.data) > TEXT_BYTES:
        raise FileTooLarge(name=name, size=len(file.data), limit=TEXT_BYTES)
    return TextFile(name=name, text=text)


def _image(name: str, kind: str, data: bytes) -> ImageFile:
    if len(data) > IMAGE_BYTES:
        raise FileTooLarge(name=name, size=len(data), limit=IMAGE_BYTES)
    encoded = base64.b64encode(data).decode("ascii")
    return ImageFile(name=name, part=ImagePart(data_url=f"data:{kind};base64,{encoded}"))


def _image_kind(data: bytes) -> str | None:
    for start, offset, kind in _IMAGE_STARTS:
        if data[offset : offset + len(start)] == start:
            return kind
    return None


def _text(name: str, data: bytes) -> str:
    """Decode text; a zero byte or a wrong encoding means that it is none."""
    if data.startswith(_PDF):
        raise FileUnsupported(name=name, supported=SUPPORTED)
    encoding = "utf-16" if data.startswith(_UTF16_MARKS) else "utf-8-sig"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise FileUnsupported(name=name, supported=SUPPORTED) from error
    if "\x00" in text:
        raise FileUnsupported(name=name, supported=SUPPORTED)
    return text.replace("\r\n", "\n")


def _longest_run(text: str) -> int:
    longest = run = 0
    for char in text:
        run = run + 1 if char == "`" else 0
        longest = max(longest, run)
    return longest
