"""The messages of a reply to an interaction that was acknowledged with a placeholder.

The placeholder becomes part 0, follow-ups the others. The interaction's token lives for
15 minutes; half a minute before that, later parts go to the channel as ordinary
messages, where the app may speak there and the reply is not for one person's eyes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import discord

from companion.bot.buttons import Button
from companion.bot.channel_messages import ChannelMessages, Spot
from companion.bot.interaction_webhook import (
    FOLLOW_UPS_USED_UP,
    ORIGINAL,
    InteractionWebhook,
    SentMessage,
)
from companion.bot.origin import only_person_installed
from companion.bot.responder import DeliveryDelayed, TextFile
from companion.bot.views import view_of
from companion.ports.clock import Clock

TOKEN_LIFE_S: Final = 14.5 * 60
"""Fifteen minutes, less a margin for the last edits."""

USER_INSTALL_FOLLOW_UPS: Final = 5


class InteractionResponder:
    """Implements `Responder`. Build it right after the acknowledgement: its time runs from then."""

    def __init__(self, interaction: discord.Interaction, *, clock: Clock) -> None:
        self._interaction = interaction
        self._clock = clock
        self._webhook = InteractionWebhook(interaction, clock=clock)
        self._ends_at = clock.monotonic() + TOKEN_LIFE_S
        self._message_ids: list[str] = [ORIGINAL]
        self._shown_ids: dict[int, str] = {}
        self._ephemeral: bool | None = None
        self._channel: ChannelMessages | None = None
        only_person = only_person_installed(interaction)
        self._follow_ups_left = USER_INSTALL_FOLLOW_UPS if only_person else None

    @property
    def may_send_more(self) -> bool:
        """Whether another part may be sent."""
        return (
            self._channel is not None or self._follow_ups_left is None or self._follow_ups_left > 0
        )

    @property
    def seconds_left(self) -> float:
        """How long the parts can still be written to."""
        if self._channel is not None:
            return float("inf")
        return self._ends_at - self._clock.monotonic()

    @property
    def bot_channel(self) -> int | None:
        """The channel, once the bot's own token is used."""
        return None if self._channel is None else self._interaction.channel_id

    @property
    def may_move_on(self) -> bool:
        """Whether the app may speak in the channel, and the reply is not private."""
        interaction = self._interaction
        # unknown counts as private: nothing private may come out in public
        if self._channel is not None or self._ephemeral is not False:
            return False
        if interaction.guild_id is None:
            return interaction.context is discord.InteractionContextType.bot_dm
        rights = interaction.app_permissions
        in_thread = isinstance(interaction.channel, discord.Thread)
        may_send = rights.send_messages_in_threads if in_thread else rights.send_messages
        installed = interaction.authorizing_integration_owners.guild_id is not None
        return installed and rights.view_channel and may_send

    @property
    def public_messages(self) -> tuple[int, ...]:
        """The messages that others see too, as far as any were written."""
        if self._ephemeral is not False:
            return ()
        own = tuple(int(message_id) for message_id in self._shown_ids.values() if message_id)
        return own + (tuple(self._channel.ids) if self._channel else ())

    def wait_s(self, part: int | None) -> float:
        """Return the seconds until Discord takes the next edit of `part`, or a new part."""
        if self._channel is not None:
            return 0.0
        return self._webhook.wait_s("POST" if part is None else "PATCH")

    async def edit(
        self,
        part: int,
        content: str,
        *,
        buttons: Sequence[Button] = (),
        file: TextFile | None = None,
    ) -> None:
        """Replace a part's text and buttons."""
        in_channel = part - len(self._message_ids)
        if self._channel is not None and in_channel >= 0:
            await self._channel.edit(in_channel, content, buttons, file)
            return
        payload = _payload(content, buttons, ephemeral=False)
        sent = await self._webhook.edit(self._message_ids[part], payload, file)
        self._learn(sent, part)

    async def send(
        self, content: str, *, buttons: Sequence[Button] = (), file: TextFile | None = None
    ) -> int:
        """Send a new part and return its number."""
        if self._channel is not None:
            number = await self._channel.send(content, buttons, file)
            return len(self._message_ids) + number
        payload = _payload(content, buttons, ephemeral=self._ephemeral is True)
        try:
            sent = await self._webhook.send(payload, file)
        except DeliveryDelayed as delayed:
            if delayed.code == FOLLOW_UPS_USED_UP:
                self._follow_ups_left = 0
            raise
        if self._follow_ups_left is not None:
            self._follow_ups_left -= 1
        self._message_ids.append(sent.id)
        self._learn(sent, len(self._message_ids) - 1)
        return len(self._message_ids) - 1

    def move_on(self) -> None:
        """Send later parts as messages of the channel."""
        interaction = self._interaction
        assert interaction.channel_id is not None
        spot = Spot(channel_id=interaction.channel_id, origin=interaction.id)
        http = interaction._state.http  # pyright: ignore[reportPrivateUsage]
        self._channel = ChannelMessages(http, spot)

    def _learn(self, sent: SentMessage, part: int) -> None:
        # the first edit tells what Discord decided at the acknowledgement
        if self._ephemeral is None:
            self._ephemeral = sent.ephemeral
        self._shown_ids[part] = sent.id


def _payload(content: str, buttons: Sequence[Button], *, ephemeral: bool) -> dict[str, object]:
    view = view_of(buttons)
    flags = discord.MessageFlags(suppress_embeds=True, ephemeral=ephemeral)
    return {
        "content": content,
        "components": [] if view is None else view.to_components(),  # pyright: ignore[reportUnknownMemberType]
        "allowed_mentions": {"parse": []},
        "flags": flags.value,
    }
