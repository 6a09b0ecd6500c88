"""The text of a PDF, page by page; runs in the reading process only."""

from __future__ import annotations

import time
from io import BytesIO

from pypdf import PageObject, PasswordType, PdfReader
from pypdf.errors import DependencyError, FileNotDecryptedError, LimitReachedError

from companion.domain.file_kinds import FileKind
from companion.files import caps
from companion.files.results import Outcome, Result


def read(data: bytes, _kind: FileKind) -> Result:
    """Return the text of the first pages, as many as time and size allow."""
    reader = PdfReader(BytesIO(data), strict=False)
    try:
        if reader.is_encrypted and reader.decrypt("") is PasswordType.NOT_DECRYPTED:
            return Result(outcome=Outcome.PROTECTED)
        return _text(reader)
    except (FileNotDecryptedError, DependencyError):
        return Result(outcome=Outcome.PROTECTED)
    except (LimitReachedError, RecursionError):
        return Result(outcome=Outcome.TOO_COMPLEX)


def _text(reader: PdfReader) -> Result:
    pages = len(reader.pages)
    texts: list[str] = []
    characters = pages_read = 0
    while pages_read < min(pages, caps.PAGES) and characters <= caps.KEPT_CHARACTERS:
        if pages_read and time.process_time() > caps.READING_CPU_S:
            break
        texts.append(_of_page(reader.pages[pages_read]))
        characters += len(texts[-1])
        pages_read += 1
    text = "\n\n".join(filter(None, texts))
    if not text:
        return Result(outcome=Outcome.WITHOUT_TEXT)
    return Result(
        outcome=Outcome.TEXT,
        contents=text[: caps.KEPT_CHARACTERS].encode("utf-8", "replace"),
        characters=len(text),
        pages=pages,
        pages_read=pages_read,
    )


def _of_page(page: PageObject) -> str:
    return page.extract_text().replace("\x00", "").strip()
