"""`/setkey`: a person's or a server's API key."""

from __future__ import annotations

import discord

from companion.bot.context import CompanionContext
from companion.bot.definitions import BOTH_INSTALLS, EVERYWHERE, SETKEY
from companion.bot.forms import KeyForms
from companion.domain.accounts import KeyScope


class Keys(discord.Cog):
    """Takes API keys."""

    def __init__(self, forms: KeyForms) -> None:
        self._forms = forms

    @discord.slash_command(
        name="setkey",
        description="Add, replace or remove the API key that pays for your questions",
        options=list(SETKEY),
        contexts=EVERYWHERE,
        integration_types=BOTH_INSTALLS,
    )
    async def setkey(self, ctx: CompanionContext, scope: str | None) -> None:
        """Open the form for a key."""
        await self._forms.open(ctx.exchange, KeyScope(scope or KeyScope.ME))
