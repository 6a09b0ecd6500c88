"""`/ask`: a question, and its answer as it is being written."""

from __future__ import annotations

import discord

from companion.bot.attachments import Attachments
from companion.bot.context import CompanionContext
from companion.bot.definitions import ASK, BOTH_INSTALLS, EVERYWHERE
from companion.bot.exchange import Exchange
from companion.bot.replies import Replies
from companion.domain.actor import Door
from companion.domain.chat import ChatRequest
from companion.services.chat import ChatService


class Asking(discord.Cog):
    """Asks the model."""

    def __init__(self, chat: ChatService, replies: Replies, attachments: Attachments) -> None:
        self._chat = chat
        self._replies = replies
        self._attachments = attachments

    @discord.slash_command(
        name="ask",
        description="Ask the model something; it remembers your conversation in this channel",
        options=list(ASK),
        contexts=EVERYWHERE,
        integration_types=BOTH_INSTALLS,
    )
    async def ask(
        self,
        ctx: CompanionContext,
        *,
        prompt: str,
        model: str | None,
        temperature: float | None,
        max_tokens: int | None,
        attachment: discord.Attachment | None,
        private: bool | None,
    ) -> None:
        """Ask the model something."""
        await self._begin(ctx.exchange, private=bool(private))
        request = ChatRequest(
            actor=ctx.exchange.actor,
            place=ctx.exchange.place,
            door=Door.SLASH,
            prompt=prompt,
            model=model,
            temperature=temperature,
            max_tokens=max_tokens,
            files=await self._attachments.read(attachment),
            interaction_id=ctx.exchange.id,
            delivery=ctx.exchange.delivery,
            private=ctx.exchange.ephemeral,
        )
        await self._replies.render(ctx.exchange, self._chat.ask(request), asked=prompt)

    async def _begin(self, exchange: Exchange, *, private: bool) -> None:
        """Refuse at once what is known to be refused, or say that an answer is on its way."""
        self._chat.knock(exchange.actor, exchange.place)
        await exchange.defer(ephemeral=private)
