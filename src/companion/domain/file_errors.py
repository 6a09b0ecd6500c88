"""What can be wrong with attached files, besides the general; part of the tree in `errors`.

InvalidInput  FileEmpty FileMislabelled FileProtected FileWithoutText FileExpands
              FileTooComplex PictureTooLarge SpeechEmpty SpeechUnavailable TooManyFiles
              FilesTooLarge
TryLater      FilesBusy
"""

from __future__ import annotations

from dataclasses import dataclass

from companion.domain.errors import InvalidInput, TryLater


@dataclass(kw_only=True, eq=False)
class FileEmpty(InvalidInput):
    """A file of no bytes."""

    name: str


@dataclass(kw_only=True, eq=False)
class FileMislabelled(InvalidInput):
    """The name promises a kind (`claimed`) that the bytes are not."""

    name: str
    claimed: str


@dataclass(kw_only=True, eq=False)
class FileProtected(InvalidInput):
    """A document that opens with a password only."""

    name: str


@dataclass(kw_only=True, eq=False)
class FileWithoutText(InvalidInput):
    """A document without any text, such as a scan."""

    name: str


@dataclass(kw_only=True, eq=False)
class FileExpands(InvalidInput):
    """A packed file that unpacks to more than `limit` bytes, or to absurdly more than it has."""

    name: str
    limit: int


@dataclass(kw_only=True, eq=False)
class FileTooComplex(InvalidInput):
    """Reading the file took more time or memory than one file may."""

    name: str


@dataclass(kw_only=True, eq=False)
class PictureTooLarge(InvalidInput):
    """A picture of more than `limit` pixels."""

    name: str
    width: int
    height: int
    limit: int


@dataclass(kw_only=True, eq=False)
class SpeechEmpty(InvalidInput):
    """A recording in which no words were heard."""

    name: str


@dataclass(kw_only=True, eq=False)
class SpeechUnavailable(InvalidInput):
    """This provider, or this key, has nothing that writes down speech."""

    name: str


@dataclass(kw_only=True, eq=False)
class TooManyFiles(InvalidInput):
    """More files at once than allowed."""

    count: int
    limit: int


@dataclass(kw_only=True, eq=False)
class FilesTooLarge(InvalidInput):
    """The files together are over the limit, in bytes."""

    size: int
    limit: int


class FilesBusy(TryLater):
    """Too many files are being read at the moment."""
