"""The webhook of an interaction: its original answer and its follow-ups."""

from __future__ import annotations

from collections.abc import Iterable

from companion.playground import payloads
from companion.playground.api_errors import ApiError, Problem
from companion.playground.calls import NO_CONTENT, Call, Reply, Route, route
from companion.playground.interaction import Interaction, InteractionState
from companion.playground.interaction_desk import InteractionDesk
from companion.playground.interaction_routes import InteractionRoutes
from companion.playground.message_board import MessageBoard
from companion.playground.message_drafts import Draft, read_draft
from companion.playground.state import Message
from companion.playground.threads import enter_to_write, refuse_shut
from companion.playground.world import World

_WEBHOOK = "/webhooks/{webhook_id}/{webhook_token}"
_USER_INSTALL_FOLLOWUPS = 5


class WebhookRoutes:
    """`/webhooks/{application id}/{interaction token}`: no bot token, no global limit."""

    def __init__(
        self,
        world: World,
        board: MessageBoard,
        desk: InteractionDesk,
        answers: InteractionRoutes,
    ) -> None:
        self._world = world
        self._board = board
        self._desk = desk
        self._answers = answers

    def routes(self) -> Iterable[Route]:
        """Return the routes."""
        yield route("POST", _WEBHOOK, self.follow_up)
        for name in ("@original", "{message_id}"):
            path = f"{_WEBHOOK}/messages/{name}"
            yield route("GET", path, self.read)
            yield route("PATCH", path, self.edit)
            yield route("DELETE", path, self.delete)

    def follow_up(self, call: Call) -> Reply:
        """Send another message; the first one after a defer fills the original."""
        interaction = self._interaction(call)
        self._count_followup(interaction)
        if interaction.channel.id not in self._world.channels:
            raise ApiError(Problem.UNKNOWN_CHANNEL)
        original = interaction.original
        if original is not None and original.thinking:
            if original.id not in interaction.channel.messages:
                raise ApiError(Problem.UNKNOWN_MESSAGE)
            draft = read_draft(call, old=original)
            return self._fill(interaction, original, draft)
        draft = read_draft(call)
        enter_to_write(self._world, interaction.channel, self._world.app)
        ephemeral = draft.ephemeral or self._answers.must_be_ephemeral(interaction)
        original_id = interaction.id if original is None else original.id
        message = self._answers.blank(interaction, ephemeral=ephemeral, original_id=original_id)
        self._board.post(interaction.channel, message, draft)
        interaction.followups.append(message)
        interaction.followups_sent += 1
        self._desk.announce(interaction)
        return Reply(body=payloads.message(message))

    def read(self, call: Call) -> Reply:
        """Return one of the interaction's messages."""
        interaction = self._interaction(call)
        return Reply(body=payloads.message(self._message(interaction, call)))

    def edit(self, call: Call) -> Reply:
        """Change one of the interaction's messages."""
        interaction = self._interaction(call)
        if interaction.channel.id not in self._world.channels:
            raise ApiError(Problem.UNKNOWN_CHANNEL)
        message = self._message(interaction, call)
        draft = read_draft(call, old=message)
        return self._fill(interaction, message, draft)

    def delete(self, call: Call) -> Reply:
        """Delete one of the interaction's messages."""
        interaction = self._interaction(call)
        message = self._message(interaction, call)
        self._board.delete(interaction.channel, message)
        if message is interaction.original:
            interaction.original, interaction.original_deleted = None, True
        else:
            interaction.followups.remove(message)
        if interaction.state is InteractionState.THINKING:
            self._desk.move(interaction, InteractionState.ANSWERED)
        self._desk.announce(interaction)
        return NO_CONTENT

    def _fill(self, interaction: Interaction, message: Message, draft: Draft) -> Reply:
        refuse_shut(self._world, interaction.channel, self._world.app)
        self._board.edit(interaction.channel, message, draft)
        if interaction.state is InteractionState.THINKING and message is interaction.original:
            self._desk.move(interaction, InteractionState.ANSWERED)
        else:
            self._desk.announce(interaction)
        return Reply(body=payloads.message(message))

    def _interaction(self, call: Call) -> Interaction:
        return self._desk.webhook(call.id("webhook_id"), call.parameters["webhook_token"])

    def _message(self, interaction: Interaction, call: Call) -> Message:
        if "message_id" not in call.parameters:
            found = interaction.original
        else:
            wanted = call.id("message_id")
            found = next((m for m in interaction.messages if m.id == wanted), None)
        if found is None or found.id not in interaction.channel.messages:
            raise ApiError(Problem.UNKNOWN_MESSAGE)
        return found

    def _count_followup(self, interaction: Interaction) -> None:
        only_user = interaction.install == "user"
        if only_user and interaction.followups_sent >= _USER_INSTALL_FOLLOWUPS:
            raise ApiError(Problem.TOO_MANY_FOLLOWUPS)
