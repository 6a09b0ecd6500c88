from __future__ import annotations

import pytest

from companion.domain.file_kinds import FileKind, kind_of
from companion.domain.file_text import decoded
from companion.domain.files import FileNote, Measure, TextFile, TextSource


def text_file(text: str, **changes: object) -> TextFile:
    fields: dict[str, object] = {"name": "a.md", "text": text, "characters": len(text), **changes}
    return TextFile(**fields)  # type: ignore[arg-type]  # as the tests name them


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"plain", "plain"),
        ("Größe".encode(), "Größe"),
        ("\ufeffmarked".encode(), "marked"),
        ("wide ☕".encode("utf-16"), "wide ☕"),
        ("wide ☕".encode("utf-32"), "wide ☕"),
        ("no mark, and yet wide".encode("utf-16-le"), "no mark, and yet wide"),
        ("no mark, and yet wide".encode("utf-16-be"), "no mark, and yet wide"),
        (b"caf\xe9 \x96 windows", "café – windows"),
        (b"two\r\nlines", "two\nlines"),
    ],
)
def test_text_is_read_in_whatever_encoding_it_came(data: bytes, text: str) -> None:
    assert decoded(data) == text


@pytest.mark.parametrize("data", [b"a\x00b", b"\xff\xff\x01", bytes(range(256)), b"\xfe\xff\xd8"])
def test_bytes_that_are_no_text_are_not_taken_for_it(data: bytes) -> None:
    assert decoded(data) is None


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"ID3\x04\x00", FileKind.MP3),
        (b"\xff\xfb\x90\x64", FileKind.MP3),
        (b"\xff\xfeh\x00", FileKind.OTHER),
        (b"\x00\x00\x00\x18ftypM4A ", FileKind.MP4),
        (b"\x00\x00\x00\x18ftypheic", FileKind.FOREIGN),
        (b"\x00\x00\x01\xba\x44", FileKind.MPEG),
        (b"OggS\x00", FileKind.OGG),
        (b"RIFF\x10\x00\x00\x00WAVEfmt ", FileKind.WAV),
        (b"RIFF\x10\x00\x00\x00WEBPVP8 ", FileKind.WEBP),
        (b"\x1a\x45\xdf\xa3", FileKind.WEBM),
        (b"fLaC", FileKind.FLAC),
        (b"junk\n%PDF-1.4", FileKind.PDF),
        (b"PK\x03\x04 xl/workbook.xml", FileKind.FOREIGN),
        (b"\x7fELF\x00", FileKind.FOREIGN),
        (b"BMW and MZ are only words", FileKind.OTHER),
        (b"", FileKind.OTHER),
    ],
)
def test_bytes_say_what_a_file_is(data: bytes, kind: FileKind) -> None:
    assert kind_of(data) is kind


def test_an_excerpt_says_how_much_was_used() -> None:
    found = text_file("x" * 40_000, name="long.txt")
    assert "[file: long.txt, used 12,000 of 40,000 characters]" in found.excerpt(12_000)
    assert "used" not in found.excerpt(40_000)
    assert found.notes(12_000) == (FileNote(name="long.txt", used=12_000, total=40_000),)


def test_an_excerpt_says_how_many_pages_were_read() -> None:
    found = text_file("x" * 50, name="a.pdf", pages=400, pages_read=300)
    assert "[file: a.pdf, used 300 of 400 pages]" in found.excerpt(100)
    note = FileNote(name="a.pdf", used=300, total=400, measure=Measure.PAGES)
    assert found.notes(100) == (note,)


def test_speech_is_named_as_such() -> None:
    found = text_file("Hello.", name="voice.ogg", source=TextSource.SPEECH)
    assert found.excerpt(100).startswith("[speech: voice.ogg]\n")


def test_a_file_cannot_close_the_block_it_stands_in() -> None:
    excerpt = text_file("```\nnot the end\n```").excerpt(100)
    assert excerpt.splitlines()[1] == excerpt.splitlines()[-1] == "````"
