"""The `FileReader`: finds out what a file is, and has it read where that is safe."""

from __future__ import annotations

from typing import Final

from companion.domain.chat import InputFile
from companion.domain.errors import FileTooLarge, FileUnreadable, FileUnsupported, InvalidInput
from companion.domain.file_errors import (
    FileEmpty,
    FileExpands,
    FileMislabelled,
    FileProtected,
    FileTooComplex,
    FileWithoutText,
    PictureTooLarge,
)
from companion.domain.file_kinds import SUPPORTED, FileKind, claimed_kind, kind_of
from companion.domain.file_text import decoded
from companion.domain.files import AudioFile, ImageFile, ReadFile, TextFile
from companion.domain.markdown import clean_label
from companion.files import caps
from companion.files.processes import ReaderFailed, ReadingProcesses
from companion.files.results import Outcome, Result, parse

_NAME_LIMIT: Final = 100
_DATA_URL: Final = b"data:image/"


class SafeFileReader:
    """Reads text itself and hands everything else to a process. Build it inside the loop."""

    def __init__(self, processes: ReadingProcesses | None = None) -> None:
        self._processes = processes or ReadingProcesses()

    async def read(self, file: InputFile) -> ReadFile:
        """Return what a file is and holds: see `FileReader`."""
        name = _shown(file.name)
        if not file.data:
            raise FileEmpty(name=name)
        kind = kind_of(file.data)
        if kind.media_type is not None:
            return _recording(name, kind, kind.media_type, file.data)
        if kind.is_picture or kind in {FileKind.PDF, FileKind.DOCX}:
            return await self._apart(name, kind, file.data)
        return _text(name, kind, file.data)

    async def _apart(self, name: str, kind: FileKind, data: bytes) -> ReadFile:
        _check_size(name, data, caps.IMAGE_BYTES if kind.is_picture else caps.DOCUMENT_BYTES)
        try:
            return _read(name, parse(await self._processes.run(kind, data)))
        except ReaderFailed as failed:
            raise (FileTooComplex if failed.exhausted else FileUnreadable)(name=name) from None
        except ValueError:
            raise FileUnreadable(name=name) from None


def _shown(name: str) -> str:
    # the end is kept: it says what kind of file it claims to be
    return clean_label(name, len(name))[-_NAME_LIMIT:] or "file"


def _check_size(name: str, data: bytes, limit: int) -> None:
    if len(data) > limit:
        raise FileTooLarge(name=name, size=len(data), limit=limit)


def _recording(name: str, kind: FileKind, media_type: str, data: bytes) -> AudioFile:
    _check_size(name, data, caps.AUDIO_BYTES)
    return AudioFile(name=name, suffix=kind.value, media_type=media_type, data=data)


def _text(name: str, kind: FileKind, data: bytes) -> TextFile:
    if kind is FileKind.FOREIGN:
        raise FileUnsupported(name=name, supported=SUPPORTED)
    if (claimed := claimed_kind(name)) is not None:
        raise FileMislabelled(name=name, claimed=claimed)
    _check_size(name, data, caps.TEXT_BYTES)
    text = decoded(data)
    if text is None:
        raise FileUnsupported(name=name, supported=SUPPORTED)
    return TextFile(name=name, text=text[: caps.KEPT_CHARACTERS], characters=len(text))


def _read(name: str, result: Result) -> ImageFile | TextFile:
    if result.outcome is Outcome.IMAGE and result.contents.startswith(_DATA_URL):
        return ImageFile(name=name, data_url=result.contents.decode("ascii"))
    if result.outcome is Outcome.TEXT:
        text = result.contents.decode("utf-8")
        return TextFile(
            name=name,
            text=text,
            characters=max(result.characters, len(text)),
            pages=result.pages or None,
            pages_read=result.pages_read or None,
        )
    raise _refusal(name, result)


def _refusal(name: str, result: Result) -> InvalidInput:
    match result.outcome:
        case Outcome.PROTECTED:
            return FileProtected(name=name)
        case Outcome.WITHOUT_TEXT:
            return FileWithoutText(name=name)
        case Outcome.EXPANDS:
            return FileExpands(name=name, limit=caps.UNPACKED_BYTES)
        case Outcome.TOO_COMPLEX:
            return FileTooComplex(name=name)
        case Outcome.TOO_MANY_PIXELS:
            return PictureTooLarge(
                name=name, width=result.width, height=result.height, limit=caps.PIXELS
            )
        case _:
            return FileUnreadable(name=name)
