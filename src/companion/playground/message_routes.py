"""Messages by bot token: create, read, edit, delete, react, type."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import unquote

from companion.playground import payloads
from companion.playground.api_errors import ApiError, FormErrors, Problem
from companion.playground.application import Application
from companion.playground.calls import NO_CONTENT, Call, Reply, Route, route
from companion.playground.channel_access import ChannelAccess
from companion.playground.message_board import MessageBoard, without_content
from companion.playground.message_drafts import Draft, read_draft
from companion.playground.permissions import can_hold_messages, sending_needs
from companion.playground.state import Channel, Message
from companion.playground.threads import enter_to_write, refuse_archived
from companion.playground.typing_events import announce_typing
from companion.playground.vocabulary import MessageFlag, Permission
from companion.playground.wire import JsonObject
from companion.playground.world import World

_MESSAGES = "/channels/{channel_id}/messages"
_MESSAGE = f"{_MESSAGES}/{{message_id}}"
_REACTION = f"{_MESSAGE}/reactions/{{emoji_name}}"
_NONCE_S = 180.0


class MessageRoutes:
    """`/channels/{id}/messages` and below, and `/channels/{id}/typing`."""

    def __init__(self, world: World, board: MessageBoard, application: Application) -> None:
        self._world = world
        self._board = board
        self._application = application
        self._access = ChannelAccess(world)

    def routes(self) -> Iterable[Route]:
        """Return the routes."""
        yield route("GET", _MESSAGES, self.history)
        yield route("POST", _MESSAGES, self.create)
        yield route("GET", _MESSAGE, self.read)
        yield route("PATCH", _MESSAGE, self.edit)
        yield route("DELETE", _MESSAGE, self.delete)
        yield route("PUT", f"{_REACTION}/@me", self.react)
        yield route("DELETE", f"{_REACTION}/@me", self.unreact)
        yield route("POST", "/channels/{channel_id}/typing", self.type)

    # -- reading -----------------------------------------------------------------------

    def history(self, call: Call) -> Reply:
        """Return messages, newest first."""
        channel = self._access.channel(call, Permission.READ_MESSAGE_HISTORY)
        limit = call.number("limit", 50, low=1, high=100)
        before = call.number("before", 1 << 63, low=0, high=1 << 64)
        after = call.number("after", 0, low=0, high=1 << 64)
        found = [m for m in channel.messages.values() if after < m.id < before and not m.ephemeral]
        # `after` pages from the oldest on, everything else from the newest back.
        page = found[:limit] if after else found[-limit:]
        return Reply(body=[self._as_read(channel, message) for message in reversed(page)])

    def read(self, call: Call) -> Reply:
        """Return one message."""
        channel = self._access.channel(call, Permission.READ_MESSAGE_HISTORY)
        message = self._access.message(channel, call.id("message_id"))
        return Reply(body=self._as_read(channel, message))

    def _as_read(self, channel: Channel, message: Message) -> JsonObject:
        data = payloads.message(message)
        app = self._world.app
        own = channel.guild_id is None or message.author is app or app in message.mentions
        return data if own or self._application.reads_content else without_content(data)

    # -- writing -----------------------------------------------------------------------

    def create(self, call: Call) -> Reply:
        """Send a message."""
        channel = self._access.channel(call)
        if not can_hold_messages(channel):
            raise ApiError(Problem.NOT_IN_THIS_CHANNEL)
        self._access.require(channel, sending_needs(channel))
        draft = read_draft(call)
        earlier = self._same_nonce(channel, draft)
        if earlier is not None:
            return Reply(body=payloads.message(earlier))
        enter_to_write(self._world, channel, self._world.app)
        message = self._board.new(channel, self._world.app)
        self._set_reference(channel, message, draft)
        self._board.post(channel, message, draft)
        return Reply(body=payloads.message(message))

    def _same_nonce(self, channel: Channel, draft: Draft) -> Message | None:
        if not draft.enforce_nonce or draft.nonce is None:
            return None
        recent = self._world.clock.now() - _NONCE_S
        for message in reversed(channel.messages.values()):
            if message.created_at < recent:
                return None
            if message.nonce == draft.nonce and message.author is self._world.app:
                return message
        return None

    def _set_reference(self, channel: Channel, message: Message, draft: Draft) -> None:
        if draft.reply_to is None:
            return
        target = channel.messages.get(draft.reply_to)
        if target is not None and not target.ephemeral:
            self._access.require(channel, Permission.READ_MESSAGE_HISTORY)
            self._board.reply(message, target)
        elif draft.reply_must_exist:
            errors = FormErrors()
            path = ("message_reference",)
            errors.add(path, "REPLIES_UNKNOWN_MESSAGE", "Unknown message")
            errors.raise_if_any()

    def edit(self, call: Call) -> Reply:
        """Change a message of the app; of others only the flag that hides embeds."""
        channel = self._access.channel(call)
        message = self._access.message(channel, call.id("message_id"))
        if message.author is not self._world.app:
            return self._suppress_embeds(call, channel, message)
        draft = read_draft(call, old=message)
        refuse_archived(channel)
        self._board.edit(channel, message, draft)
        return Reply(body=payloads.message(message))

    def _suppress_embeds(self, call: Call, channel: Channel, message: Message) -> Reply:
        if set(call.json()) - {"flags"}:
            raise ApiError(Problem.NOT_THE_AUTHOR)
        self._access.require(channel, Permission.MANAGE_MESSAGES)
        draft = read_draft(call, old=message)
        hidden = (draft.flags or MessageFlag(0)) & MessageFlag.SUPPRESS_EMBEDS
        message.flags = (message.flags & ~MessageFlag.SUPPRESS_EMBEDS) | hidden
        self._board.changed(channel, message)
        return Reply(body=payloads.message(message))

    def delete(self, call: Call) -> Reply:
        """Delete a message."""
        channel = self._access.channel(call)
        message = self._access.message(channel, call.id("message_id"))
        if message.author is not self._world.app:
            self._access.require(channel, Permission.MANAGE_MESSAGES)
        self._board.delete(channel, message)
        return NO_CONTENT

    # -- small things --------------------------------------------------------------------

    def react(self, call: Call) -> Reply:
        """Add a reaction of the app."""
        needed = Permission.READ_MESSAGE_HISTORY | Permission.ADD_REACTIONS
        channel = self._access.channel(call, needed)
        refuse_archived(channel)
        message = self._access.message(channel, call.id("message_id"))
        emoji = unquote(call.parameters["emoji_name"])
        message.reactions.setdefault(emoji, set()).add(self._world.app.id)
        self._board.changed(channel, message)
        return NO_CONTENT

    def unreact(self, call: Call) -> Reply:
        """Take a reaction of the app back."""
        channel = self._access.channel(call)
        message = self._access.message(channel, call.id("message_id"))
        emoji = unquote(call.parameters["emoji_name"])
        message.reactions.get(emoji, set()).discard(self._world.app.id)
        if not message.reactions.get(emoji):
            message.reactions.pop(emoji, None)
        self._board.changed(channel, message)
        return NO_CONTENT

    def type(self, call: Call) -> Reply:
        """Show that the app is typing."""
        channel = self._access.channel(call)
        self._access.require(channel, sending_needs(channel))
        announce_typing(self._world, self._world.app, channel)
        return NO_CONTENT
