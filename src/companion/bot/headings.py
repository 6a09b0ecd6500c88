"""The line above an answer whose question nobody else sees: who asked what, about what.

What was typed into a form is shown by Discord to nobody, and neither is a menu that only one
person saw. The line is fed to the reply as the answer's first words, so that it is counted,
split and filed like them; it is stored nowhere.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final

import discord

from companion.bot.message_text import named
from companion.bot.wording import quoted
from companion.domain.chat import ChatEvent, Delta
from companion.domain.markdown import clean_label

NAME_LIMIT: Final = 32
QUESTION_LIMIT: Final = 300
_MARKUP: Final = re.compile(r"(https?://[^\s<>\[\]()]+)|([\\*_~|`<\[\]])")


def asked_about(asker: str, message: discord.Message, question: str) -> str:
    """Return the line: plain text and a link to the message, which pings nobody."""
    names = {user.id: user.display_name for user in message.mentions}
    asked = _plain(named(question, names, 0), QUESTION_LIMIT)
    whose = f"{_plain(message.author.display_name, NAME_LIMIT) or 'someone'}'s message"
    return f"-# **{_plain(asker, NAME_LIMIT)}** asked about [{whose}]({message.jump_url}): {asked}"


def asked_another(asker: str, model: str) -> str:
    """Return the line above an answer that somebody had another model give, from their own menu."""
    return f"-# **{_plain(asker, NAME_LIMIT)}** asked {quoted(model)} the same question"


async def headed(events: AsyncGenerator[ChatEvent], line: str) -> AsyncGenerator[ChatEvent]:
    """Yield the events, with a line above the answer's first words."""
    async with aclosing(events):
        async for event in events:
            if line and isinstance(event, Delta):
                yield Delta(text=f"{line}\n{event.text}")
                line = ""
            else:
                yield event


def _plain(text: str, limit: int) -> str:
    """Return a text as one line that Discord shows as it was typed, with addresses left alone."""
    return _MARKUP.sub(lambda found: found[1] or f"\\{found[2]}", clean_label(text, limit))
