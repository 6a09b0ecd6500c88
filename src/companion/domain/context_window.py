"""How much of a conversation still fits into a model's window.

Tokens are estimated, because vocabularies are not to be had offline. The estimate is
meant to be a little high: leaving one more old turn out costs less than a refused
request. Against the counts OpenAI published with GPT-4o it lies between the newer
vocabulary (o200k: English +25 %, Russian +30 %, Chinese +35 %, Korean +95 %, Hindi +150 %)
and the older one (cl100k: within ±20 % for all of them). Source code comes to about three
characters a token. Single rare words can be a third low.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sized
from dataclasses import dataclass
from typing import Final

from companion.domain.conversation import Turn

TURN_TOKENS: Final = 12
"""What the two messages of a turn cost besides their texts (roles, separators)."""

# Each match costs about one token: a short word or a part of a long one with the blank
# before it, three digits, two marks, an indentation, one character of a dense script.
_PIECES: Final = re.compile(
    r" ?[A-Za-z]{1,6}"
    r"|\d{1,3}"
    r"|[ \t]*\n+|[ \t]+"
    r"|[!-/:-@\[-`{-~]{1,2}"
    r"|[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\uac00-\ud7af]"
    r"|[^\W\d_]{1,2}"
    r"|."
)
_DENSE: Final = re.compile("[\U00010000-\U0010ffff\ufe0f\u200d]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The turns that fit, oldest first; `dropped` counts the older ones, as far as they came."""

    turns: tuple[Turn, ...]
    dropped: int


def estimate_tokens(text: str) -> int:
    """Return about how many tokens `text` has; rather too many than too few."""
    # an emoji takes two or three tokens, so it counts twice more
    extra = 0 if text.isascii() else 2 * len(_DENSE.findall(text))
    return len(_PIECES.findall(text)) + extra


def fit(newest_first: Iterable[Turn], *, budget_tokens: int) -> Window:
    """Return the newest turns that fit into the budget together; a turn is never cut.

    Stops reading at the first turn that does not fit, so the cost depends on the budget
    and not on how long the conversation is.
    """
    kept: list[Turn] = []
    left = budget_tokens
    for turn in newest_first:
        left -= TURN_TOKENS + estimate_tokens(turn.prompt) + estimate_tokens(turn.answer)
        if left < 0:
            # what is still in a lazy source is not read just to be counted
            total = len(newest_first) if isinstance(newest_first, Sized) else len(kept) + 1
            return Window(turns=tuple(reversed(kept)), dropped=total - len(kept))
        kept.append(turn)
    return Window(turns=tuple(reversed(kept)), dropped=0)
