"""Messages by bot token: create, read, edit, delete, react, type."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import unquote

from companion.playground import payloads
from companion.playground.api_errors import ApiError, FormErrors, Problem
from companion.playground.application import Application
from companion.playground.calls import NO_CONTENT, Call, Reply, Route, route
from companion.playground.channel_access import ChannelAccess
from companion.playground.message_board import MessageBoard, as_seen_by
from companion.playground.message_drafts import Draft, read_draft
from companion.playground.permissions import can_hold_messages, sending_needs
from companion.playground.state import Channel, Message
from companion.playground.threads import enter_to_write, refuse_archived, refuse_shut
from companion.playground.typing_events import announce_typing
from companion.playground.vocabulary import MessageFlag, Permission
from companion.playground.wire import JsonObject, as_int, as_list
from companion.playground.world import World

_MESSAGES = "/channels/{channel_id}/messages"
_MESSAGE = f"{_MESSAGES}/{{message_id}}"
_REACTION = f"{_MESSAGE}/reactions/{{emoji_name}}"
_NONCE_S = 180.0
_BULK_AGE_S = 14 * 86_400.0
_FEWEST_AT_ONCE, _MOST_AT_ONCE = 2, 100


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
        yield route("POST", f"{_MESSAGES}/bulk-delete", self.delete_many)
        yield route("GET", _MESSAGE, self.read)
        yield route("PATCH", _MESSAGE, self.edit)
        yield route("DELETE", _MESSAGE, self.delete)
        yield route("PUT", f"{_REACTION}/@me", self.react)
        yield route("DELETE", f"{_REACTION}/@me", self.unreact)
        yield route("POST", "/channels/{channel_id}/typing", self.type)

    # -- reading -----------------------------------------------------------------------

    def history(self, call: Call) -> Reply:
        """Return messages, newest first."""
        channel = self._access.channel(call)
        limit = call.number("limit", 50, low=1, high=100)
        around = call.number("around", 0, low=0, high=1 << 64)
        before = call.number("before", 1 << 63, low=0, high=1 << 64)
        after = call.number("after", 0, low=0, high=1 << 64)
        found = [m for m in channel.messages.values() if after < m.id < before and not m.ephemeral]
        if not self._access.may(channel, Permission.READ_MESSAGE_HISTORY):
            page: list[Message] = []
        elif around:
            page = _around(found, around, limit)
        else:
            # `after` pages from the oldest on, everything else from the newest back.
            page = found[:limit] if after else found[-limit:]
        return Reply(body=[self._as_read(message) for message in reversed(page)])

    def read(self, call: Call) -> Reply:
        """Return one message."""
        channel = self._access.channel(call, Permission.READ_MESSAGE_HISTORY)
        message = self._access.message(channel, call.id("message_id"))
        return Reply(body=self._as_read(message))

    def _as_read(self, message: Message) -> JsonObject:
        data = payloads.message(message)
        if self._application.reads_content:
            return data
        return as_seen_by(self._world.app, message, data)

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
            if not self._access.may(channel, Permission.READ_MESSAGE_HISTORY):
                raise ApiError(Problem.REPLY_NEEDS_HISTORY)
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
        refuse_shut(self._world, channel, self._world.app)
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

    def delete_many(self, call: Call) -> Reply:
        """Delete 2 to 100 messages at once, none older than two weeks."""
        channel = self._access.channel(call, Permission.MANAGE_MESSAGES)
        ids = [as_int(one) or 0 for one in as_list(call.json().get("messages")) or []]
        if not _FEWEST_AT_ONCE <= len(ids) <= _MOST_AT_ONCE:
            errors = FormErrors()
            errors.bad_length(("messages",), _FEWEST_AT_ONCE, _MOST_AT_ONCE)
            errors.raise_if_any()
        found = [channel.messages[one] for one in ids if one in channel.messages]
        if any(self._world.clock.now() - one.created_at > _BULK_AGE_S for one in found):
            raise ApiError(Problem.TOO_OLD_TO_BULK_DELETE)
        self._board.delete_many(channel, [one for one in found if not one.ephemeral])
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


def _around(messages: list[Message], wanted: int, limit: int) -> list[Message]:
    """Return `limit` messages with the wanted one in the middle."""
    older = [message for message in messages if message.id < wanted]
    newer = [message for message in messages if message.id >= wanted]
    half = limit // 2
    return [*older[-half:], *newer[: limit - half]] if half else newer[:limit]
