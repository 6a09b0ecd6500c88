"""Answering ordinary messages: build the request, call one service, render."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

import aiohttp
import discord
import structlog
from discord.http import HTTPClient

from companion.bot import message_words
from companion.bot.attachments import Attachments
from companion.bot.channel_messages import delete_messages
from companion.bot.closed_channels import ClosedChannels
from companion.bot.hearing import Hearing
from companion.bot.incoming import Incoming
from companion.bot.message_origin import may_speak
from companion.bot.message_text import question_about, quotation
from companion.bot.notices import Notices
from companion.bot.replies import Replies
from companion.bot.routing import delivery_below
from companion.domain.actor import MessageId
from companion.domain.chat import ChatRequest, InputFile
from companion.domain.errors import StorageError
from companion.ports.clock import Clock
from companion.services.background import BackgroundTasks
from companion.services.container import Services

log = structlog.get_logger()

MOST_FILES: Final = 10


class Talking:
    """Hears messages and answers those that are meant for the app."""

    def __init__(
        self,
        services: Services,
        replies: Replies,
        attachments: Attachments,
        *,
        hearing: Hearing,
        closed: ClosedChannels,
        notices: Notices,
        http: HTTPClient,
        tasks: BackgroundTasks,
        clock: Clock,
    ) -> None:
        self._services = services
        self._replies = replies
        self._attachments = attachments
        self._hearing = hearing
        self._closed = closed
        self._notices = notices
        self._http = http
        self._tasks = tasks
        self._edits = Notices(clock, every_s=math.inf)

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
        await self._services.deliveries.arrive(delivery_below(incoming))
        request = await self._request(incoming)
        if not request.prompt:
            if self._notices.may(incoming.actor.discord_id, incoming.place.channel_id):
                await incoming.reply(message_words.greeting())
            return
        self._tasks.start("typing", self._show_typing(incoming.message.channel))
        await self._replies.answer(incoming, self._services.chat.ask(request))

    async def hear_edit(self, payload: discord.RawMessageUpdateEvent) -> Incoming | None:
        """Return a message of a person's that was changed and had been answered."""
        stamp = payload.data.get("edited_timestamp")
        if not stamp or "author" not in payload.data:
            return None  # Discord unfolded a link, say
        incoming = await self.hear(payload.new_message)
        # the same edit is told again when anything else about the message changes
        if incoming is None or not self._edits.may(payload.message_id, stamp):
            return None
        return incoming

    async def revise(self, incoming: Incoming) -> None:
        """Answer anew what a person's last message says now, in place of the old answer."""
        asked = MessageId(incoming.message.id)
        shown = await self._services.conversations.answers_below(asked)
        if not shown:
            return
        request = await self._request(incoming)
        here = [message for channel, message in shown if channel == incoming.place.channel_id]
        request = replace(request, delivery=delivery_below(incoming, here))
        events = self._services.chat.revise(request, message_id=asked)
        await self._replies.answer(incoming, events, reused=here)

    async def forget(self, message_ids: Iterable[int]) -> None:
        """Forget what deleted messages asked, and delete the answers to them."""
        for message_id in message_ids:
            self._replies.being_written.message_deleted(message_id)
            try:
                shown = await self._services.conversations.forget_message(MessageId(message_id))
            except StorageError as error:
                log.warning("message_not_forgotten", error=error.code)
                return
            await delete_messages(self._http, shown)

    def lose(self, channel_id: int) -> None:
        """Give up what is being answered in a channel or thread that was deleted."""
        self._replies.being_written.channel_deleted(channel_id)

    async def _show_typing(self, channel: discord.abc.Messageable) -> None:
        """Show that an answer is coming, while Discord has time for it; nobody misses it."""
        with contextlib.suppress(discord.DiscordException, aiohttp.ClientError, OSError):
            await channel.trigger_typing()

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
            reply_to=None if incoming.replied_to is None else MessageId(incoming.replied_to),
            delivery=delivery_below(incoming),
        )
