"""OpenAI's chat models: which ids they are, when they end, which come first.

The SDK's list serves when a key may not ask for its own. End dates are from OpenAI's
page “Deprecations”, as the SDK repeats them; a date in the list of a key wins.
"""

from __future__ import annotations

import re
from datetime import date
from functools import cache
from typing import Final, get_args

from companion.domain.models import Catalogue, Model, ModelId
from companion.llm.sdk import ChatModel

_CHAT: Final = re.compile(r"(?:ft:)?(?:gpt-|chatgpt-|o\d)")
_OTHER_KIND: Final = re.compile(
    r"image|audio|realtime|transcribe|tts|instruct|codex|deep-research|computer-use|live"
    r"|-pro\b|search-api"
)
"""Names like chat models', of models that answer no chat completion."""

_ENDS: Final[dict[date, str]] = {
    date(2024, 9, 13): "gpt-3.5-turbo-16k gpt-3.5-turbo-0301 gpt-3.5-turbo-0613"
    " gpt-3.5-turbo-16k-0613",
    date(2024, 12, 6): "gpt-4-vision-preview",
    date(2025, 6, 6): "gpt-4-32k gpt-4-32k-0314 gpt-4-32k-0613",
    date(2025, 7, 28): "o1-preview o1-preview-2024-09-12",
    date(2025, 10, 27): "o1-mini o1-mini-2024-09-12",
    date(2026, 2, 17): "chatgpt-4o-latest",
    date(2026, 3, 26): "gpt-4-0125-preview gpt-4-turbo-preview gpt-4-0314",
    date(2026, 7, 23): "gpt-5.1-chat-latest gpt-5-chat-latest gpt-4o-search-preview"
    " gpt-4o-mini-search-preview gpt-4o-search-preview-2025-03-11"
    " gpt-4o-mini-search-preview-2025-03-11",
    date(2026, 8, 10): "gpt-5.3-chat-latest gpt-5.2-chat-latest",
    date(2026, 9, 28): "gpt-3.5-turbo-1106",
    date(2026, 10, 23): "gpt-4.1-nano gpt-4.1-nano-2025-04-14 o4-mini o4-mini-2025-04-16 o3-mini"
    " o3-mini-2025-01-31 o1 o1-2024-12-17 gpt-4o-2024-05-13 gpt-4-turbo gpt-4-turbo-2024-04-09"
    " gpt-4-1106-preview gpt-4 gpt-4-0613 gpt-3.5-turbo gpt-3.5-turbo-0125",
    date(2026, 12, 11): "gpt-5 gpt-5-mini gpt-5-nano gpt-5-2025-08-07 gpt-5-mini-2025-08-07"
    " gpt-5-nano-2025-08-07 o3 o3-2025-04-16",
    date(2027, 1, 14): "gpt-4.1 gpt-4.1-mini gpt-4.1-2025-04-14 gpt-4.1-mini-2025-04-14 gpt-4o"
    " gpt-4o-2024-11-20 gpt-4o-2024-08-06 gpt-4o-mini gpt-4o-mini-2024-07-18",
    date(2027, 4, 1): "gpt-5.4-nano gpt-5.4-nano-2026-03-17 gpt-5.1 gpt-5.1-2025-11-13",
}

_NEVER_WAS: Final = "gpt-5.1-mini"
"""An id that the SDK keeps for compatibility; there is no such model."""

_DATED: Final = re.compile(r"-(?:20\d\d-\d\d-\d\d|\d{4})\b")
_VERSION: Final = re.compile(r"gpt-(\d+(?:\.\d+)?)")


def is_chat_model(model_id: str) -> bool:
    """Return whether OpenAI's model of that id answers chat completions, by its name."""
    return _CHAT.match(model_id) is not None and _OTHER_KIND.search(model_id) is None


def ends_on(model_id: str) -> date | None:
    """Return the announced end of one of OpenAI's models."""
    return _end_dates().get(model_id)


def in_order(models: list[Model]) -> tuple[Model, ...]:
    """Return the models newest first; those with an end date and dated snapshots come later."""
    return tuple(sorted(models, key=_rank))


def built_in(today: date) -> Catalogue:
    """Return the SDK's chat models that have not ended by `today`."""
    named: tuple[str, ...] = get_args(ChatModel)
    models = [
        Model(id=ModelId(name), ends_on=ends_on(name))
        for name in named
        if is_chat_model(name) and name != _NEVER_WAS and (ends_on(name) or date.max) > today
    ]
    return Catalogue(models=in_order(models), complete=False)


@cache
def _end_dates() -> dict[str, date]:
    return {name: day for day, names in _ENDS.items() for name in names.split()}


def _rank(model: Model) -> tuple[bool, bool, float, str]:
    version = _VERSION.match(model.id)
    return (
        model.ends_on is not None,
        _DATED.search(model.id) is not None,
        -float(version.group(1)) if version else 0.0,
        model.id,
    )
