"""What a person chose, as the data of a command interaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from companion.playground import payloads
from companion.playground.attachments import AttachmentStore
from companion.playground.state import (
    Attachment,
    Channel,
    Guild,
    Message,
    Person,
    Role,
    Upload,
)
from companion.playground.vocabulary import CommandKind, OptionKind, Permission
from companion.playground.wire import JsonObject, objects
from companion.playground.world import World

OptionValue = str | int | float | bool | Person | Channel | Role | Upload


class CommandData:
    """Builds the data of one command; what it refers to is collected in `resolved`."""

    def __init__(
        self,
        world: World,
        attachments: AttachmentStore,
        channel: Channel,
        uploads: Sequence[Upload] = (),
    ) -> None:
        self._world = world
        self._guild: Guild | None = world.guild_of(channel)
        self._channel = channel
        self._attachments = attachments
        self._resolved: dict[str, JsonObject] = {}
        self._uploads = [self._keep(upload) for upload in uploads]
        self._unused = list(self._uploads)

    def of_command(
        self,
        command: JsonObject,
        path: Sequence[str],
        options: Mapping[str, OptionValue] | list[JsonObject],
        *,
        focused: str | None = None,
        target: Message | Person | None = None,
    ) -> JsonObject:
        """Return the data of `command`; `path` are the subcommands chosen in it."""
        data: JsonObject = {
            "id": command["id"],
            "name": command["name"],
            "type": command.get("type", CommandKind.CHAT_INPUT),
        }
        if target is not None:
            data["target_id"] = str(target.id)
            self._resolve(target)
        chosen = self._options(command, path, options, focused)
        if chosen:
            data["options"] = chosen
        if self._resolved:
            data["resolved"] = self._resolved
        if "guild_id" in command:
            data["guild_id"] = command["guild_id"]
        return data

    def _options(
        self,
        offered: JsonObject,
        path: Sequence[str],
        options: Mapping[str, OptionValue] | list[JsonObject],
        focused: str | None,
    ) -> list[JsonObject]:
        by_name = {option["name"]: option for option in objects(offered.get("options"))}
        if path:
            sub = by_name[path[0]]
            inside = self._options(sub, path[1:], options, focused)
            return [{"name": path[0], "type": sub["type"], "options": inside}]
        if isinstance(options, list):
            return options
        values = dict(options) | self._attached(by_name, options)
        return [
            self._option(name, value, by_name.get(name), focused=name == focused)
            for name, value in values.items()
        ]

    def _attached(
        self, by_name: Mapping[str, JsonObject], given: Mapping[str, OptionValue]
    ) -> dict[str, OptionValue]:
        """Give files without a name of their own to the options that take files."""
        takers = [
            name
            for name, option in by_name.items()
            if option["type"] == OptionKind.ATTACHMENT and name not in given
        ]
        return {
            name: str(attachment.id) for name, attachment in zip(takers, self._unused, strict=False)
        }

    def _option(
        self, name: str, value: OptionValue, offered: JsonObject | None, *, focused: bool
    ) -> JsonObject:
        kind = _kind_of(value) if offered is None else OptionKind(offered["type"])
        option: JsonObject = {"name": name, "type": int(kind), "value": self._value(value)}
        if focused:
            option |= {"focused": True, "value": str(value)}
        return option

    def _value(self, value: OptionValue) -> str | int | float | bool:
        if isinstance(value, Upload):
            return str(self._keep(value).id)
        if isinstance(value, Person | Channel | Role):
            self._resolve(value)
            return str(value.id)
        return value

    def _keep(self, upload: Upload) -> Attachment:
        attachment = self._attachments.add(upload, ephemeral=True)
        self._note("attachments", attachment.id, payloads.attachment(attachment))
        return attachment

    def _resolve(self, thing: Person | Channel | Role | Message) -> None:
        if isinstance(thing, Person):
            self._resolve_person(thing)
        elif isinstance(thing, Channel):
            permissions = Permission.VIEW_CHANNEL
            self._note("channels", thing.id, payloads.interaction_channel(thing, permissions))
        elif isinstance(thing, Role):
            self._note("roles", thing.id, payloads.role(thing))
        else:
            self._note("messages", thing.id, payloads.message(thing))

    def _resolve_person(self, person: Person) -> None:
        self._note("users", person.id, payloads.user(person))
        member = self._guild.members.get(person.id) if self._guild else None
        if member is not None:
            granted = self._world.permissions(person, self._channel)
            payload = payloads.member(member, with_user=False)
            self._note("members", person.id, payload | {"permissions": str(int(granted))})

    def _note(self, kind: str, thing_id: int, payload: JsonObject) -> None:
        self._resolved.setdefault(kind, {})[str(thing_id)] = payload

    def resolved_values(self, values: Sequence[str | Person | Channel | Role]) -> list[str]:
        """Return the values of a select menu, resolving what they refer to."""
        return [str(self._value(value)) for value in values]

    @property
    def resolved(self) -> dict[str, JsonObject]:
        """Return what was referred to so far."""
        return self._resolved


def _kind_of(value: OptionValue) -> OptionKind:
    kinds: tuple[tuple[type, OptionKind], ...] = (
        (bool, OptionKind.BOOLEAN),
        (int, OptionKind.INTEGER),
        (float, OptionKind.NUMBER),
        (Person, OptionKind.USER),
        (Channel, OptionKind.CHANNEL),
        (Role, OptionKind.ROLE),
        (Upload, OptionKind.ATTACHMENT),
    )
    return next((kind for type_, kind in kinds if isinstance(value, type_)), OptionKind.STRING)
