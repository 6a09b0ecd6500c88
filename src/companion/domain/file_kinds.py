"""What a file is, by its first bytes: its name and content type are only claims."""

from __future__ import annotations

from enum import StrEnum
from pathlib import PurePath
from typing import Final


class FileKind(StrEnum):
    """The kinds of files that are told apart; `OTHER` may still be text."""

    PNG = "PNG"
    JPEG = "JPEG"
    WEBP = "WebP"
    GIF = "GIF"
    PDF = "PDF"
    DOCX = "Word (docx)"
    FLAC = "flac"
    MP3 = "mp3"
    MP4 = "mp4"
    MPEG = "mpeg"
    OGG = "ogg"
    WAV = "wav"
    WEBM = "webm"
    FOREIGN = "foreign"
    OTHER = "other"

    @property
    def is_picture(self) -> bool:
        """Whether it is a picture that we can show to a model."""
        return self in _PICTURES

    @property
    def media_type(self) -> str | None:
        """Return the media type of a recording, and nothing for anything else."""
        return _RECORDINGS.get(self)


SUPPORTED: Final = ("text", "source code", "PDF", "Word (docx)", "pictures", "recordings")
"""What can be read, as a person would say it."""

_PICTURES: Final = frozenset({FileKind.PNG, FileKind.JPEG, FileKind.WEBP, FileKind.GIF})
_RECORDINGS: Final = {
    FileKind.FLAC: "audio/flac",
    FileKind.MP3: "audio/mpeg",
    FileKind.MP4: "audio/mp4",
    FileKind.MPEG: "audio/mpeg",
    FileKind.OGG: "audio/ogg",
    FileKind.WAV: "audio/wav",
    FileKind.WEBM: "audio/webm",
}
_STARTS: Final = (
    (0, b"\x89PNG\r\n\x1a\n", FileKind.PNG),
    (0, b"\xff\xd8\xff", FileKind.JPEG),
    (8, b"WEBP", FileKind.WEBP),
    (0, b"GIF87a", FileKind.GIF),
    (0, b"GIF89a", FileKind.GIF),
    (0, b"fLaC", FileKind.FLAC),
    (0, b"ID3", FileKind.MP3),
    (4, b"ftyp", FileKind.MP4),
    (0, b"\x00\x00\x01\xba", FileKind.MPEG),
    (0, b"OggS", FileKind.OGG),
    (8, b"WAVE", FileKind.WAV),
    (0, b"\x1a\x45\xdf\xa3", FileKind.WEBM),
)
_ISO_PICTURES: Final = frozenset({b"heic", b"heix", b"hevc", b"mif1", b"msf1", b"avif", b"avis"})
"""Brands that share the start of MP4 and are pictures (HEIC, AVIF) we cannot read."""

_FOREIGN: Final = (b"\x1f\x8b", b"Rar!", b"7z\xbc\xaf", b"BM", b"\x7fELF", b"MZ", b"II*\x00")
_ZIP: Final = (b"PK\x03\x04", b"PK\x05\x06")
_WORD: Final = b"word/document.xml"
_PDF_WITHIN: Final = 1024
_CLAIMS: Final = {
    ".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WebP", ".gif": "GIF",
    ".pdf": "PDF", ".docx": "Word (docx)", ".mp3": "mp3", ".ogg": "ogg", ".wav": "wav",
    ".flac": "flac", ".m4a": "m4a", ".mp4": "mp4", ".webm": "webm", ".mpga": "mpga",
    ".mpeg": "mpeg",
}  # fmt: skip


def kind_of(data: bytes) -> FileKind:
    """Return what the bytes are."""
    for offset, start, kind in _STARTS:
        if data[offset : offset + len(start)] == start:
            foreign = kind is FileKind.MP4 and data[8:12] in _ISO_PICTURES
            return FileKind.FOREIGN if foreign else kind
    if data.startswith(_ZIP):
        return FileKind.DOCX if _WORD in data else FileKind.FOREIGN
    if b"%PDF-" in data[:_PDF_WITHIN]:  # readers allow junk before it
        return FileKind.PDF
    if _is_mpeg_frame(data):
        return FileKind.MP3
    binary = data.startswith(_FOREIGN) and b"\x00" in data[:_PDF_WITHIN]
    return FileKind.FOREIGN if binary else FileKind.OTHER


def claimed_kind(name: str) -> str | None:
    """Return the kind that a name's ending promises, as it is shown to a person."""
    return _CLAIMS.get(PurePath(name).suffix.lower())


def _is_mpeg_frame(data: bytes) -> bool:
    """Whether it starts like MPEG audio: eleven set bits, no reserved version, layer or rate.

    A UTF-16 mark (`FF FE`) starts so, too: there the layer bits tell them apart.
    """
    if len(data) < 4 or data[0] != 0xFF or data[1] & 0xE0 != 0xE0:  # noqa: PLR2004
        return False
    version, layer, rate = data[1] >> 3 & 3, data[1] >> 1 & 3, data[2] >> 4
    return version != 1 and layer in {1, 2} and rate not in {0, 15}
