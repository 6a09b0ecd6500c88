"""What the app says about threads."""

from __future__ import annotations

import re
from typing import Final

from companion.domain.markdown import clean_label

NAME_LIMIT: Final = 60
_UNNAMED: Final = "Conversation"
_MARKS: Final = re.compile(r"[`*_~|>#<@\\]+")


def first_name(asked: str, person: str) -> str:
    """Return a thread's name until the model has thought of a title: the question's first words."""
    return as_name(asked or f"Conversation with {person}")


def as_name(text: str) -> str:
    """Return a text as a thread's name: one line, no markup, no mention, not empty."""
    return clean_label(_MARKS.sub(" ", text), NAME_LIMIT) or _UNNAMED


def goes_on_in(thread: int) -> str:
    """Say where a conversation goes on."""
    return f"-# This is becoming a real conversation: it goes on in <#{thread}>."


def moved_to(thread: int) -> str:
    """Say where a conversation was moved by a click."""
    return f"Our conversation goes on in <#{thread}>."


def welcome(*, reads_messages: bool) -> str:
    """Say what this thread is, and how one goes on in it."""
    how = (
        "Just write here"
        if reads_messages
        else "Mention me or use `/ask` here (I don't see messages without that)"
    )
    return (
        f"-# I know what was said up to here. {how}; everyone in this thread talks with me "
        "in one conversation, and I tell you apart by name."
    )


def no_thread(*, full: bool) -> str:
    """Say why a conversation was not moved."""
    if full:
        return (
            "-# I'd go on in a thread, but this server has as many open threads as Discord "
            "allows. I'll answer here."
        )
    return (
        "-# I'd go on in a thread, but I may not start one in this channel. I'll answer here. "
        "Whoever manages it can allow me *Create Public Threads* and *Send Messages in Threads*."
    )
