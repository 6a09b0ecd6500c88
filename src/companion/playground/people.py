"""What people do: type, use commands, click, fill in modals."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace

from companion.playground import mentions
from companion.playground.api_errors import ApiError, Problem
from companion.playground.attachments import AttachmentStore
from companion.playground.command_data import CommandData, OptionValue
from companion.playground.commands import CommandRegistry, is_offered
from companion.playground.interaction import Interaction
from companion.playground.interaction_desk import InteractionDesk
from companion.playground.interaction_payloads import context_of, installed_by
from companion.playground.message_board import MessageBoard
from companion.playground.message_drafts import CONTENT_LIMIT, Draft
from companion.playground.modals import submitted
from companion.playground.state import Channel, Message, Person, Role, Upload, flatten
from companion.playground.threads import enter_to_write, new_thread, set_archived
from companion.playground.typing_events import announce_typing
from companion.playground.vocabulary import ComponentKind, InteractionKind, Permission
from companion.playground.wire import JsonObject
from companion.playground.world import World

Who = Person | str
Where = Channel | str | int


class People:
    """Acts of people in the world. Persons and channels may be given by name."""

    def __init__(
        self,
        world: World,
        board: MessageBoard,
        desk: InteractionDesk,
        registry: CommandRegistry,
        attachments: AttachmentStore,
    ) -> None:
        self.world = world
        self._board = board
        self._desk = desk
        self._registry = registry
        self._attachments = attachments

    # -- commands ----------------------------------------------------------------------

    def commands(self) -> list[JsonObject]:
        """Return the global application commands, as Discord stores them."""
        return self._registry.all()

    async def wait_for_commands(
        self,
        names: Sequence[str] = (),
        timeout: float = 10.0,  # noqa: ASYNC109
    ) -> None:
        """Return once the app registered these commands (or, without names, any).

        Raises `TimeoutError`.
        """
        subscription = self.world.bus.subscribe()
        async with asyncio.timeout(timeout):
            while not self._has_commands(names):
                await anext(subscription)

    def _has_commands(self, names: Sequence[str]) -> bool:
        known = {command["name"] for command in self.commands()}
        return bool(known) and known.issuperset(names)

    async def invoke(
        self,
        person: Who,
        channel: Where,
        name: str,
        options: Mapping[str, OptionValue] | list[JsonObject] | None = None,
        *,
        attachments: Sequence[Upload] = (),
        target: Message | Person | None = None,
        install: str | None = None,
    ) -> Interaction:
        """Use a command; subcommands follow its name after a space.

        `attachments` go to the options that take files, in order. Options that the
        command does not offer, and a list of options, are sent as given. `install` says
        who installed the app: `guild`, `user` or `guild+user`; without it, the server does
        where the app is, else the person. Raises `LookupError` for an unknown command.
        """
        who, where = self.world.person(person), self.world.channel(channel)
        data = self._command_data(where, name, options, attachments, target=target)
        return self._desk.open(InteractionKind.COMMAND, who, where, data, install=install)

    async def autocomplete(
        self,
        person: Who,
        channel: Where,
        name: str,
        options: Mapping[str, OptionValue],
        focused: str,
        *,
        timeout: float = 4.0,  # noqa: ASYNC109
    ) -> list[JsonObject]:
        """Type in an option and return what the app suggests.

        Raises `InteractionFailed` when it does not, or wrongly.
        """
        interaction = await self.begin_autocomplete(person, channel, name, options, focused)
        await interaction.until(lambda seen: seen.choices is not None, timeout)
        return interaction.choices or []

    async def begin_autocomplete(
        self,
        person: Who,
        channel: Where,
        name: str,
        options: Mapping[str, OptionValue],
        focused: str,
    ) -> Interaction:
        """Type in an option without waiting for suggestions."""
        who, where = self.world.person(person), self.world.channel(channel)
        data = self._command_data(where, name, {focused: "", **options}, (), focused=focused)
        return self._desk.open(InteractionKind.AUTOCOMPLETE, who, where, data)

    def _command_data(
        self,
        channel: Channel,
        name: str,
        options: Mapping[str, OptionValue] | list[JsonObject] | None,
        uploads: Sequence[Upload],
        *,
        focused: str | None = None,
        target: Message | Person | None = None,
    ) -> JsonObject:
        path: list[str] = []
        command = self._registry.named(name, channel.guild_id)
        if command is None:
            name, *path = name.split(" ")
            command = self._registry.named(name, channel.guild_id)
        if command is None:
            raise LookupError(f"the app has no command {name!r}")
        data = CommandData(self.world, self._attachments, channel, uploads)
        return data.of_command(command, path, options or {}, focused=focused, target=target)

    # -- modals and components -----------------------------------------------------------

    async def submit_modal(
        self,
        interaction: Interaction,
        values: dict[str, str | list[str]],
        *,
        person: Who | None = None,
    ) -> Interaction:
        """Fill in the modal that an interaction opened and send it."""
        if interaction.modal is None:
            raise LookupError(f"{interaction} opened no modal")
        who = interaction.person if person is None else self.world.person(person)
        return self._desk.open(
            InteractionKind.MODAL_SUBMIT,
            who,
            interaction.channel,
            submitted(interaction.modal, values),
            install=interaction.install,
            source=interaction.source,
            from_modal=interaction,
        )

    async def click(
        self, person: Who, message: Message, button: str, *, install: str | None = None
    ) -> Interaction:
        """Click a button, by custom id or label; an id that is not there is sent as given.

        Raises `LookupError` when the button is disabled.
        """
        found = _button(message, button)
        if found.get("disabled"):
            raise LookupError(f"the button {button!r} is disabled")
        data = {
            "component_type": int(ComponentKind.BUTTON),
            "custom_id": found.get("custom_id", button),
            "id": found.get("id", 0),
        }
        return self._component(person, message, data, install)

    async def select(
        self,
        person: Who,
        message: Message,
        custom_id: str,
        values: Sequence[str | Person | Channel | Role],
        *,
        install: str | None = None,
    ) -> Interaction:
        """Choose in a select menu."""
        found = _component(message, custom_id)
        where = self.world.channels[message.channel_id]
        chosen = CommandData(self.world, self._attachments, where)
        data: JsonObject = {
            "component_type": found.get("type", int(ComponentKind.STRING_SELECT)),
            "custom_id": custom_id,
            "id": found.get("id", 0),
            "values": chosen.resolved_values(values),
        }
        if chosen.resolved:
            data["resolved"] = chosen.resolved
        return self._component(person, message, data, install)

    def _component(
        self, person: Who, message: Message, data: JsonObject, install: str | None
    ) -> Interaction:
        who, where = self.world.person(person), self.world.channels[message.channel_id]
        return self._desk.open(
            InteractionKind.COMPONENT, who, where, data, install=install, source=message
        )

    # -- messages ------------------------------------------------------------------------

    async def say(
        self,
        person: Who,
        channel: Where,
        text: str,
        *,
        reply_to: Message | None = None,
        ping_author: bool = True,
        attachments: Sequence[Upload] = (),
    ) -> Message:
        """Type a message; a reply pings the author of the other message unless told not to."""
        who, where = self.world.person(person), self.world.channel(channel)
        if len(text) > CONTENT_LIMIT:
            # Discord's client makes a file of it, and names no content type.
            pasted = Upload(filename="message.txt", content=text.encode())
            text, attachments = "", [pasted, *attachments]
        enter_to_write(self.world, where, who)
        message = self._board.new(where, who)
        if reply_to is not None:
            self._board.reply(message, reply_to)
        message.attachments = [self._attachments.add(upload) for upload in attachments]
        # A reply to an answer to an interaction pings nobody.
        pings = reply_to is not None and reply_to.webhook_id is None and ping_author
        allowed = replace(mentions.EVERYTHING, replied_user=pings)
        return self._board.post(where, message, Draft(content=text, allowed_mentions=allowed))

    async def edit(self, person: Who, message: Message, text: str) -> Message:
        """Change a message of one's own."""
        if self.world.person(person) is not message.author:
            raise PermissionError("only its author edits a message")
        where = self.world.channels[message.channel_id]
        allowed = replace(mentions.EVERYTHING, replied_user=message.pings_reply)
        return self._board.edit(where, message, Draft(content=text, allowed_mentions=allowed))

    async def delete(self, person: Who, message: Message) -> None:
        """Delete a message, or dismiss an ephemeral one. Raises `PermissionError`."""
        who, where = self.world.person(person), self.world.channels[message.channel_id]
        own = who is message.author or who.id == message.audience
        if not own and Permission.MANAGE_MESSAGES not in self.world.permissions(who, where):
            raise PermissionError("only its author or a moderator deletes a message")
        self._board.delete(where, message)

    async def purge(self, person: Who, channel: Where, messages: Sequence[Message]) -> None:
        """Delete several messages at once, as moderators' tools do."""
        who, where = self.world.person(person), self.world.channel(channel)
        if Permission.MANAGE_MESSAGES not in self.world.permissions(who, where):
            raise PermissionError("only a moderator deletes many messages at once")
        self._board.delete_many(where, list(messages))

    async def type(self, person: Who, channel: Where) -> None:
        """Show that somebody is typing."""
        who, where = self.world.person(person), self.world.channel(channel)
        announce_typing(self.world, who, where)

    async def start_thread(
        self, person: Who, channel: Where, name: str, *, message: Message | None = None
    ) -> Channel:
        """Start a public thread, at a message when given. Raises `ApiError` (160004)."""
        who, where = self.world.person(person), self.world.channel(channel)
        if message is not None and message.thread_id is not None:
            raise ApiError(Problem.THREAD_EXISTS)
        thread = new_thread(
            self.world, where, who, name, thread_id=None if message is None else message.id
        )
        if message is None:
            self._board.announce_thread(where, thread, who)
        else:
            self._board.attach_thread(where, message, thread)
        return thread

    async def set_thread(
        self,
        person: Who,
        thread: Channel,
        *,
        archived: bool | None = None,
        locked: bool | None = None,
    ) -> None:
        """Archive, open, lock or unlock a thread. Raises `PermissionError`."""
        who, state = self.world.person(person), thread.thread
        assert state is not None
        manages = Permission.MANAGE_THREADS in self.world.permissions(who, thread)
        owns = state.owner_id == who.id and not state.locked
        if not manages and (locked is not None or not owns):
            raise PermissionError("only its starter or a moderator changes a thread")
        state.locked = state.locked if locked is None else locked
        set_archived(self.world, thread, archived=state.archived if archived is None else archived)

    def commands_for(self, person: Who, channel: Where) -> list[JsonObject]:
        """Return the commands that a person is offered in a channel."""
        who, where = self.world.person(person), self.world.channel(channel)
        granted = self.world.permissions(who, where)
        context, install = context_of(where), installed_by(self.world, where)
        return [
            command
            for command in self._registry.visible_in(where.guild_id)
            if is_offered(command, context, granted, install)
        ]

    def messages(self, channel: Where, *, seen_by: Who | None = None) -> list[Message]:
        """Return a channel's messages, oldest first; ephemerals only for their person."""
        return self.world.messages(channel, seen_by=seen_by)


def _component(message: Message, custom_id: str) -> JsonObject:
    found = (c for c in flatten(message.components) if c.get("custom_id") == custom_id)
    empty: JsonObject = {}
    return next(found, empty)


def _button(message: Message, wanted: str) -> JsonObject:
    by_id = _component(message, wanted)
    labelled = (button for button in message.buttons() if button.get("label") == wanted)
    return by_id or next(labelled, by_id)
