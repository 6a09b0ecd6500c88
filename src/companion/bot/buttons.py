"""Buttons by their custom id: what they do and what they refer to.

A custom id is all a button keeps (no view object stays in memory), so a button
works after a restart. It carries no right: whoever handles it looks up the target
and checks the person who clicked.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

PREFIX = "cmp1"
PRIVATE = "private"
"""Argument of a button below an answer that only one person sees."""


class Action(StrEnum):
    """What a button does."""

    STOP = "stop"
    REGENERATE = "regenerate"
    CONTINUE = "continue"
    OTHER_MODEL = "other_model"
    THREAD = "thread"
    DELETE = "delete"
    SET_KEY = "set_key"
    REMOVE_KEY = "remove_key"
    CHOOSE_MODEL = "choose_model"
    CONFIRM_CLEAR = "confirm_clear"
    CANCEL = "cancel"
    CHAT_CHANNELS = "chat_channels"
    BUDGETS = "budgets"


class Tone(StrEnum):
    """How a button looks."""

    PLAIN = "plain"
    PRIMARY = "primary"
    DANGER = "danger"


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    """One button. `target` is the turn (or other row) it is about."""

    action: Action
    label: str
    target: UUID | None = None
    argument: str = ""
    tone: Tone = Tone.PLAIN
    disabled: bool = False

    @property
    def custom_id(self) -> str:
        """Return the id that Discord sends back when it is clicked; at most 100 characters."""
        return ":".join(
            (PREFIX, self.action, self.target.hex if self.target else "", self.argument)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Click:
    """A decoded custom id."""

    action: Action
    target: UUID | None
    argument: str


def decode(custom_id: str) -> Click | None:
    """Return what a custom id means, or `None` when it is none of ours."""
    parts = custom_id.split(":", 3)
    if len(parts) != 4 or parts[0] != PREFIX:  # noqa: PLR2004
        return None
    try:
        return Click(
            action=Action(parts[1]),
            target=UUID(hex=parts[2]) if parts[2] else None,
            argument=parts[3],
        )
    except ValueError:
        return None
