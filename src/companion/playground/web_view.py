"""What one person sees, as JSON for the page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from companion.playground import payloads
from companion.playground.message_drafts import FILE_SIZE_LIMIT
from companion.playground.permissions import sending_needs
from companion.playground.state import Channel, Message, Person
from companion.playground.vocabulary import ChannelKind, MessageKind, Permission
from companion.playground.wire import JsonObject, as_int, objects
from companion.playground.world_clock import timestamp

if TYPE_CHECKING:
    from companion.playground.local_discord import LocalDiscord

PAGE_OF_MESSAGES = 60
_LONGEST_SHOWN = 300
_KINDS = {
    ChannelKind.TEXT: "text",
    ChannelKind.NEWS: "text",
    ChannelKind.DM: "dm",
    ChannelKind.GROUP_DM: "group",
}
_COMMAND_ANSWERS = {MessageKind.CHAT_INPUT_COMMAND, MessageKind.CONTEXT_MENU_COMMAND}


class PersonView:
    """The world through the eyes of one person."""

    def __init__(self, discord: LocalDiscord, person: Person) -> None:
        self._discord = discord
        self.person = person

    def everything(self, banner: str) -> JsonObject:
        """Return the whole picture, without the messages."""
        world = self._discord.world
        return {
            "world": str(self._discord.application_id),
            "me": _person(self.person),
            "people": [_person(one) for one in world.people.values() if not one.bot],
            "app": self.app(),
            "guilds": [
                {
                    "id": str(guild.id),
                    "name": guild.name,
                    "roles": [
                        {"id": str(role.id), "name": role.name} for role in guild.roles.values()
                    ],
                }
                for guild in world.guilds.values()
                if self.person.id in guild.members
            ],
            "places": [
                self.place(channel) for channel in world.channels.values() if self.sees(channel)
            ],
            "banner": banner,
            "upload_limit": FILE_SIZE_LIMIT,
        }

    def app(self) -> JsonObject:
        """Return the app and whether it is connected."""
        account = self._discord.world.app
        return {
            "id": str(account.id),
            "name": account.display_name,
            "online": self._discord.gateway.online,
        }

    def sees(self, channel: Channel) -> bool:
        """Say whether the channel belongs in this person's list."""
        if channel.kind is ChannelKind.CATEGORY:
            return False
        allowed = self._discord.world.permissions(self.person, channel)
        return Permission.VIEW_CHANNEL in allowed

    def place(self, channel: Channel) -> JsonObject:
        """Return a channel, thread or DM as a line of the list."""
        newest = next(
            (m.id for m in reversed(channel.messages.values()) if m.visible_to(self.person.id)),
            None,
        )
        return {
            "id": str(channel.id),
            "kind": "thread" if channel.is_thread else _KINDS.get(channel.kind, "text"),
            "name": self._name(channel),
            "topic": channel.topic,
            "guild": None if channel.guild_id is None else str(channel.guild_id),
            "parent": None if channel.parent_id is None else str(channel.parent_id),
            "position": channel.position,
            "last_message_id": None if newest is None else str(newest),
            "may": self._may(channel),
        } | self._thread(channel)

    def _may(self, channel: Channel) -> JsonObject:
        """Return what this person may do there, as far as the page offers it."""
        allowed = self._discord.world.permissions(self.person, channel)
        manages_threads = Permission.MANAGE_THREADS in allowed
        state, public = channel.thread, Permission.CREATE_PUBLIC_THREADS
        shut = state is not None and state.locked and not manages_threads
        starts = channel.guild_id is not None and state is None
        return {
            "write": sending_needs(channel) in allowed and not shut,
            "start_threads": starts and public in allowed,
            "moderate": Permission.MANAGE_MESSAGES in allowed,
            "lock": state is not None and manages_threads,
            "archive": state is not None
            and (manages_threads or (state.owner_id == self.person.id and not state.locked)),
        }

    def _thread(self, channel: Channel) -> JsonObject:
        """Return what is shown of a thread where it hangs: its size and its newest message."""
        state = channel.thread
        if state is None:
            return {"archived": False, "locked": False}
        seen = [one for one in channel.messages.values() if one.visible_to(self.person.id)]
        newest = seen[-1] if seen else None
        return {
            "archived": state.archived,
            "locked": state.locked,
            "messages": len(seen),
            "newest": newest
            and {
                "author": payloads.user(newest.author),
                "content": newest.text[:_LONGEST_SHOWN],
                "timestamp": timestamp(newest.created_at),
            },
        }

    def _name(self, channel: Channel) -> str:
        if channel.name:
            return channel.name
        others = [one.display_name for one in channel.recipients if one is not self.person]
        if channel.kind is ChannelKind.DM:
            others = [self._discord.world.app.display_name]
        return ", ".join(others) or "Direct message"

    def message(self, message: Message) -> JsonObject:
        """Return a message, with the command it answers."""
        payload = payloads.message(message)
        metadata = message.interaction
        if message.kind in _COMMAND_ANSWERS and metadata is not None and "name" in metadata:
            payload["command"] = {
                "name": metadata["name"],
                "user": metadata["user"],
                "options": self._options(metadata),
            }
        if message.kind is MessageKind.REPLY:
            payload.setdefault("referenced_message", None)
        if message.thread_id is not None:
            payload["thread_id"] = str(message.thread_id)
        return payload

    def _options(self, metadata: JsonObject) -> list[list[str]]:
        """Return what was filled in, as Discord shows it to everyone: names and values."""
        used = self._discord.interactions.find(as_int(metadata.get("id")) or 0)
        if used is None:
            return []
        files = used.data.get("resolved", {}).get("attachments", {})
        return [
            [option["name"], _shown(option, files)]
            for option in _flat_options(used.data)
            if "value" in option
        ]

    def history(self, channel: Channel, before: int | None) -> JsonObject:
        """Return the newest page of messages, or the page before a message."""
        visible = [
            message
            for message in self._discord.messages(channel, seen_by=self.person)
            if before is None or message.id < before
        ]
        page = visible[-PAGE_OF_MESSAGES:]
        starter = self._starter(channel)
        return {
            "messages": [self.message(one) for one in page],
            "older": len(visible) > len(page),
            "starter": None if starter is None else self.message(starter),
        }

    def _starter(self, thread: Channel) -> Message | None:
        """Return the message that a thread was started at: they share their id."""
        parent = self._discord.world.channels.get(thread.parent_id or 0)
        starter = None if parent is None else parent.messages.get(thread.id)
        return starter if starter is not None and starter.visible_to(self.person.id) else None


def _flat_options(data: JsonObject) -> list[JsonObject]:
    """Return the options of a command, out of its subcommands."""
    options = objects(data.get("options"))
    inner = [found for option in options for found in _flat_options(option)]
    return [*options, *inner]


def _shown(option: JsonObject, files: JsonObject) -> str:
    value = str(option["value"])
    return str(files[value]["filename"]) if value in files else value[:_LONGEST_SHOWN]


def _person(person: Person) -> JsonObject:
    return {"id": str(person.id), "name": person.display_name, "username": person.username}
