"""The messages of a reply to an interaction that was acknowledged with a placeholder.

The placeholder becomes part 0, follow-ups the others. The interaction's token lives for
15 minutes; half a minute before that, later parts go to the channel as ordinary
messages, where the app may speak there and the reply is not for one person's eyes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import discord
from discord.http import HTTPClient

from companion.bot.buttons import Button
from companion.bot.channel_messages import ChannelMessages, Spot, reopen
from companion.bot.interaction_webhook import (
    FOLLOW_UPS_USED_UP,
    ORIGINAL,
    Address,
    InteractionWebhook,
    SentMessage,
)
from companion.bot.origin import only_person_installed
from companion.bot.responder import ARCHIVED, DeliveryDelayed, DeliveryGone, TextFile
from companion.bot.views import view_of
from companion.domain.delivery import Shown
from companion.ports.clock import Clock

TOKEN_LIFE_S: Final = 14.5 * 60
"""Fifteen minutes, less a margin for the last edits."""

USER_INSTALL_FOLLOW_UPS: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """An interaction to answer, as it came in or as another process left it.

    `may_speak`: the app may write in the channel. `ephemeral` is unknown until Discord says.
    `follow_ups` were sent before, and are written over before any new one is sent; whether
    new ones may be is `sends_more`.
    """

    address: Address
    http: HTTPClient
    channel_id: int | None
    origin: int
    may_speak: bool
    only_person: bool = False
    seconds_left: float = TOKEN_LIFE_S
    ephemeral: bool | None = None
    follow_ups: Sequence[str] = ()
    sends_more: bool = True

    @classmethod
    def of(cls, interaction: discord.Interaction) -> Target:
        """Return an interaction that was acknowledged just now."""
        return cls(
            address=Address.of(interaction),
            http=interaction._state.http,  # pyright: ignore[reportPrivateUsage]
            channel_id=interaction.channel_id,
            origin=interaction.id,
            may_speak=may_speak_beside(interaction),
            only_person=only_person_installed(interaction),
        )


class InteractionResponder:
    """Implements `Responder`. Build it right after the acknowledgement: its time runs from then."""

    def __init__(self, target: Target, *, clock: Clock) -> None:
        self._target = target
        self._clock = clock
        self._webhook = InteractionWebhook(target.address, clock=clock)
        self._ends_at = clock.monotonic() + target.seconds_left
        self._message_ids: list[str] = [ORIGINAL]
        self._shown_ids: dict[int, str] = {}
        self._earlier = deque(target.follow_ups)
        self._ephemeral = target.ephemeral
        self._channel: ChannelMessages | None = None
        self._follow_ups_left = USER_INSTALL_FOLLOW_UPS if target.only_person else None

    @property
    def may_send_more(self) -> bool:
        """Whether another part may be sent."""
        if self._channel is not None or self._earlier:
            return True
        left = self._follow_ups_left
        return self._target.sends_more and (left is None or left > 0)

    @property
    def seconds_left(self) -> float:
        """How long the parts can still be written to."""
        if self._channel is not None:
            return float("inf")
        return self._ends_at - self._clock.monotonic()

    @property
    def channel_id(self) -> int | None:
        """The channel that the interaction came from."""
        return self._target.channel_id

    @property
    def bot_channel(self) -> int | None:
        """The channel, once the bot's own token is used."""
        return None if self._channel is None else self._target.channel_id

    @property
    def may_move_on(self) -> bool:
        """Whether the app may speak in the channel, and the reply is not private."""
        # unknown counts as private: nothing private may come out in public
        return self._channel is None and self._ephemeral is False and self._target.may_speak

    @property
    def public_messages(self) -> tuple[int, ...]:
        """The messages that others see too, as far as any were written."""
        if self._ephemeral is not False:
            return ()
        own = tuple(int(message_id) for message_id in self._shown_ids.values() if message_id)
        return own + (tuple(self._channel.ids) if self._channel else ())

    @property
    def shown(self) -> Shown:
        """The messages that show the reply, beside the placeholder."""
        return Shown(
            follow_ups=(*self._message_ids[1:], *self._earlier),
            in_channel=tuple(self._channel.ids) if self._channel else (),
        )

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
        message_id = self._message_ids[part]
        sent = await self._opening(lambda: self._webhook.edit(message_id, payload, file))
        self._learn(sent, part)

    async def send(
        self, content: str, *, buttons: Sequence[Button] = (), file: TextFile | None = None
    ) -> int:
        """Send a new part and return its number."""
        if self._channel is not None:
            number = await self._channel.send(content, buttons, file)
            return len(self._message_ids) + number
        payload = _payload(content, buttons, ephemeral=self._ephemeral is True)
        if self._earlier:
            return await self._write_over(payload, file)
        try:
            sent = await self._opening(lambda: self._webhook.send(payload, file))
        except DeliveryDelayed as delayed:
            if delayed.code == FOLLOW_UPS_USED_UP:
                self._follow_ups_left = 0
            raise
        if self._follow_ups_left is not None:
            self._follow_ups_left -= 1
        return self._append(sent)

    async def _write_over(self, payload: Mapping[str, object], file: TextFile | None) -> int:
        earlier = self._earlier[0]
        sent = await self._opening(lambda: self._webhook.edit(earlier, payload, file))
        self._earlier.popleft()
        return self._append(sent)

    async def _opening(self, request: Callable[[], Awaitable[SentMessage]]) -> SentMessage:
        """Make a request, and once more after opening the thread if it was archived."""
        try:
            return await request()
        except DeliveryGone as gone:
            target = self._target
            if gone.code != ARCHIVED or target.channel_id is None or not target.may_speak:
                raise
        await reopen(target.http, target.channel_id)
        return await request()

    def _append(self, sent: SentMessage) -> int:
        self._message_ids.append(sent.id)
        self._learn(sent, len(self._message_ids) - 1)
        return len(self._message_ids) - 1

    def move_on(self) -> None:
        """Send later parts as messages of the channel."""
        target = self._target
        assert target.channel_id is not None
        spot = Spot(channel_id=target.channel_id, origin=target.origin)
        self._channel = ChannelMessages(target.http, spot)

    def _learn(self, sent: SentMessage, part: int) -> None:
        # the first edit tells what Discord decided at the acknowledgement
        if self._ephemeral is None:
            self._ephemeral = sent.ephemeral
        self._shown_ids[part] = sent.id


def may_speak_beside(interaction: discord.Interaction) -> bool:
    """Whether the app may write ordinary messages where an interaction came from."""
    if interaction.guild_id is None:
        return interaction.context is discord.InteractionContextType.bot_dm
    rights = interaction.app_permissions
    in_thread = isinstance(interaction.channel, discord.Thread)
    may_send = rights.send_messages_in_threads if in_thread else rights.send_messages
    installed = interaction.authorizing_integration_owners.guild_id is not None
    return installed and rights.view_channel and may_send


def _payload(content: str, buttons: Sequence[Button], *, ephemeral: bool) -> dict[str, object]:
    view = view_of(buttons)
    flags = discord.MessageFlags(suppress_embeds=True, ephemeral=ephemeral)
    return {
        "content": content,
        "components": [] if view is None else view.to_components(),  # pyright: ignore[reportUnknownMemberType]
        "allowed_mentions": {"parse": []},
        "flags": flags.value,
    }
