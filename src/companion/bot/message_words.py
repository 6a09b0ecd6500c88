"""What the app says to ordinary messages besides a model's answers."""

from __future__ import annotations

from companion.bot.answer import Answer
from companion.bot.wording import count


def greeting() -> Answer:
    """Answer a mention that asks nothing."""
    return Answer(
        text="Hi! Write your question right after my name, or use `/ask`. "
        "`/help` shows everything I can do."
    )


def message_lost() -> Answer:
    """Say that the message a question is about is not known any more."""
    return Answer(
        text="I no longer have the message you asked about: I had to restart in between. "
        "Please choose *Ask about this* on it again."
    )


def cannot_read_content() -> Answer:
    """Say why nothing can be summarized without the Message Content intent."""
    return Answer(
        text="I can't read what was said here: Discord shows messages to apps only with the "
        "Message Content permission, which I run without. Choose *Ask about this* on one "
        "message, or paste the text into `/ask`."
    )


def cannot_read_here(*, in_server: bool) -> Answer:
    """Say that the app does not see this channel's earlier messages."""
    why = (
        "I may not read earlier messages in this channel. Someone who manages the server can "
        "add me here and allow *View Channel* and *Read Message History*."
        if in_server
        else "I see only what is sent to me here, not earlier messages."
    )
    return Answer(text=f"{why} Choose *Ask about this* on one message, or paste the text.")


def read_so_far(messages: int, *, cut: bool) -> str:
    """Say what a summary is made of."""
    more = "; there is more after them" if cut else ""
    return f"Made from {count(messages, 'message')}{more}"
