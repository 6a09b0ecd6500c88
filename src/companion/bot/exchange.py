"""One interaction and how it is answered, wherever it stands.

Ephemerality is fixed by the first response. A refusal after a public one therefore
takes the placeholder away and comes as an ephemeral follow-up instead.
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import cast
from uuid import uuid4

import discord

from companion.bot.acknowledging import Acknowledger, CallbackType
from companion.bot.answer import Answer
from companion.bot.giving_back import typed
from companion.bot.origin import actor_of, place_of
from companion.bot.routing import delivery_of
from companion.bot.views import components_of, view_of
from companion.domain.actor import Actor, InteractionId, Place
from companion.domain.delivery import Delivery, ReplyId
from companion.services.deliveries import Deliveries

EPHEMERAL = discord.MessageFlags(ephemeral=True).value
NO_PINGS: dict[str, object] = {"parse": []}


class Stage(StrEnum):
    """How far the answer has come."""

    NEW = "new"
    THINKING = "thinking"
    UPDATING = "updating"
    ANSWERED = "answered"


class Exchange:
    """Acknowledge first, then say things; each method does what the stage allows."""

    def __init__(
        self,
        interaction: discord.Interaction,
        acknowledger: Acknowledger,
        deliveries: Deliveries,
    ) -> None:
        self.interaction = interaction
        self.stage = Stage.NEW
        self.ephemeral = False
        self.was_silenced = False
        """Whether Discord made an answer ephemeral that was meant for everyone."""
        self.reference = secrets.token_hex(4)
        """Names this exchange in the log, and to the person when something broke."""
        self.reply_id = ReplyId(uuid4())
        self._acknowledger = acknowledger
        self._deliveries = deliveries

    @property
    def delivery(self) -> Delivery:
        """How the answer gets here, for whoever has to bring it."""
        return delivery_of(self.reply_id, self.interaction, private=self.ephemeral)

    @property
    def actor(self) -> Actor:
        """Who asks, with the rights Discord states in this very interaction."""
        return actor_of(self.interaction)

    @property
    def user_id(self) -> int:
        """The Discord id of whoever caused this interaction."""
        user = self.interaction.user
        assert user is not None
        return user.id

    @property
    def place(self) -> Place:
        """Where it was asked."""
        return place_of(self.interaction)

    @property
    def id(self) -> InteractionId:
        """The interaction's id, which makes a second delivery recognisable."""
        return InteractionId(self.interaction.id)

    @property
    def kind(self) -> str:
        """What kind of interaction it is, for the log."""
        return str(self.interaction.type.name)

    @property
    def data(self) -> Mapping[str, object]:
        """The raw data of the interaction, checked by nobody yet."""
        return cast("Mapping[str, object]", self.interaction.data or {})

    @property
    def typed(self) -> str:
        """The question that was typed, which Discord shows to nobody once it is refused."""
        return typed(self.data)

    @property
    def on_ephemeral_message(self) -> bool:
        """Whether what was clicked is only seen by the one who clicked."""
        message = self.interaction.message
        return message is not None and message.flags.ephemeral

    @property
    def may_read_back(self) -> bool:
        """Whether both the app and this person may read earlier messages here."""
        interaction = self.interaction
        if interaction.guild_id is None:
            return interaction.context is discord.InteractionContextType.bot_dm
        theirs, ours = interaction.permissions, interaction.app_permissions
        installed = interaction.authorizing_integration_owners.guild_id is not None
        return (
            installed
            and ours.view_channel
            and ours.read_message_history
            and theirs.read_message_history
        )

    @property
    def clicked(self) -> int | None:
        """The message that was clicked."""
        return self.interaction.message.id if self.interaction.message else None

    async def defer(self, *, ephemeral: bool) -> None:
        """Acknowledge with a placeholder; raises `Unacknowledged`.

        It is noted first, if the database is quick: whatever happens now, it is not forgotten.
        """
        await self._deliveries.arrive(delivery_of(self.reply_id, self.interaction, private=True))
        receipt = await self._acknowledger.respond(
            self.interaction,
            CallbackType.deferred_channel_message,
            {"flags": EPHEMERAL if ephemeral else 0},
        )
        # Discord makes it ephemeral by itself where the app may not speak in public
        self.ephemeral = ephemeral if receipt.ephemeral is None else receipt.ephemeral
        self.was_silenced = self.ephemeral and not ephemeral
        self.stage = Stage.THINKING
        await self._acknowledger.after_the_crowd()

    async def defer_update(self) -> None:
        """Acknowledge a click without changing anything yet; raises `Unacknowledged`."""
        await self._acknowledger.respond(
            self.interaction, CallbackType.deferred_message_update, None
        )
        self.stage = Stage.UPDATING

    async def show(self, modal: discord.ui.DesignerModal) -> None:
        """Acknowledge by opening a modal; raises `Unacknowledged`."""
        payload: Mapping[str, object] = modal.to_dict()  # pyright: ignore[reportUnknownMemberType]
        await self._acknowledger.respond(self.interaction, CallbackType.modal, payload)
        self.stage = Stage.ANSWERED

    async def suggest(self, choices: Sequence[tuple[str, str]]) -> None:
        """Answer an autocompletion with (label, value) pairs; raises `Unacknowledged`."""
        await self._acknowledger.respond(
            self.interaction,
            CallbackType.auto_complete_result,
            {"choices": [{"name": label, "value": value} for label, value in choices]},
        )
        self.stage = Stage.ANSWERED

    async def reply(self, answer: Answer, *, ephemeral: bool = True) -> None:
        """Say something, only to this person unless `ephemeral` is false."""
        if self.stage is Stage.NEW:
            await self._respond(answer, ephemeral=ephemeral)
        elif self.stage is Stage.THINKING and (self.ephemeral or not ephemeral):
            await self.replace(answer)
        else:
            if self.stage is Stage.THINKING:
                with contextlib.suppress(discord.NotFound):  # someone was faster
                    await self.interaction.delete_original_response()
            await self._follow_up(answer, ephemeral=ephemeral)
        self.stage = Stage.ANSWERED

    async def replace(self, answer: Answer) -> None:
        """Put an answer in the place of the placeholder, or of the message that was clicked."""
        await self.interaction.edit_original_response(
            content=answer.text,
            view=view_of(answer.buttons, answer.menu, answer.channels),
            allowed_mentions=discord.AllowedMentions.none(),
        )
        self.stage = Stage.ANSWERED

    async def remove(self) -> None:
        """Delete the message that was clicked, after `defer_update`."""
        with contextlib.suppress(discord.NotFound):  # someone was faster
            await self.interaction.delete_original_response()
        self.stage = Stage.ANSWERED

    def hand_over(self) -> None:
        """Leave the placeholder to a stream; whatever else is said becomes a follow-up."""
        self.stage = Stage.ANSWERED

    async def _respond(self, answer: Answer, *, ephemeral: bool) -> None:
        await self._acknowledger.respond(
            self.interaction,
            CallbackType.channel_message,
            {
                "content": answer.text,
                "components": components_of(answer),
                "flags": EPHEMERAL if ephemeral else 0,
                "allowed_mentions": NO_PINGS,
            },
        )
        self.ephemeral = ephemeral

    async def _follow_up(self, answer: Answer, *, ephemeral: bool) -> None:
        await self.interaction.followup.send(
            answer.text,
            view=view_of(answer.buttons, answer.menu, answer.channels) or discord.utils.MISSING,
            ephemeral=ephemeral,
            allowed_mentions=discord.AllowedMentions.none(),
        )
