"""The context a command callback gets: the library's, and our exchange."""

from __future__ import annotations

import discord

from companion.bot.exchange import Exchange


class CompanionContext(discord.ApplicationContext):
    """One command being run."""

    def __init__(
        self, bot: discord.AutoShardedBot, interaction: discord.Interaction, exchange: Exchange
    ) -> None:
        super().__init__(bot, interaction)  # type: ignore[arg-type]  # annotated for the unsharded bot only
        self.exchange = exchange
