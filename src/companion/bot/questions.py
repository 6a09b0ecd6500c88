"""*Ask about this*: the form for a question about a message, and the answer to it.

The message is kept in memory while the form is open, because an app that is not in the
server cannot fetch it. After a restart it is fetched where that is possible.
"""

from __future__ import annotations

import contextlib
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

import discord

from companion.bot import message_words
from companion.bot.attachments import Attachments
from companion.bot.exchange import Exchange
from companion.bot.giving_back import QUESTION_FIELD
from companion.bot.headings import asked_about, headed
from companion.bot.message_text import named, quotation
from companion.bot.modals import PREFIX, typed_text
from companion.bot.replies import Replies
from companion.domain.actor import Door
from companion.domain.chat import ChatRequest, InputFile
from companion.domain.errors import ButtonExpired
from companion.services.chat import ChatService

LONGEST_QUESTION: Final = 4000
MOST_FILES: Final = 10
MOST_OPEN: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionForm:
    """A form that was shown: about which message, opened by whom (a Discord user id)."""

    message_id: int
    opener: int

    @property
    def custom_id(self) -> str:
        """Return the id that Discord sends back with what was typed."""
        return f"{PREFIX}:ask:{self.message_id}:{self.opener}"


class Questions:
    """Shows the form and answers what comes back."""

    def __init__(self, chat: ChatService, replies: Replies, attachments: Attachments) -> None:
        self._chat = chat
        self._replies = replies
        self._attachments = attachments
        self._open: OrderedDict[int, discord.Message] = OrderedDict()

    async def open(self, exchange: Exchange, message: discord.Message) -> None:
        """Show the form for a question about a message."""
        self._open[message.id] = message
        self._open.move_to_end(message.id)
        if len(self._open) > MOST_OPEN:
            self._open.popitem(last=False)
        await exchange.show(
            question_modal(QuestionForm(message_id=message.id, opener=exchange.user_id))
        )

    async def take(self, exchange: Exchange) -> None:
        """Answer a submitted question; raises `CompanionError` and `Unacknowledged`."""
        form = decode_question(str(exchange.data.get("custom_id", "")))
        if form is None or form.opener != exchange.user_id:
            raise ButtonExpired
        self._chat.knock(exchange.actor, exchange.place)
        await exchange.defer(ephemeral=False)
        message = self._open.get(form.message_id) or await _fetch(exchange, form.message_id)
        if message is None:
            await exchange.reply(message_words.message_lost())
            return
        question = typed_text(exchange.data, QUESTION_FIELD)
        line = asked_about(exchange.actor.name, message, question)
        request = ChatRequest(
            actor=exchange.actor,
            place=exchange.place,
            door=Door.MODAL,
            prompt=question,
            files=await self._files(message),
            interaction_id=exchange.id,
            delivery=exchange.delivery,
            private=exchange.ephemeral,
        )
        events = headed(self._chat.ask(request), line)
        await self._replies.render(exchange, events, asked=question)

    async def _files(self, message: discord.Message) -> tuple[InputFile, ...]:
        names = {user.id: user.display_name for user in message.mentions}
        files = [quotation(message.author.display_name, named(message.content, names, 0))]
        files += await self._attachments.read_all(message.attachments[:MOST_FILES])
        return tuple(files)


def question_modal(form: QuestionForm) -> discord.ui.DesignerModal:
    """Return the form."""
    return discord.ui.DesignerModal(
        discord.ui.Label(
            "Your question",
            discord.ui.InputText(
                style=discord.InputTextStyle.long,
                custom_id=QUESTION_FIELD,
                placeholder="What does this mean?",
                max_length=LONGEST_QUESTION,
            ),
            description="I read the message you chose, and its files.",
        ),
        title="Ask about this message",
        custom_id=form.custom_id,
        store=False,
    )


def decode_question(custom_id: str) -> QuestionForm | None:
    """Return what a form was for, or `None` when it is none of these."""
    parts = custom_id.split(":")
    if len(parts) != 4 or parts[:2] != [PREFIX, "ask"]:  # noqa: PLR2004
        return None
    try:
        return QuestionForm(message_id=int(parts[2]), opener=int(parts[3]))
    except ValueError:
        return None


async def _fetch(exchange: Exchange, message_id: int) -> discord.Message | None:
    """Return a message of the place the form was sent from, if the person may read it there.

    The form's id may be forged: only what stands in that very channel is looked up.
    """
    channel = exchange.interaction.channel
    if not exchange.may_read_back or not isinstance(channel, discord.abc.Messageable):
        return None
    with contextlib.suppress(discord.HTTPException):
        message = await channel.fetch_message(message_id)
        if message.content or message.attachments:
            return message
    return None
