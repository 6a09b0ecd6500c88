"""`/settings`: what managers decide for their server."""

from __future__ import annotations

import discord

from companion.bot.context import CompanionContext
from companion.bot.definitions import BOTH_INSTALLS
from companion.bot.settings_panel import SettingsPanel


class Settling(discord.Cog):
    """Opens the panel."""

    def __init__(self, panel: SettingsPanel) -> None:
        self._panel = panel

    @discord.slash_command(
        name="settings",
        description="For people who manage this server: where and how I take part",
        contexts={discord.InteractionContextType.guild},
        integration_types=BOTH_INSTALLS,
    )
    async def settings(self, ctx: CompanionContext) -> None:
        """Show the panel."""
        await self._panel.open(ctx.exchange)
