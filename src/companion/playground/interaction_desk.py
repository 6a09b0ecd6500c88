"""All interactions: opening them, finding them by token, and the two clocks they run on.

An app has three seconds to acknowledge and 15 minutes to use the token.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import OrderedDict

from companion.playground.api_errors import ApiError, Problem
from companion.playground.events import Dispatch, EventKind, WorldEvent
from companion.playground.interaction import Interaction, InteractionState
from companion.playground.interaction_payloads import installed_by, interaction_create
from companion.playground.message_board import MessageBoard
from companion.playground.state import Channel, Message, Person
from companion.playground.vocabulary import CallbackKind, InteractionKind
from companion.playground.wire import JsonObject
from companion.playground.world import World

NO_RESPONSE = "The application did not respond"
_NO_CHOICES = "Loading options failed"
_KEPT = 20_000


class InteractionDesk:
    """Opens interactions and decides how long they are good for."""

    def __init__(self, world: World, board: MessageBoard) -> None:
        self._world = world
        self._board = board
        self._by_id: OrderedDict[int, Interaction] = OrderedDict()
        self._by_token: dict[str, Interaction] = {}
        self._open: set[Interaction] = set()
        self.acknowledge_within_s = 3.0
        self.token_lifetime_s = 900.0
        world.clock.on_advance(self._look_at_clock)

    # -- opening ---------------------------------------------------------------------

    def open(
        self,
        kind: InteractionKind,
        person: Person,
        channel: Channel,
        data: JsonObject,
        *,
        install: str | None = None,
        source: Message | None = None,
        from_modal: Interaction | None = None,
    ) -> Interaction:
        """Send the app a new interaction."""
        interaction = Interaction(
            id=self._world.ids.next(),
            token=secrets.token_urlsafe(96),
            kind=kind,
            person=person,
            channel=channel,
            data=data,
            created_at=self._world.clock.now(),
            install=install or installed_by(self._world, channel, source),
            source=source,
            from_modal=from_modal,
        )
        self._keep(interaction)
        shown = None if source is None else self._board.gateway_payload(channel, source)
        payload = interaction_create(self._world, interaction, shown)
        self._world.bus.dispatch(
            Dispatch(name="INTERACTION_CREATE", data=payload, guild_id=channel.guild_id)
        )
        self.announce(interaction)
        return interaction

    def _keep(self, interaction: Interaction) -> None:
        self._by_id[interaction.id] = interaction
        self._by_token[interaction.token] = interaction
        self._open.add(interaction)
        loop = asyncio.get_running_loop()
        loop.call_later(self.acknowledge_within_s, self._fail_if_due, interaction)
        if len(self._by_id) > _KEPT:
            _, oldest = self._by_id.popitem(last=False)
            del self._by_token[oldest.token]
            self._open.discard(oldest)

    # -- finding ---------------------------------------------------------------------

    def find(self, interaction_id: int) -> Interaction | None:
        """Return an interaction by its id, whatever became of it."""
        return self._by_id.get(interaction_id)

    def answerable(self, interaction_id: int, token: str) -> Interaction:
        """Return an interaction that waits for its answer. Raises `ApiError` (10062, 40060)."""
        interaction = self._by_id.get(interaction_id)
        if interaction is None or interaction.token != token:
            raise ApiError(Problem.UNKNOWN_INTERACTION)
        if interaction.acknowledged_at is not None:
            raise ApiError(Problem.ALREADY_ACKNOWLEDGED)
        self._fail_if_due(interaction)
        if interaction.failed:
            raise ApiError(Problem.UNKNOWN_INTERACTION)
        return interaction

    def webhook(self, webhook_id: int, token: str) -> Interaction:
        """Return the interaction behind a webhook. Raises `ApiError` (10015, 50027)."""
        interaction = self._by_token.get(token)
        if webhook_id != self._world.app.id:
            raise ApiError(Problem.UNKNOWN_WEBHOOK)
        if interaction is None or self._is_expired(interaction):
            raise ApiError(Problem.INVALID_WEBHOOK_TOKEN)
        if interaction.webhook_gone or interaction.acknowledged_at is None:
            raise ApiError(Problem.UNKNOWN_WEBHOOK)
        return interaction

    def _is_expired(self, interaction: Interaction) -> bool:
        age_s = self._world.clock.now() - interaction.created_at
        return interaction.expired or age_s >= self.token_lifetime_s

    # -- states ----------------------------------------------------------------------

    def acknowledge(
        self, interaction: Interaction, response: CallbackKind, state: InteractionState
    ) -> None:
        """Note the app's one answer to an interaction."""
        interaction.acknowledged_at = self._world.clock.now()
        interaction.response_type = response
        if state is InteractionState.THINKING:
            left_s = max(
                0.0, interaction.created_at + self.token_lifetime_s - self._world.clock.now()
            )
            asyncio.get_running_loop().call_later(left_s, self._fail_if_due, interaction)
        else:
            self._open.discard(interaction)
        self.move(interaction, state)

    def move(self, interaction: Interaction, state: InteractionState) -> None:
        """Put an interaction into another state."""
        interaction.state = state
        if state is not InteractionState.THINKING:
            self._open.discard(interaction)
        self.announce(interaction)

    def expire(self, interaction: Interaction) -> None:
        """End the life of an interaction's token now."""
        interaction.expired = True
        self._fail_if_due(interaction)

    def announce(self, interaction: Interaction) -> None:
        """Tell those who wait for it, and its person."""
        interaction.note_change()
        self._world.bus.announce(
            WorldEvent(
                kind=EventKind.INTERACTION,
                interaction=interaction,
                channel=interaction.channel,
                audience=interaction.person.id,
            )
        )

    def _look_at_clock(self) -> None:
        for interaction in list(self._open):
            self._fail_if_due(interaction)

    def _fail_if_due(self, interaction: Interaction) -> None:
        if interaction not in self._open:
            return
        age_s = self._world.clock.now() - interaction.created_at
        unheard = interaction.acknowledged_at is None and age_s >= self.acknowledge_within_s
        if not unheard and not self._is_expired(interaction):
            return
        is_list = interaction.kind is InteractionKind.AUTOCOMPLETE
        interaction.error = _NO_CHOICES if is_list else NO_RESPONSE
        self.move(interaction, InteractionState.FAILED)
