"""`/help`: what the app can do, from the commands that are registered."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import discord

from companion.bot.command_shapes import CommandShape
from companion.bot.context import CompanionContext
from companion.bot.definitions import BOTH_INSTALLS, EVERYWHERE, HELP
from companion.bot.help_text import details, overview
from companion.domain.accounts import KeyScope
from companion.services.accounts import AccountsService


class Helping(discord.Cog):
    """Explains."""

    def __init__(
        self,
        accounts: AccountsService,
        commands: Callable[[], Sequence[CommandShape]],
        *,
        reads_messages: bool,
    ) -> None:
        self._accounts = accounts
        self._commands = commands
        self._reads_messages = reads_messages

    @discord.slash_command(
        name="help",
        description="What I can do, and how; with a command's name: everything about it",
        options=list(HELP),
        contexts=EVERYWHERE,
        integration_types=BOTH_INSTALLS,
    )
    async def help(self, ctx: CompanionContext, command: str | None) -> None:
        """Explain everything, or one command."""
        if command:
            await ctx.exchange.reply(details(self._commands(), command))
            return
        await ctx.exchange.defer(ephemeral=True)
        key = await self._accounts.status(ctx.exchange.actor, ctx.exchange.place, KeyScope.ME)
        await ctx.exchange.reply(
            overview(self._commands(), key, reads_messages=self._reads_messages)
        )
