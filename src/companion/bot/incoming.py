"""One ordinary message that is meant for the app, and how it is answered."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from uuid import uuid4

import discord

from companion.bot.answer import Answer
from companion.bot.channel_messages import Spot
from companion.bot.message_origin import author_of
from companion.bot.message_text import named, words_of
from companion.bot.views import components_of
from companion.domain.actor import Actor, Door, InteractionId, Place
from companion.domain.delivery import ReplyId


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """A message for the app. `me` is the app's own user id."""

    message: discord.Message
    place: Place
    door: Door
    me: int
    reference: str = field(default_factory=lambda: secrets.token_hex(4))
    """Names this message in the log, and to the person when something broke."""
    reply_id: ReplyId = field(default_factory=lambda: ReplyId(uuid4()))

    @property
    def actor(self) -> Actor:
        """Who wrote it, with the rights that are known of them."""
        return author_of(self.message)

    @property
    def id(self) -> InteractionId:
        """The message's id, which makes a second delivery recognisable."""
        return InteractionId(self.message.id)

    @property
    def kind(self) -> str:
        """What kind of event it is, for the log."""
        return str(self.door)

    @property
    def words(self) -> str:
        """What was said, without the mention of the app."""
        return words_of(self.message, self.me)

    @property
    def typed(self) -> str:
        """Nothing that has to be given back with a refusal: the message stays."""
        return ""

    @property
    def quoted(self) -> tuple[str, str] | None:
        """Name and text of someone else's message that this one replies to, if it can be read."""
        reference = self.message.reference
        target = reference.resolved if reference else None
        if not isinstance(target, discord.Message) or target.author.id in {
            self.me,
            self.message.author.id,
        }:
            return None
        words = named(target.content, {user.id: user.display_name for user in target.mentions}, 0)
        return (target.author.display_name, words) if words else None

    @property
    def replied_to(self) -> int | None:
        """The message that this one replies to."""
        reference = self.message.reference
        return reference.message_id if reference is not None else None

    async def reply(self, answer: Answer) -> None:
        """Say something below the message; pings its author and nobody else."""
        http = self.message._state.http  # pyright: ignore[reportPrivateUsage]
        spot = Spot(
            channel_id=self.message.channel.id, origin=self.message.id, reply_to=self.message.id
        )
        await http.request(spot.route, json=spot.below(answer.text, components_of(answer)))
