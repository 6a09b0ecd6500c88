"""What the app says to ordinary messages besides a model's answers."""

from __future__ import annotations

from companion.bot.answer import Answer


def greeting() -> Answer:
    """Answer a mention that asks nothing."""
    return Answer(
        text="Hi! Write your question right after my name, or use `/ask`. "
        "`/help` shows everything I can do."
    )
