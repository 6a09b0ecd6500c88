"""`/token`: a person's own tokens of the HTTP API."""

from __future__ import annotations

import discord

from companion.bot import token_words
from companion.bot.context import CompanionContext
from companion.bot.definitions import BOTH_INSTALLS, EVERYWHERE, TOKEN
from companion.services.tokens import TokensService


class Tokens(discord.Cog):
    """Makes, lists and ends tokens."""

    def __init__(self, tokens: TokensService) -> None:
        self._tokens = tokens

    @discord.slash_command(
        name="token",
        description="Tokens that let your own programs ask me as you",
        options=list(TOKEN),
        contexts=EVERYWHERE,
        integration_types=BOTH_INSTALLS,
    )
    async def token(
        self, ctx: CompanionContext, action: str, name: str | None, token: str | None
    ) -> None:
        """Create, list or revoke; only the person sees it."""
        await ctx.exchange.defer(ephemeral=True)
        actor, place = ctx.exchange.actor, ctx.exchange.place
        if action == "create":
            made = await self._tokens.create_own(actor, place, name or token_words.USUAL_NAME)
            answer = token_words.created(made)
        elif action == "revoke" and token:
            answer = token_words.revoked(await self._tokens.revoke_named(actor, place, token))
        else:
            answer = token_words.overview(await self._tokens.of_person(actor, place))
        await ctx.exchange.reply(answer)
