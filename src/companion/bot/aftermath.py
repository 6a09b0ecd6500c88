"""What is done once an answer is shown: note where it stands, and perhaps move to a thread."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import structlog

from companion.bot.threads import Shown, Threads
from companion.domain.actor import ChannelId, MessageId, Place
from companion.domain.chat import ChatEvent, Failed, Finished
from companion.domain.errors import CompanionError
from companion.services.conversations import ConversationsService

log: Final = structlog.get_logger()


class Aftermath:
    """Notes answers, so that replies, edits, deletions and buttons find them."""

    def __init__(self, conversations: ConversationsService, threads: Threads) -> None:
        self._conversations = conversations
        self._threads = threads

    async def note(self, end: ChatEvent, place: Place, messages: Sequence[int]) -> None:
        """Note which messages show the answer; what cannot be noted harms nobody now."""
        turn_id = end.turn_id if isinstance(end, Finished | Failed) else None
        if turn_id is None or place.channel_id is None or not messages:
            return
        try:
            await self._conversations.note_answer(
                turn_id, ChannelId(place.channel_id), [MessageId(each) for each in messages]
            )
        except CompanionError as error:
            log.warning("answer_not_noted", error=error.code)

    async def consider_thread(self, shown: Shown) -> None:
        """Move the conversation to a thread if it has become long."""
        try:
            await self._threads.consider(shown)
        except CompanionError as error:
            log.info("conversation_not_moved", error=error.code)
