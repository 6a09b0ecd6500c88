"""What a person does on the page, done in the local Discord."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final

import msgspec

from companion.playground.api_errors import ApiError
from companion.playground.command_data import OptionValue
from companion.playground.interaction import Interaction, InteractionFailed
from companion.playground.interaction_desk import NO_RESPONSE
from companion.playground.permissions import sending_needs
from companion.playground.state import Channel, Message, Person, Role
from companion.playground.vocabulary import OptionKind
from companion.playground.web_files import WaitingUploads
from companion.playground.web_view import PersonView
from companion.playground.wire import JsonObject, as_int

if TYPE_CHECKING:
    from companion.playground.local_discord import LocalDiscord

# Longer than Discord's own three seconds, which the local Discord keeps.
_PATIENCE_S: Final = 10.0
_MODALS_KEPT: Final = 20
_LONGEST_TEXT: Final = 2000
_LONGEST_NAME: Final = 100
_COMPONENT_FAILED: Final = "This interaction failed"
_THINGS: Final = {
    OptionKind.USER,
    OptionKind.CHANNEL,
    OptionKind.ROLE,
    OptionKind.MENTIONABLE,
}


class Refusal(Exception):
    """Something was not done, with words for the person."""


class _Say(msgspec.Struct):
    channel: str
    text: str = ""
    reply_to: str | None = None
    ping: bool = True
    files: list[str] = msgspec.field(default_factory=list[str])


class _Typing(msgspec.Struct):
    channel: str


class _Change(msgspec.Struct):
    """A message of one's own; without a text it is to be deleted."""

    channel: str
    message: str
    text: str = ""


class _StartThread(msgspec.Struct):
    channel: str
    name: str
    message: str | None = None


class _ThreadState(msgspec.Struct):
    channel: str
    archived: bool | None = None
    locked: bool | None = None


class _Option(msgspec.Struct):
    name: str
    type: int
    value: str | int | float | bool


class _Command(msgspec.Struct):
    """A command by its full name (`group sub`); `focused` is the option being typed in."""

    channel: str
    name: str
    options: list[_Option] = msgspec.field(default_factory=list[_Option])
    target: str | None = None
    focused: str = ""


class _Component(msgspec.Struct):
    channel: str
    message: str
    custom_id: str
    values: list[str] | None = None


class _Submit(msgspec.Struct):
    interaction: str
    values: dict[str, str | list[str]]


class Deeds:
    """The requests of a page, as one person."""

    def __init__(self, discord: LocalDiscord, view: PersonView, uploads: WaitingUploads) -> None:
        self._discord = discord
        self._view = view
        self._uploads = uploads
        self._modals: OrderedDict[str, Interaction] = OrderedDict()
        self._all: dict[str, Callable[[msgspec.Raw], Awaitable[JsonObject]]] = {
            "say": self._say,
            "typing": self._type,
            "edit": self._edit,
            "delete": self._delete,
            "thread": self._start_thread,
            "thread_state": self._set_thread,
            "invoke": self._invoke,
            "autocomplete": self._autocomplete,
            "component": self._component,
            "submit": self._submit,
        }

    async def perform(self, op: str, data: msgspec.Raw) -> JsonObject:
        """Do what a page asks. Raises `Refusal` or `LookupError` with words for the person."""
        deed = self._all.get(op)
        if deed is None:
            raise Refusal("This playground cannot do that.")
        try:
            return await deed(data)
        except ApiError as refused:
            raise Refusal(f"{refused.problem.words}.") from refused
        except PermissionError as refused:
            raise Refusal("This is not yours to change.") from refused

    def channel(self, channel_id: str) -> Channel:
        """Return a channel this person sees. Raises `LookupError`."""
        channel = self._discord.world.channels.get(as_int(channel_id) or 0)
        if channel is None or not self._view.sees(channel):
            raise LookupError("This channel is gone, or not for you.")
        return channel

    def _message(self, channel: Channel, message_id: str) -> Message:
        message = channel.messages.get(as_int(message_id) or 0)
        if message is None or not message.visible_to(self._view.person.id):
            raise LookupError("This message is gone.")
        return message

    # -- messages ------------------------------------------------------------------------

    async def _say(self, data: msgspec.Raw) -> JsonObject:
        wanted = msgspec.json.decode(data, type=_Say)
        channel = self.channel(wanted.channel)
        self._check_may_send(channel)
        reply_to = None if wanted.reply_to is None else self._message(channel, wanted.reply_to)
        _check_length(wanted.text)
        message = await self._discord.say(
            self._view.person,
            channel,
            wanted.text,
            reply_to=reply_to,
            ping_author=wanted.ping,
            attachments=[self._uploads.take(ticket) for ticket in wanted.files],
        )
        return {"id": str(message.id)}

    async def _type(self, data: msgspec.Raw) -> JsonObject:
        channel = self.channel(msgspec.json.decode(data, type=_Typing).channel)
        self._check_may_send(channel)
        await self._discord.type(self._view.person, channel)
        return {}

    async def _edit(self, data: msgspec.Raw) -> JsonObject:
        wanted = msgspec.json.decode(data, type=_Change)
        message = self._message(self.channel(wanted.channel), wanted.message)
        _check_length(wanted.text)
        await self._discord.edit(self._view.person, message, wanted.text)
        return {}

    async def _delete(self, data: msgspec.Raw) -> JsonObject:
        wanted = msgspec.json.decode(data, type=_Change)
        message = self._message(self.channel(wanted.channel), wanted.message)
        await self._discord.delete(self._view.person, message)
        return {}

    # -- threads -------------------------------------------------------------------------

    async def _start_thread(self, data: msgspec.Raw) -> JsonObject:
        wanted = msgspec.json.decode(data, type=_StartThread)
        channel, name = self.channel(wanted.channel), wanted.name.strip()
        if not self._view.place(channel)["may"]["start_threads"]:
            raise Refusal("You may not start threads here.")
        if not 1 <= len(name) <= _LONGEST_NAME:
            raise Refusal(f"A thread's name has 1 to {_LONGEST_NAME} characters.")
        message = None if wanted.message is None else self._message(channel, wanted.message)
        if message is not None and message.ephemeral:
            raise Refusal("Only you see this message, so no thread can start at it.")
        thread = await self._discord.start_thread(self._view.person, channel, name, message=message)
        return {"place": self._view.place(thread)}

    async def _set_thread(self, data: msgspec.Raw) -> JsonObject:
        wanted = msgspec.json.decode(data, type=_ThreadState)
        thread = self.channel(wanted.channel)
        if not thread.is_thread:
            raise Refusal("This is not a thread.")
        await self._discord.set_thread(
            self._view.person, thread, archived=wanted.archived, locked=wanted.locked
        )
        return {}

    def _check_may_send(self, channel: Channel) -> None:
        needed = sending_needs(channel)
        if needed not in self._discord.world.permissions(self._view.person, channel):
            raise Refusal("You may not write in this channel.")

    # -- interactions --------------------------------------------------------------------

    async def _invoke(self, data: msgspec.Raw) -> JsonObject:
        wanted = msgspec.json.decode(data, type=_Command)
        channel = self.channel(wanted.channel)
        target = None if wanted.target is None else self._message(channel, wanted.target)
        interaction = await self._discord.invoke(
            self._view.person,
            channel,
            wanted.name,
            {option.name: self._value(option) for option in wanted.options},
            target=target,
        )
        return await self._outcome(interaction)

    async def _autocomplete(self, data: msgspec.Raw) -> JsonObject:
        wanted = msgspec.json.decode(data, type=_Command)
        try:
            choices = await self._discord.autocomplete(
                self._view.person,
                self.channel(wanted.channel),
                wanted.name,
                {option.name: self._value(option) for option in wanted.options},
                wanted.focused,
            )
        except InteractionFailed as failed:
            raise Refusal("Loading options failed.") from failed
        return {"choices": choices}

    async def _component(self, data: msgspec.Raw) -> JsonObject:
        wanted = msgspec.json.decode(data, type=_Component)
        message = self._message(self.channel(wanted.channel), wanted.message)
        person = self._view.person
        if wanted.values is None:
            interaction = await self._discord.click(person, message, wanted.custom_id)
        else:
            values = [self._thing(value) or value for value in wanted.values]
            interaction = await self._discord.select(person, message, wanted.custom_id, values)
        return await self._outcome(interaction, failure=_COMPONENT_FAILED)

    async def _submit(self, data: msgspec.Raw) -> JsonObject:
        wanted = msgspec.json.decode(data, type=_Submit)
        opened = self._modals.get(wanted.interaction)
        if opened is None:
            raise LookupError("This form is too old. Open it again.")
        interaction = await self._discord.submit_modal(opened, wanted.values)
        return await self._outcome(interaction)

    async def _outcome(self, interaction: Interaction, *, failure: str | None = None) -> JsonObject:
        """Wait for the app's first answer; its messages come as events of their own."""
        try:
            await interaction.until(_is_settled, _PATIENCE_S)
        except InteractionFailed as failed:
            raise Refusal(failure or NO_RESPONSE) from failed
        if interaction.failed:
            raise Refusal(failure or interaction.error or NO_RESPONSE)
        if interaction.modal is None:
            return {}
        self._modals[str(interaction.id)] = interaction
        if len(self._modals) > _MODALS_KEPT:
            self._modals.popitem(last=False)
        return {"interaction": str(interaction.id), "modal": interaction.modal}

    # -- values --------------------------------------------------------------------------

    def _value(self, option: _Option) -> OptionValue:
        if option.type == OptionKind.ATTACHMENT:
            return self._uploads.take(str(option.value))
        if option.type in _THINGS:
            return self._thing(str(option.value)) or option.value
        return option.value

    def _thing(self, value: str) -> Person | Channel | Role | None:
        """Return the person, channel or role of an id; `None` where it is none."""
        world, thing_id = self._discord.world, as_int(value) or 0
        roles = {key: role for guild in world.guilds.values() for key, role in guild.roles.items()}
        return world.people.get(thing_id) or world.channels.get(thing_id) or roles.get(thing_id)


def _check_length(text: str) -> None:
    if len(text) > _LONGEST_TEXT:
        raise Refusal(f"A message has at most {_LONGEST_TEXT} characters.")


def _is_settled(interaction: Interaction) -> bool:
    return interaction.failed or interaction.acknowledged_at is not None
