"""`/usage`: what was used and what it cost."""

from __future__ import annotations

import discord

from companion.bot import usage_words
from companion.bot.context import CompanionContext
from companion.bot.definitions import BOTH_INSTALLS, EVERYWHERE, USAGE
from companion.services.spending import SpendingService


class Spending(discord.Cog):
    """Shows it."""

    def __init__(self, spending: SpendingService) -> None:
        self._spending = spending

    @discord.slash_command(
        name="usage",
        description="What was used and what it cost: tokens, money, and what is left",
        options=list(USAGE),
        contexts=EVERYWHERE,
        integration_types=BOTH_INSTALLS,
    )
    async def usage(self, ctx: CompanionContext, scope: str | None, period: str | None) -> None:
        """Show one's own use, or to its managers the server's; only the person sees it."""
        await ctx.exchange.defer(ephemeral=True)
        actor, place = ctx.exchange.actor, ctx.exchange.place
        chosen = usage_words.period_of(period)
        if scope == "server":
            report = await self._spending.of_server(actor, place, chosen)
            await ctx.exchange.reply(usage_words.of_server(report, chosen))
        else:
            report = await self._spending.own(actor, place, chosen)
            await ctx.exchange.reply(usage_words.of_person(report, chosen))
