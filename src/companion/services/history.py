"""What was said before: the newest turns that fit, through forks, and a summary of the rest.

The work does not depend on how long a conversation is: at most `MOST_TURNS` turns and
`MOST_LEVELS` conversations are read, each through an index.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from companion.domain.actor import PersonId
from companion.domain.context_window import TURN_TOKENS, Window, estimate_tokens, fit
from companion.domain.conversation import ConversationId, Level, Turn
from companion.ports.store import UnitOfWork

MOST_TURNS: Final = 40
"""The most turns that are read and sent, however short they are."""

MOST_LEVELS: Final = 4
"""How many conversations a line of forks is followed through."""


SUMMARY_SHARE: Final = 4
"""Summaries take at most this part of what there is for earlier turns: a fourth."""

_CHARACTERS_PER_TOKEN: Final = 3

NOTHING: Final = Window(turns=(), dropped=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Who asks, and whether only they see the answer; decides which private turns are read."""

    person: PersonId | None
    private: bool

    def of(self, level: Level, head: Level) -> PersonId | None:
        """Return whose private turns of that level may be read: the reader's, or nobody's."""
        own = level.owner_id is not None and level.owner_id == head.owner_id == self.person
        in_private = level.owner_id is None and self.private
        return self.person if own or in_private else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A conversation whose older turns have left the window and are in no summary yet."""

    level: Level
    upto_position: int
    budget_tokens: int

    @property
    def covered(self) -> int:
        """Up to where the last summary tells."""
        return self.level.summary.upto_position if self.level.summary else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What is told of earlier turns. `number` counts the conversation's turns so far."""

    window: Window = NOTHING
    summary: str = ""
    number: int = 0
    due: Due | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """What was read of one level: `turns` that fit, oldest first, and the next older one."""

    turns: tuple[Turn, ...]
    left_out: Turn | None
    dropped: int


async def read_past(
    unit: UnitOfWork,
    conversation: ConversationId,
    before: int | None,
    reader: Reader,
    budget_tokens: int,
) -> Past:
    """Read a conversation from `before` backwards, on into what it was forked from."""
    levels = await unit.conversations.lineage(conversation, MOST_LEVELS)
    if not levels:
        return Past()
    ends = [replace(levels[0], upto=None if before is None else before - 1), *levels[1:]]
    whole_budget = budget_tokens
    summary_tokens = min(sum(map(_summary_tokens, ends)), whole_budget // SUMMARY_SHARE)
    budget_tokens -= summary_tokens
    kept: tuple[Turn, ...] = ()
    for index, level in enumerate(ends):
        whose = reader.of(level, ends[0])
        read = await _read(unit, level, whose, MOST_TURNS - len(kept), budget_tokens)
        kept = read.turns + kept
        if read.dropped:
            return Past(
                window=Window(turns=kept, dropped=_dropped(ends[0], kept, read)),
                summary=_summaries(ends[index:], summary_tokens),
                number=levels[0].turn_count,
                due=_due(levels[index], read, whole_budget),
            )
        budget_tokens -= sum(map(turn_tokens, read.turns))
    return Past(window=Window(turns=kept, dropped=0), number=levels[0].turn_count)


def turn_tokens(turn: Turn) -> int:
    """Return about what a turn costs when it is sent."""
    return TURN_TOKENS + estimate_tokens(turn.prompt) + estimate_tokens(turn.answer)


async def _read(
    unit: UnitOfWork, level: Level, reader: PersonId | None, room: int, budget_tokens: int
) -> _Read:
    end = None if level.upto is None else level.upto + 1
    page: Sequence[Turn] = await unit.turns.before(
        level.conversation_id, end, room + 1, reader=reader
    )
    window = fit(page[:room], budget_tokens=budget_tokens)
    fitting = len(window.turns)
    return _Read(
        turns=window.turns,
        left_out=page[fitting] if fitting < len(page) else None,
        dropped=len(page) - fitting,
    )


def _dropped(head: Level, kept: tuple[Turn, ...], read: _Read) -> int:
    """Count what was left out: those that were read, and those of the head before them."""
    of_head = sum(turn.conversation_id == head.conversation_id for turn in kept)
    unread = head.turn_count - of_head if head.upto is None else 0
    return max(read.dropped, unread)


def _summary(level: Level) -> str:
    """Return the summary, unless it tells of turns after the fork."""
    found = level.summary
    if found is None or (level.upto is not None and found.upto_position > level.upto):
        return ""
    return found.text


def _summary_tokens(level: Level) -> int:
    return estimate_tokens(_summary(level))


def _summaries(levels: Sequence[Level], tokens: int) -> str:
    """Return the summaries, oldest first, cut to what they may take."""
    told = "\n\n".join(filter(None, map(_summary, reversed(levels))))
    if estimate_tokens(told) <= tokens:
        return told
    return told[: tokens * _CHARACTERS_PER_TOKEN]


def _due(level: Level, read: _Read, budget_tokens: int) -> Due | None:
    """Say what to summarise: up to the middle of the window, so that it is not due every turn."""
    if read.left_out is None:
        return None
    middle = read.turns[(len(read.turns) - 1) // 2] if read.turns else read.left_out
    due = Due(level=level, upto_position=middle.position, budget_tokens=budget_tokens)
    return due if read.left_out.position > due.covered else None
