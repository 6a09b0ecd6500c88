"""Answering ordinary messages: build the request, call one service, render."""

from __future__ import annotations

import contextlib
from typing import Final

import aiohttp
import discord
import structlog

from companion.bot import message_words
from companion.bot.attachments import Attachments
from companion.bot.closed_channels import ClosedChannels
from companion.bot.hearing import Hearing
from companion.bot.incoming import Incoming
from companion.bot.message_origin import may_speak
from companion.bot.message_text import question_about, quotation
from companion.bot.notices import Notices
from companion.bot.replies import Replies
from companion.domain.chat import ChatRequest, InputFile
from companion.services.background import BackgroundTasks
from companion.services.chat import ChatService

log = structlog.get_logger()

MOST_FILES: Final = 10


class Talking:
    """Hears messages and answers those that are meant for the app."""

    def __init__(
        self,
        chat: ChatService,
        replies: Replies,
        attachments: Attachments,
        *,
        hearing: Hearing,
        closed: ClosedChannels,
        notices: Notices,
        tasks: BackgroundTasks,
    ) -> None:
        self._chat = chat
        self._replies = replies
        self._attachments = attachments
        self._hearing = hearing
        self._closed = closed
        self._notices = notices
        self._tasks = tasks

    async def hear(self, message: discord.Message) -> Incoming | None:
        """Return a message that is for the app and can be answered where it stands."""
        incoming = await self._hearing.hear(message)
        if incoming is None:
            return None
        if message.channel.id in self._closed or not may_speak(message.channel):
            log.info("message_unanswerable", place=incoming.place.kind)
            return None
        return incoming

    async def answer(self, incoming: Incoming) -> None:
        """Answer a message; raises `CompanionError`."""
        request = await self._request(incoming)
        if not request.prompt:
            if self._notices.may(incoming.actor.discord_id, incoming.place.channel_id):
                await incoming.reply(message_words.greeting())
            return
        self._tasks.start("typing", _show_typing(incoming.message.channel))
        await self._replies.answer(incoming, self._chat.ask(request))

    async def _request(self, incoming: Incoming) -> ChatRequest:
        attached = incoming.message.attachments[:MOST_FILES]
        quoted = incoming.quoted
        files: list[InputFile] = [quotation(*quoted)] if quoted else []
        files += await self._attachments.read_all(attached)
        names = [attachment.filename for attachment in attached]
        return ChatRequest(
            actor=incoming.actor,
            place=incoming.place,
            door=incoming.door,
            prompt=question_about(incoming.words, names, quotes=quoted is not None),
            files=tuple(files),
            interaction_id=incoming.id,
        )


async def _show_typing(channel: discord.abc.Messageable) -> None:
    """Show that an answer is coming; nobody misses it."""
    with contextlib.suppress(discord.DiscordException, aiohttp.ClientError, OSError):
        await channel.trigger_typing()
