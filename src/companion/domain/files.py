"""Attached files as a model can read them, and what had to be left out of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Measure(StrEnum):
    """What a `FileNote` counts."""

    CHARACTERS = "characters"
    PAGES = "pages"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileNote:
    """Only `used` of the `total` characters or pages of a file reached the model."""

    name: str
    used: int
    total: int
    measure: Measure = Measure.CHARACTERS


class TextSource(StrEnum):
    """Where a text comes from: written in the file, or heard in it."""

    FILE = "file"
    SPEECH = "speech"


@dataclass(frozen=True, slots=True, kw_only=True)
class TextFile:
    """A file's text, or as much of it as was kept of `characters`.

    `pages_read` of `pages` were looked at, where there are such.
    """

    name: str
    text: str = field(repr=False)
    characters: int
    pages: int | None = None
    pages_read: int | None = None
    source: TextSource = TextSource.FILE

    def notes(self, limit: int) -> tuple[FileNote, ...]:
        """Return what is left out when at most `limit` characters are used."""
        found: list[FileNote] = []
        if self.pages and self.pages_read is not None and self.pages_read < self.pages:
            found.append(
                FileNote(
                    name=self.name, used=self.pages_read, total=self.pages, measure=Measure.PAGES
                )
            )
        used = min(limit, len(self.text))
        if used < self.characters:
            found.append(FileNote(name=self.name, used=used, total=self.characters))
        return tuple(found)

    def excerpt(self, limit: int) -> str:
        """Return its name and text, cut to `limit` characters, saying what was used."""
        used = self.text[:limit]
        said = "".join(
            f", used {note.used:,} of {note.total:,} {note.measure}" for note in self.notes(limit)
        )
        fence = "`" * max(3, _longest_run(used) + 1)
        return f"[{self.source}: {self.name}{said}]\n{fence}\n{used}\n{fence}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageFile:
    """A picture, as a `data:` URL. Only its name is stored with the conversation."""

    name: str
    data_url: str = field(repr=False)

    @property
    def marker(self) -> str:
        """Return what stands for the picture in the text."""
        return f"[image: {self.name}]"


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioFile:
    """A recording, to be listened to before a model can read it; `suffix` is without the dot."""

    name: str
    suffix: str
    media_type: str
    data: bytes = field(repr=False)


ReadFile = TextFile | ImageFile | AudioFile


def _longest_run(text: str) -> int:
    longest = run = 0
    for char in text:
        run = run + 1 if char == "`" else 0
        longest = max(longest, run)
    return longest
