"""Messages: how they come about, change and go, and who is told."""

from __future__ import annotations

from companion.playground import mentions, payloads
from companion.playground.api_errors import ApiError, Problem
from companion.playground.attachments import AttachmentStore
from companion.playground.events import Dispatch, EventKind, WorldEvent
from companion.playground.mentions import AllowedMentions, Mentioned
from companion.playground.message_drafts import Draft
from companion.playground.state import Channel, Message, Person, Ping, text_displays
from companion.playground.vocabulary import Intent, MessageFlag, MessageKind, Permission
from companion.playground.wire import JsonObject
from companion.playground.world import World

_BLANK: JsonObject = {"content": "", "embeds": [], "attachments": [], "components": []}


class MessageBoard:
    """All messages of the world. `pings` are the notifications the app caused."""

    def __init__(self, world: World, attachments: AttachmentStore) -> None:
        self._world = world
        self._attachments = attachments
        self.pings: list[Ping] = []

    # -- making --------------------------------------------------------------------

    def post(self, channel: Channel, message: Message, draft: Draft) -> Message:
        """Fill a new message from a draft and show it. Raises `ApiError` (50006)."""
        message.flags |= draft.flags or MessageFlag(0)
        message.tts = draft.tts
        message.nonce = draft.nonce
        self._fill(message, draft)
        if is_empty(message):
            raise ApiError(Problem.EMPTY_MESSAGE)
        self._mention(channel, message, draft.allowed_mentions, via="create")
        self.show(channel, message)
        return message

    def show(self, channel: Channel, message: Message) -> None:
        """Put a finished message into its channel and tell everyone who sees it."""
        channel.messages[message.id] = message
        channel.last_message_id = message.id
        if channel.thread is not None:
            channel.thread.total_messages += 1
        self._tell(channel, message, "MESSAGE_CREATE")
        self._announce(EventKind.MESSAGE_CREATED, channel, message)

    def edit(self, channel: Channel, message: Message, draft: Draft) -> Message:
        """Change what the draft says. A message that was thinking becomes an answer."""
        was_thinking = message.thinking
        before = (message.content, message.embeds, message.components, message.attachments)
        flags = message.flags
        self._change_flags(message, draft)
        self._fill(message, draft)
        if is_empty(message):
            message.content, message.embeds, message.components, message.attachments = before
            message.flags = flags
            raise ApiError(Problem.EMPTY_MESSAGE)
        message.flags &= ~MessageFlag.LOADING
        if not was_thinking:
            message.edited_at = self._world.clock.now()
        if draft.content is not None or draft.components is not None:
            self._mention(channel, message, draft.allowed_mentions, via="edit")
        self._tell(channel, message, "MESSAGE_UPDATE")
        self._announce(EventKind.MESSAGE_EDITED, channel, message)
        return message

    def delete(self, channel: Channel, message: Message) -> None:
        """Take a message away."""
        self._drop(channel, message)
        if not message.ephemeral:
            data = _place(message) | {"id": str(message.id)}
            self._dispatch(channel, "MESSAGE_DELETE", data)

    def delete_many(self, channel: Channel, messages: list[Message]) -> None:
        """Take several messages away at once, with one event for all."""
        for message in messages:
            self._drop(channel, message)
        if messages:
            data = _place(messages[0]) | {"ids": [str(message.id) for message in messages]}
            self._dispatch(channel, "MESSAGE_DELETE_BULK", data)

    def _drop(self, channel: Channel, message: Message) -> None:
        channel.messages.pop(message.id, None)
        message.deleted = True
        self._announce(EventKind.MESSAGE_DELETED, channel, message)

    def changed(self, channel: Channel, message: Message) -> None:
        """Tell everyone that a message was changed by other means than an edit."""
        self._tell(channel, message, "MESSAGE_UPDATE")
        self._announce(EventKind.MESSAGE_EDITED, channel, message)

    @staticmethod
    def _change_flags(message: Message, draft: Draft) -> None:
        if draft.flags is None:
            return
        kept = message.flags & ~MessageFlag.SUPPRESS_EMBEDS
        changeable = MessageFlag.SUPPRESS_EMBEDS | MessageFlag.IS_COMPONENTS_V2
        message.flags = kept | (draft.flags & changeable)
        if draft.flags & MessageFlag.IS_COMPONENTS_V2 and draft.content is None:
            message.content, message.embeds = "", []

    def _fill(self, message: Message, draft: Draft) -> None:
        if draft.content is not None:
            message.content = draft.content
        if draft.embeds is not None:
            message.embeds = draft.embeds
        if draft.components is not None:
            message.components = draft.components
        message.attachments = self._attachments.of_draft(message, draft)

    def attach_thread(self, parent: Channel, message: Message, thread: Channel) -> None:
        """Note that a thread was started at a message."""
        message.thread_id = thread.id
        message.flags |= MessageFlag.HAS_THREAD
        self.changed(parent, message)

    def announce_thread(self, parent: Channel, thread: Channel, owner: Person) -> None:
        """Show in a channel that a thread was started there without a message."""
        message = self.new(parent, owner)
        message.kind = MessageKind.THREAD_CREATED
        message.content, message.thread_id = thread.name or "", thread.id
        self.show(parent, message)

    # -- mentions --------------------------------------------------------------------

    def _mention(
        self,
        channel: Channel,
        message: Message,
        allowed: AllowedMentions | None,
        *,
        via: str,
    ) -> None:
        text = "\n".join([message.content, *text_displays(message.components)])
        found = mentions.find_mentions(
            self._world,
            channel,
            message.author,
            text,
            allowed=allowed,
            reply_to=message.reply_to,
        )
        message.pings_reply = found.replied is not None
        message.mentions = found.people
        message.mention_roles = [role.id for role in found.roles]
        message.mention_everyone = found.everyone or found.here
        if message.author is self._world.app and not message.ephemeral:
            self._note_pings(channel, message, found, via)

    def _note_pings(self, channel: Channel, message: Message, found: Mentioned, via: str) -> None:
        for kind, person_ids in mentions.pinged(self._world, channel, found).items():
            others = person_ids - {self._world.app.id}
            if not others:
                continue
            self.pings.append(
                Ping(
                    message_id=message.id,
                    channel_id=channel.id,
                    kind=kind,
                    person_ids=others,
                    via=via,
                )
            )
            self._announce(EventKind.PING, channel, message)

    # -- telling ---------------------------------------------------------------------

    def _tell(self, channel: Channel, message: Message, name: str) -> None:
        if message.ephemeral:
            return
        data = self.gateway_payload(channel, message)
        self._dispatch(channel, name, data, self._redacted(message, data))

    def gateway_payload(self, channel: Channel, message: Message) -> JsonObject:
        """Return a message as the gateway sends it: with its server and its author's membership."""
        data = payloads.message(message)
        data["channel_type"] = int(channel.kind)
        guild = self._world.guild_of(channel)
        if guild is None:
            return data
        data["guild_id"] = str(guild.id)
        member = guild.members.get(message.author.id)
        if member is not None and message.webhook_id is None:
            data["member"] = payloads.member(member, with_user=False)
        for listed in data["mentions"]:
            mentioned = guild.members.get(int(listed["id"]))
            if mentioned is not None:
                listed["member"] = payloads.member(mentioned, with_user=False)
        return data

    def _redacted(self, message: Message, data: JsonObject) -> JsonObject | None:
        seen = as_seen_by(self._world.app, message, data)
        return None if seen == data else seen

    def _dispatch(
        self,
        channel: Channel,
        name: str,
        data: JsonObject,
        without: JsonObject | None = None,
    ) -> None:
        if not self._app_sees(channel):
            return
        in_guild = channel.guild_id is not None
        self._world.bus.dispatch(
            Dispatch(
                name=name,
                data=data,
                guild_id=channel.guild_id,
                intent=Intent.GUILD_MESSAGES if in_guild else Intent.DIRECT_MESSAGES,
                without_content=without,
            )
        )

    def _app_sees(self, channel: Channel) -> bool:
        return Permission.VIEW_CHANNEL in self._world.permissions(self._world.app, channel)

    def _announce(self, kind: EventKind, channel: Channel, message: Message) -> None:
        self._world.bus.announce(
            WorldEvent(kind=kind, channel=channel, message=message, audience=message.audience)
        )

    # -- people ------------------------------------------------------------------------

    def new(self, channel: Channel, author: Person) -> Message:
        """Return a blank message of an author, not shown yet."""
        return Message(
            id=self._world.ids.next(),
            channel_id=channel.id,
            guild_id=channel.guild_id,
            author=author,
            created_at=self._world.clock.now(),
        )

    def reply(self, message: Message, target: Message) -> None:
        """Make a message a reply."""
        message.kind, message.reply_to = MessageKind.REPLY, target


def is_empty(message: Message) -> bool:
    """Say whether there is nothing in a message that Discord would show."""
    if MessageFlag.IS_COMPONENTS_V2 in message.flags:
        return not message.components
    return not (message.content or message.embeds or message.attachments)


def as_seen_by(app: Person, message: Message, data: JsonObject) -> JsonObject:
    """Return a message as an app without the Message Content intent sees it.

    It reads its own messages, direct ones, and those that mention it or ping it by a
    reply. The message replied to goes by the same rule on its own.
    """
    seen = data if _is_readable(app, message) else data | _BLANK
    target, shown = message.reply_to, data.get("referenced_message")
    if target is not None and shown and not _is_readable(app, target):
        seen = seen | {"referenced_message": shown | _BLANK}
    return seen


def _is_readable(app: Person, message: Message) -> bool:
    return message.guild_id is None or message.author is app or app in message.mentions


def _place(message: Message) -> JsonObject:
    place: JsonObject = {"channel_id": str(message.channel_id)}
    if message.guild_id is not None:
        place["guild_id"] = str(message.guild_id)
    return place
