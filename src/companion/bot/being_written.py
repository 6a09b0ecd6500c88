"""Replies that are being written right now, found by the messages that are deleted meanwhile.

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
    """A reply. `asked` is the message that asked, `messages` returns those that show it."""

    reply: ReplyId
    asked: int | None
    messages: Callable[[], Sequence[int]]
    question_deleted: bool = False
    answer_deleted: bool = False

    @property
    def is_unwanted(self) -> bool:
        """Whether nothing more shall be written."""
        return self.question_deleted or self.answer_deleted


class BeingWritten:
    """Those of this process; `give_up` ends the work on one."""

    def __init__(self, give_up: Callable[[ReplyId], None]) -> None:
        self._give_up = give_up
        self._subjects: dict[ReplyId, Subject] = {}

    @contextmanager
    def writing(
        self, reply: ReplyId, asked: int | None, messages: Callable[[], Sequence[int]]
    ) -> Generator[Subject]:
        """Watch over a reply for the length of the block."""
        subject = Subject(reply=reply, asked=asked, messages=messages)
        self._subjects[reply] = subject
        try:
            yield subject
        finally:
            del self._subjects[reply]

    def deleted(self, message_id: int) -> None:
        """Give up what asked, or is being written into, a message that was deleted."""
        for subject in self._subjects.values():
            subject.question_deleted |= message_id == subject.asked
            # an earlier part of a long answer is missed by nobody who reads on
            subject.answer_deleted |= message_id in subject.messages()[-1:]
            if subject.is_unwanted:
                self._give_up(subject.reply)
