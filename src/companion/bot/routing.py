"""How answers reach Discord, noted so that another process could go on with them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

import discord

from companion.bot.incoming import Incoming
from companion.bot.interaction_responder import TOKEN_LIFE_S, may_speak_beside
from companion.bot.origin import actor_of, place_of
from companion.domain.actor import DiscordUserId, Door, InteractionId, MessageId
from companion.domain.delivery import Delivery, ReplyId
from companion.domain.secrets import Secret

TOKEN_LIFE: Final = timedelta(seconds=TOKEN_LIFE_S)
_DOORS: Final = {
    discord.InteractionType.application_command: Door.SLASH,
    discord.InteractionType.component: Door.COMPONENT,
    discord.InteractionType.modal_submit: Door.MODAL,
}


def delivery_of(reply: ReplyId, interaction: discord.Interaction, *, private: bool) -> Delivery:
    """Return how an interaction is answered."""
    asker = actor_of(interaction).discord_id
    assert asker is not None
    return Delivery(
        id=reply,
        asker=asker,
        place=place_of(interaction),
        door=_DOORS.get(interaction.type, Door.SLASH),
        origin=InteractionId(interaction.id),
        application_id=interaction.application_id,
        token=Secret(interaction.token),
        token_until=interaction.created_at + TOKEN_LIFE,
        private=private,
        may_move_on=not private and may_speak_beside(interaction),
    )


def delivery_below(incoming: Incoming, reused: Sequence[int] = ()) -> Delivery:
    """Return how a message is answered: below it, or over an earlier answer to it."""
    message = incoming.message
    return Delivery(
        id=incoming.reply_id,
        asker=DiscordUserId(message.author.id),
        place=incoming.place,
        door=incoming.door,
        origin=InteractionId(message.id),
        reply_to=MessageId(message.id),
        reused=tuple(MessageId(each) for each in reused),
    )
