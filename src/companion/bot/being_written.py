"""Replies that are being written right now, found by what is deleted meanwhile.

A refused write tells of a lost answer too, but there is none while the model thinks. And
nothing else tells that a question is gone, with which its answer has to go.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from companion.domain.delivery import ReplyId


@dataclass(slots=True, kw_only=True)
class Subject:
    """A reply in a channel. `asked` is the message that asked, `messages` returns the answer's."""

    reply: ReplyId
    channel_id: int | None
    asked: int | None
    messages: Callable[[], Sequence[int]]
    question_deleted: bool = False
    is_unwanted: bool = False
    """Whether nothing more shall be written."""


class BeingWritten:
    """Those of this process; `give_up` ends the work on one."""

    def __init__(self, give_up: Callable[[ReplyId], None]) -> None:
        self._give_up = give_up
        self._subjects: dict[ReplyId, Subject] = {}

    @contextmanager
    def watched(self, subject: Subject) -> Generator[None]:
        """Watch over a reply for the length of the block."""
        self._subjects[subject.reply] = subject
        try:
            yield
        finally:
            del self._subjects[subject.reply]

    def message_deleted(self, message_id: int) -> None:
        """Give up the answer to a message, or the one that is being written into it."""
        for subject in self._subjects.values():
            subject.question_deleted |= message_id == subject.asked
            # an earlier part of a long answer is missed by nobody who reads on
            if subject.question_deleted or message_id in subject.messages()[-1:]:
                self._end(subject)

    def channel_deleted(self, channel_id: int) -> None:
        """Give up what is being written in a channel or thread."""
        for subject in self._subjects.values():
            if subject.channel_id == channel_id:
                self._end(subject)

    def _end(self, subject: Subject) -> None:
        subject.is_unwanted = True
        self._give_up(subject.reply)
