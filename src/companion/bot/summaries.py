"""*Summarize from here*: what was said in a channel since a message, for one person's eyes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import discord

from companion.bot import message_words
from companion.bot.exchange import Exchange
from companion.bot.message_text import NAME_LIMIT, WARNING, named
from companion.bot.replies import Replies
from companion.domain.actor import Door, PlaceKind
from companion.domain.chat import ChatRequest, InputFile
from companion.domain.markdown import clean_label
from companion.services.chat import ChatService

MOST_MESSAGES: Final = 300
MOST_CHARACTERS: Final = 40_000

REQUEST: Final = (
    "Summarize the conversation in the attached file: what it is about, who holds what, what was "
    "decided, and what is open. Be short. Write in the language of the conversation."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcript:
    """What was read. `cut` says that there was more than is read at once."""

    text: str
    messages: int
    cut: bool


class Summaries:
    """Reads back and has it summarized."""

    def __init__(self, chat: ChatService, replies: Replies, *, reads_messages: bool) -> None:
        self._chat = chat
        self._replies = replies
        self._reads_messages = reads_messages

    async def summarize(self, exchange: Exchange, first: discord.Message) -> None:
        """Answer with a summary, or say why there can be none; raises `CompanionError`."""
        in_server = exchange.place.kind in {PlaceKind.CHANNEL, PlaceKind.THREAD}
        if in_server and not self._reads_messages:
            await exchange.reply(message_words.cannot_read_content())
            return
        if not exchange.may_read_back:
            await exchange.reply(message_words.cannot_read_here(in_server=in_server))
            return
        await exchange.defer(ephemeral=True)
        transcript = await read_from(exchange.interaction.channel, first)
        request = ChatRequest(
            actor=exchange.actor,
            place=exchange.place,
            door=Door.MESSAGE_COMMAND,
            prompt=REQUEST,
            files=(_file(transcript),),
            interaction_id=exchange.id,
            delivery=exchange.delivery,
            private=True,
        )
        note = message_words.read_so_far(transcript.messages, cut=transcript.cut)
        await self._replies.render(exchange, self._chat.ask(request), note=note)


async def read_from(channel: object, first: discord.Message) -> Transcript:
    """Return what was said from a message on, oldest first, up to the limits."""
    assert isinstance(channel, discord.abc.Messageable)
    lines: list[str] = []
    left, cut = MOST_CHARACTERS, False
    before = discord.Object(first.id - 1)
    async for message in channel.history(limit=MOST_MESSAGES + 1, after=before, oldest_first=True):
        line = _line(message)
        if len(lines) == MOST_MESSAGES or len(line) > left:
            cut = True
            break
        if line:
            lines.append(line)
            left -= len(line) + 1
    return Transcript(text="\n".join(lines), messages=len(lines), cut=cut)


def _line(message: discord.Message) -> str:
    names = {user.id: user.display_name for user in message.mentions}
    files = [f"[file: {attachment.filename}]" for attachment in message.attachments]
    said = " ".join(filter(None, [named(message.content, names, 0), *files]))
    who = clean_label(message.author.display_name, NAME_LIMIT) or "someone"
    return f"[{message.created_at:%Y-%m-%d %H:%M}] {who}: {said}" if said else ""


def _file(transcript: Transcript) -> InputFile:
    text = f"{WARNING.format(names='the people named below')}\n\n{transcript.text}"
    return InputFile(name="messages.txt", content_type="text/plain", data=text.encode())
