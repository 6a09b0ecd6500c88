"""The commands in a message's menu: asking about it, and summarizing from it on."""

from __future__ import annotations

import discord

from companion.bot.context import CompanionContext
from companion.bot.definitions import BOTH_INSTALLS, EVERYWHERE
from companion.bot.questions import Questions
from companion.bot.summaries import Summaries


class Quoting(discord.Cog):
    """Works with messages that are there already."""

    def __init__(self, questions: Questions, summaries: Summaries) -> None:
        self._questions = questions
        self._summaries = summaries

    @discord.message_command(
        name="Ask about this", contexts=EVERYWHERE, integration_types=BOTH_INSTALLS
    )
    async def ask_about(self, ctx: CompanionContext, message: discord.Message) -> None:
        """Ask for the question."""
        await self._questions.open(ctx.exchange, message)

    @discord.message_command(
        name="Summarize from here", contexts=EVERYWHERE, integration_types=BOTH_INSTALLS
    )
    async def summarize_from(self, ctx: CompanionContext, message: discord.Message) -> None:
        """Summarize what was said since a message."""
        await self._summaries.summarize(ctx.exchange, message)
