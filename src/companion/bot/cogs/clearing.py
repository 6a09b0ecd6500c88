"""`/clear`: forgetting conversations."""

from __future__ import annotations

import discord

from companion.bot.answer import Answer
from companion.bot.buttons import Action, Button, Tone
from companion.bot.context import CompanionContext
from companion.bot.definitions import BOTH_INSTALLS, CLEAR, EVERYWHERE
from companion.bot.wording import count
from companion.services.conversations import ConversationsService


class Clearing(discord.Cog):
    """Forgets."""

    def __init__(self, conversations: ConversationsService) -> None:
        self._conversations = conversations

    @discord.slash_command(
        name="clear",
        description="Make me forget our conversation here, or all our conversations",
        options=list(CLEAR),
        contexts=EVERYWHERE,
        integration_types=BOTH_INSTALLS,
    )
    async def clear(self, ctx: CompanionContext, scope: str | None) -> None:
        """Forget here at once, or ask before forgetting everything."""
        if scope == "everywhere":
            await ctx.exchange.reply(confirmation())
            return
        await ctx.exchange.defer(ephemeral=True)
        forgotten = await self._conversations.clear_here(ctx.exchange.actor, ctx.exchange.place)
        await ctx.exchange.reply(cleared_here(forgotten))


def confirmation() -> Answer:
    """Ask before everything is forgotten."""
    return Answer(
        text="**Forget all our conversations, in every server and direct message?** "
        "This can't be undone. Your API key and your settings stay.",
        buttons=(
            Button(action=Action.CONFIRM_CLEAR, label="Forget everything", tone=Tone.DANGER),
            Button(action=Action.CANCEL, label="Keep it"),
        ),
    )


def cleared_here(forgotten: int) -> Answer:
    """Say what was forgotten."""
    if not forgotten:
        return Answer(text="There was nothing to forget here.")
    return Answer(
        text=f"Done. I forgot our conversation here ({count(forgotten, 'question')}), so your next "
        "`/ask` starts afresh. Messages already in the channel stay."
    )
