"""Interaction callbacks: the one answer an app gives to an interaction."""

from __future__ import annotations

from collections.abc import Iterable

from companion.playground import payloads
from companion.playground.api_errors import ApiError, FormErrors, Problem
from companion.playground.calls import NO_CONTENT, Call, Reply, Route, route
from companion.playground.choices import check_choices
from companion.playground.interaction import Interaction, InteractionState
from companion.playground.interaction_desk import InteractionDesk
from companion.playground.interaction_payloads import metadata
from companion.playground.message_board import MessageBoard
from companion.playground.message_drafts import read_draft
from companion.playground.modals import check_modal
from companion.playground.state import Channel, Message
from companion.playground.vocabulary import (
    CallbackKind,
    CommandKind,
    InteractionKind,
    MessageFlag,
    MessageKind,
    Permission,
)
from companion.playground.wire import JsonObject, as_int, as_object
from companion.playground.world import World

_MESSAGE = {CallbackKind.MESSAGE, CallbackKind.DEFERRED_MESSAGE}
_UPDATE = {CallbackKind.DEFERRED_UPDATE, CallbackKind.UPDATE_MESSAGE}


class InteractionRoutes:
    """`POST /interactions/{id}/{token}/callback`."""

    def __init__(self, world: World, board: MessageBoard, desk: InteractionDesk) -> None:
        self._world = world
        self._board = board
        self._desk = desk

    def routes(self) -> Iterable[Route]:
        """Return the routes."""
        path = "/interactions/{interaction_id}/{interaction_token}/callback"
        yield route("POST", path, self.answer)

    def answer(self, call: Call) -> Reply:
        """Take an app's answer to an interaction."""
        token = call.parameters["interaction_token"]
        interaction = self._desk.answerable(call.id("interaction_id"), token)
        body = call.json()
        kind = _callback_kind(interaction, body.get("type"))
        data = as_object(body.get("data")) or {}
        message = self._apply(interaction, kind, call, data)
        if not call.flag("with_response"):
            return NO_CONTENT
        return Reply(body=self._receipt(interaction, kind, message))

    def _apply(
        self, interaction: Interaction, kind: CallbackKind, call: Call, data: JsonObject
    ) -> Message | None:
        match kind:
            case CallbackKind.MESSAGE:
                return self._answer(interaction, call, data)
            case CallbackKind.DEFERRED_MESSAGE:
                return self._defer(interaction, data)
            case CallbackKind.UPDATE_MESSAGE:
                return self._update(interaction, call, data)
            case CallbackKind.DEFERRED_UPDATE:
                interaction.original = interaction.source
                self._desk.acknowledge(interaction, kind, InteractionState.UPDATED)
                return interaction.source
            case CallbackKind.AUTOCOMPLETE:
                interaction.choices = check_choices(data.get("choices"), interaction)
                self._desk.acknowledge(interaction, kind, InteractionState.CHOICES)
                return None
            case CallbackKind.MODAL:
                interaction.modal = check_modal(data)
                self._desk.acknowledge(interaction, kind, InteractionState.MODAL)
                return None

    def _answer(self, interaction: Interaction, call: Call, data: JsonObject) -> Message:
        draft = read_draft(call, data)
        channel = self._channel(interaction)
        interaction.ephemeral = draft.ephemeral or self.must_be_ephemeral(interaction)
        message = self.blank(interaction, ephemeral=interaction.ephemeral)
        self._board.post(channel, message, draft)
        interaction.original = message
        self._desk.acknowledge(interaction, CallbackKind.MESSAGE, InteractionState.ANSWERED)
        return message

    def _defer(self, interaction: Interaction, data: JsonObject) -> Message:
        flags = MessageFlag(as_int(data.get("flags")) or 0)
        channel = self._channel(interaction)
        asked = MessageFlag.EPHEMERAL in flags
        interaction.ephemeral = asked or self.must_be_ephemeral(interaction)
        message = self.blank(interaction, ephemeral=interaction.ephemeral)
        message.flags |= MessageFlag.LOADING
        interaction.original = message
        self._board.show(channel, message)
        thinking = InteractionState.THINKING
        self._desk.acknowledge(interaction, CallbackKind.DEFERRED_MESSAGE, thinking)
        return message

    def _update(self, interaction: Interaction, call: Call, data: JsonObject) -> Message:
        source = interaction.source
        assert source is not None
        draft = read_draft(call, data, old=source)
        if source.id not in interaction.channel.messages:
            raise ApiError(Problem.UNKNOWN_MESSAGE)
        self._board.edit(interaction.channel, source, draft)
        interaction.original = source
        self._desk.acknowledge(interaction, CallbackKind.UPDATE_MESSAGE, InteractionState.UPDATED)
        return source

    def _channel(self, interaction: Interaction) -> Channel:
        if interaction.channel.id not in self._world.channels:
            raise ApiError(Problem.UNKNOWN_CHANNEL)
        return interaction.channel

    def must_be_ephemeral(self, interaction: Interaction) -> bool:
        """Say whether a user-installed app may only whisper here (`USE_EXTERNAL_APPS` denied)."""
        channel = interaction.channel
        if interaction.install != "user" or channel.guild_id is None:
            return False
        allowed = self._world.permissions(interaction.person, channel)
        return Permission.USE_EXTERNAL_APPS not in allowed

    def blank(
        self, interaction: Interaction, *, ephemeral: bool, original_id: int | None = None
    ) -> Message:
        """Return a new message that answers an interaction."""
        message = self._board.new(interaction.channel, self._world.app)
        message.webhook_id = self._world.app.id
        message.interaction = metadata(self._world, interaction, original_id=original_id)
        if interaction.kind is InteractionKind.COMMAND and original_id is None:
            chat_input = interaction.data.get("type", 1) == CommandKind.CHAT_INPUT
            kinds = (MessageKind.CONTEXT_MENU_COMMAND, MessageKind.CHAT_INPUT_COMMAND)
            message.kind = kinds[chat_input]
        if ephemeral:
            message.flags |= MessageFlag.EPHEMERAL
            message.audience = interaction.person.id
        return message

    def _receipt(
        self, interaction: Interaction, kind: CallbackKind, message: Message | None
    ) -> JsonObject:
        about: JsonObject = {"id": str(interaction.id), "type": int(interaction.kind)}
        resource: JsonObject = {"type": int(kind)}
        if message is not None:
            about |= {
                "response_message_id": str(message.id),
                "response_message_loading": message.thinking,
                "response_message_ephemeral": message.ephemeral,
                "channel_id": str(message.channel_id),
            }
            if kind in {CallbackKind.MESSAGE, CallbackKind.UPDATE_MESSAGE}:
                resource["message"] = payloads.message(message)
        return {"interaction": about, "resource": resource}


def _callback_kind(interaction: Interaction, value: object) -> CallbackKind:
    allowed = _allowed(interaction)
    number = as_int(value)
    if number in allowed:
        return CallbackKind(number)
    errors = FormErrors()
    errors.choices(("type",), "{" + ", ".join(str(int(one)) for one in sorted(allowed)) + "}")
    errors.raise_if_any()
    raise AssertionError


def _allowed(interaction: Interaction) -> set[CallbackKind]:
    match interaction.kind:
        case InteractionKind.AUTOCOMPLETE:
            return {CallbackKind.AUTOCOMPLETE}
        case InteractionKind.COMMAND:
            return _MESSAGE | {CallbackKind.MODAL}
        case InteractionKind.COMPONENT:
            return _MESSAGE | _UPDATE | {CallbackKind.MODAL}
        case InteractionKind.MODAL_SUBMIT:
            return _MESSAGE | (_UPDATE if interaction.source is not None else set())
