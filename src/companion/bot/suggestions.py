"""Autocompletion: from what is in memory only, and nothing ever goes wrong visibly.

What is suggested binds nobody: values are checked again when the command arrives.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import discord

from companion.bot.command_shapes import mappings
from companion.bot.exchange import Exchange
from companion.services.models import ModelsService

MAX_CHOICES: Final = 25
MAX_LENGTH: Final = 100
NOTHING: Final[Mapping[str, object]] = {}
Choices = Sequence[tuple[str, str]]


def answered_by_the_bot(_: discord.AutocompleteContext) -> list[str]:
    """Mark an option as autocompleted.

    The library's own handling cancels another person's pending answer to the same
    command, so the bot answers by option name instead (`Suggestions`).
    """
    return []


class Suggestions:
    """Answers autocompletion by option name."""

    def __init__(self, models: ModelsService, command_titles: Callable[[], Sequence[str]]) -> None:
        self._models = models
        self._command_titles = command_titles

    def choices(self, exchange: Exchange) -> Choices:
        """Return (label, value) pairs for the option being typed, without any I/O."""
        options = mappings(exchange.data.get("options"))
        focused = next((option for option in options if option.get("focused")), NOTHING)
        typed = str(focused.get("value", ""))[:MAX_LENGTH]
        offers = {"model": self._model_choices, "command": self._command_choices}
        offer = offers.get(str(focused.get("name")))
        found = offer(exchange, typed) if offer else ()
        return [(label[:MAX_LENGTH], value) for label, value in found if len(value) <= MAX_LENGTH][
            :MAX_CHOICES
        ]

    def _model_choices(self, exchange: Exchange, typed: str) -> Choices:
        found = self._models.suggest(exchange.actor, exchange.place, typed)
        return [(choice.label, choice.id) for choice in found]

    def _command_choices(self, _: Exchange, typed: str) -> Choices:
        wanted = typed.lstrip("/").lower()
        titles = [title for title in self._command_titles() if wanted in title.lower()]
        return [(title, title.removeprefix("/")) for title in titles]
