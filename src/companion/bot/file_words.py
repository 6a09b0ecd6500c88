"""What a person reads of files: what is wrong with one, and what was left out of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final, TypeVar, cast

from companion.bot.wording import count, in_, listed, quoted, size
from companion.domain import errors as e
from companion.domain import file_errors as f
from companion.domain.files import FileNote

E = TypeVar("E", bound=e.CompanionError)
Say = Callable[[e.CompanionError, datetime], str]


def noted(notes: Sequence[FileNote]) -> str:
    """Say in one line how much of the files the model got; the first stands for the others."""
    first = notes[0]
    said = f"used {first.used:,} of {first.total:,} {first.measure} of {quoted(first.name)}"
    others = len({note.name for note in notes} - {first.name})
    return f"{said}, and parts of {count(others, 'other file')}" if others else said


def _words(kind: type[E], say: Callable[[E, datetime], str]) -> tuple[type[e.CompanionError], Say]:
    # found by class, so this one only ever sees errors of its own class
    return kind, cast("Say", say)


FILE_WORDS: Final = (
    _words(
        e.FileUnsupported,
        lambda error, _: (
            f"I can't read {quoted(error.name)}. I can read {listed(error.supported)}."
        ),
    ),
    _words(
        e.FileTooLarge,
        lambda error, _: (
            f"{quoted(error.name)} has {size(error.size)}; I can take {size(error.limit)}. "
            "Attach a smaller file, or only the part you need."
        ),
    ),
    _words(
        e.FileUnreadable,
        lambda error, _: (
            f"I couldn't read {quoted(error.name)}. Attach it again, or in another format."
        ),
    ),
    _words(
        f.FileEmpty,
        lambda error, _: f"{quoted(error.name)} is empty. Check it and attach it again.",
    ),
    _words(
        f.FileMislabelled,
        lambda error, _: (
            f"{quoted(error.name)} says it is {quoted(error.claimed)}, but what is in it is "
            "something else. Save it again in its right format and attach that."
        ),
    ),
    _words(
        f.FileProtected,
        lambda error, _: (
            f"{quoted(error.name)} is protected with a password. "
            "Attach a copy without one, or paste the part you need."
        ),
    ),
    _words(
        f.FileWithoutText,
        lambda error, _: (
            f"There is no text in {quoted(error.name)}: it may be a scan. "
            "Attach its pages as pictures, or a version with text."
        ),
    ),
    _words(
        f.FileExpands,
        lambda error, _: (
            f"{quoted(error.name)} unpacks to far more than it seems; I can take "
            f"{size(error.limit)}. Attach only the part you need, or paste its text."
        ),
    ),
    _words(
        f.FileTooComplex,
        lambda error, _: (
            f"{quoted(error.name)} took too long or too much memory to read, so I stopped. "
            "Attach only the part you need, or another format."
        ),
    ),
    _words(
        f.PictureTooLarge,
        lambda error, _: (
            f"{quoted(error.name)} is {error.width:,} × {error.height:,} pixels; I can take "
            f"{error.limit // 1_000_000:,} million in all. Make it smaller and attach it again."
        ),
    ),
    _words(
        f.SpeechEmpty,
        lambda error, _: (
            f"I heard no words in {quoted(error.name)}. Check the recording and attach it again."
        ),
    ),
    _words(
        f.SpeechUnavailable,
        lambda error, _: (
            f"I can't listen to {quoted(error.name)}: this model provider, or this key, doesn't "
            "do speech. Write down what is said and ask again."
        ),
    ),
    _words(
        f.TooManyFiles,
        lambda error, _: (
            f"That is {count(error.count, 'file')}; I can take {error.limit:,} at once. "
            "Send the others with your next question."
        ),
    ),
    _words(
        f.FilesTooLarge,
        lambda error, _: (
            f"These files have more than {size(error.limit)} together, which is the most I can "
            "take at once. Send some of them with your next question."
        ),
    ),
    _words(
        f.FilesBusy,
        lambda error, now: (
            "I'm reading a lot of files right now. "
            f"Attach yours again {in_(error.retry_after_s, now)}."
        ),
    ),
)
