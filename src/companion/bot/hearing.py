"""Which ordinary messages are meant for the app.

A mention, a direct message, a reply to an answer, anything in a thread of the app's or in
a chat channel. Without the Message Content intent Discord delivers the text of the first
two only, and of replies that ping; a message without text or file is not guessed at.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import discord
import structlog

from companion.bot.incoming import Incoming
from companion.bot.message_origin import place_of_message
from companion.domain.actor import Door, MessageId, Place, PlaceKind
from companion.domain.errors import StorageError
from companion.services.conversations import ConversationsService
from companion.services.rooms import RoomsService

log = structlog.get_logger()

SPOKEN: Final = {discord.MessageType.default, discord.MessageType.reply}


class Hearing:
    """Picks out what is meant for the app."""

    def __init__(
        self, me: Callable[[], int], conversations: ConversationsService, rooms: RoomsService
    ) -> None:
        self._me = me
        self._conversations = conversations
        self._rooms = rooms

    async def hear(self, message: discord.Message) -> Incoming | None:
        """Return the message as one for the app, or nothing."""
        if not _is_spoken(message):
            return None
        place = place_of_message(message)
        if place is None:
            return None
        door = await self._door(message, place)
        if door is None:
            return None
        return Incoming(message=message, place=place, door=door, me=self._me())

    async def _door(self, message: discord.Message, place: Place) -> Door | None:
        me = self._me()
        if any(user.id == me for user in message.mentions):
            return Door.MENTION
        if place.kind is PlaceKind.DM:
            return Door.MESSAGE
        if not (message.content or message.attachments):
            return None
        channel = message.channel
        if isinstance(channel, discord.Thread) and channel.owner_id == me:  # pyright: ignore[reportUnknownMemberType]
            return Door.MESSAGE
        return Door.MESSAGE if await self._is_ours(message, place) else None

    async def _is_ours(self, message: discord.Message, place: Place) -> bool:
        """Say whether it replies to an answer, or stands where all is meant for the app."""
        reference = message.reference
        try:
            if reference is not None and reference.message_id is not None:
                found = await self._conversations.answers_to(MessageId(reference.message_id))
                if found is not None:
                    return True
            if place.kind is not PlaceKind.CHANNEL:
                return False
            assert place.guild_id is not None
            assert place.channel_id is not None
            return await self._rooms.is_chat_channel(place.guild_id, place.channel_id)
        except StorageError as error:
            log.warning("message_not_looked_up", error=error.code)
            return False


def _is_spoken(message: discord.Message) -> bool:
    """Say whether a person wrote it: no app, no webhook, not Discord itself."""
    return not message.author.bot and message.webhook_id is None and message.type in SPOKEN
