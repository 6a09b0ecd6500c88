"""One browser tab: the person it shows, what they do, and what they are told."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Final

import msgspec
from aiohttp import WSMsgType, web

from companion.playground.events import EventKind, Subscription, WorldEvent
from companion.playground.interaction import InteractionState
from companion.playground.state import Channel, Message, Person
from companion.playground.web_deeds import Deeds, Refusal
from companion.playground.web_files import WaitingUploads
from companion.playground.web_outbox import Outbox
from companion.playground.web_view import PersonView
from companion.playground.wire import JsonObject, as_int, encode

if TYPE_CHECKING:
    from companion.playground.local_discord import LocalDiscord

_MOST_AT_ONCE: Final = 24


class _Request(msgspec.Struct):
    """What a page sends. Only the first message, `hello`, wants no answer."""

    op: str
    id: int = 0
    person: str | None = None
    data: msgspec.Raw = msgspec.Raw(b"{}")


class _Be(msgspec.Struct):
    person: str


class _Open(msgspec.Struct):
    channel: str
    before: str | None = None


class PlaySession:
    """Connects one websocket with the world, until either ends."""

    def __init__(
        self,
        discord: LocalDiscord,
        socket: web.WebSocketResponse,
        uploads: WaitingUploads,
        banner: str,
    ) -> None:
        self._discord = discord
        self._socket = socket
        self._uploads = uploads
        self._banner = banner
        self._outbox = Outbox()
        self._running: set[asyncio.Task[None]] = set()
        self._be(next(one for one in discord.world.people.values() if not one.bot))

    async def run(self) -> None:
        """Serve the tab until it goes."""
        subscription = self._discord.subscribe()
        tasks = [
            asyncio.create_task(self._read_all()),
            asyncio.create_task(self._send_all()),
            asyncio.create_task(self._watch(subscription)),
        ]
        try:
            ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            tasks += self._running
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for task in ended:
            # a tab that went away is the usual end
            with contextlib.suppress(ConnectionError):
                task.result()

    # -- the page speaks ---------------------------------------------------------------

    async def _read_all(self) -> None:
        async for frame in self._socket:
            if frame.type is not WSMsgType.TEXT:
                return
            try:
                request = msgspec.json.decode(frame.data, type=_Request)
            except msgspec.MsgspecError:
                return
            if request.op == "hello":
                self._greet(request.person)
            elif len(self._running) >= _MOST_AT_ONCE:
                self._outbox.answer(request.id, error="Too much at once. Wait a moment.")
            else:
                task = asyncio.create_task(self._serve(request))
                self._running.add(task)
                task.add_done_callback(self._running.discard)

    def _greet(self, wanted: str | None) -> None:
        person = self._discord.world.people.get(as_int(wanted) or 0)
        if person is not None and not person.bot:
            self._be(person)
        self._tell_everything()

    async def _serve(self, request: _Request) -> None:
        try:
            answer = await self._perform(request)
        except msgspec.MsgspecError:
            self._outbox.answer(request.id, error="The page sent something unreadable.")
        except (Refusal, LookupError) as refusal:
            self._outbox.answer(request.id, error=str(refusal.args[0] if refusal.args else ""))
        else:
            self._outbox.answer(request.id, answer)

    async def _perform(self, request: _Request) -> JsonObject:
        if request.op == "be":
            self._greet(msgspec.json.decode(request.data, type=_Be).person)
            return {}
        if request.op == "open":
            wanted = msgspec.json.decode(request.data, type=_Open)
            channel = self._deeds.channel(wanted.channel)
            self._open = channel
            return self._view.history(channel, as_int(wanted.before)) | {
                "commands": self._discord.commands_for(self._view.person, channel)
            }
        return await self._deeds.perform(request.op, request.data)

    def _be(self, person: Person) -> None:
        self._discord.world.dm(person)
        self._view = PersonView(self._discord, person)
        self._deeds = Deeds(self._discord, self._view, self._uploads)
        self._open: Channel | None = None

    # -- the world speaks --------------------------------------------------------------

    async def _send_all(self) -> None:
        while not self._socket.closed:
            await self._socket.send_str(encode(await self._outbox.next()).decode())

    async def _watch(self, subscription: Subscription) -> None:
        async for event in subscription:
            if self._outbox.is_full:
                self._outbox.start_over()
                self._tell_everything()
            elif event.audience in {None, self._view.person.id}:
                self._tell(event)

    def _tell_everything(self) -> None:
        self._outbox.event("ready", self._view.everything(self._banner))

    def _tell(self, event: WorldEvent) -> None:
        match event.kind:
            case EventKind.COMMANDS:
                self._outbox.event("commands", None, key="commands")
            case EventKind.APP_ONLINE | EventKind.APP_OFFLINE:
                self._outbox.event("app", self._view.app(), key="app")
            case _ if event.channel is not None and self._view.sees(event.channel):
                self._tell_of_channel(event, event.channel)
            case _:
                pass

    def _tell_of_channel(self, event: WorldEvent, channel: Channel) -> None:
        match event.kind:
            case EventKind.CHANNEL_CREATED | EventKind.CHANNEL_CHANGED:
                self._outbox.event("place", self._view.place(channel), key=f"place {channel.id}")
            case EventKind.CHANNEL_DELETED:
                self._outbox.event("place_gone", {"id": str(channel.id)})
            case EventKind.TYPING if event.person is not None:
                self._outbox.event(
                    "typing", {"channel": str(channel.id), "person": str(event.person.id)}
                )
            case EventKind.INTERACTION if event.interaction is not None:
                self._tell_of_failure(event.interaction.original, event.interaction.error, event)
            case _ if event.message is not None:
                self._tell_of_message(event.kind, channel, event.message)
            case _:
                pass

    def _tell_of_message(self, kind: EventKind, channel: Channel, message: Message) -> None:
        if not message.visible_to(self._view.person.id):
            return
        key = f"message {message.id}"
        if kind is EventKind.MESSAGE_DELETED:
            self._outbox.forget(key)
            self._outbox.event("message_gone", {"channel": str(channel.id), "id": str(message.id)})
        elif kind is EventKind.MESSAGE_CREATED or self._shows(channel, message):
            self._outbox.event("message", self._view.message(message), key=key)
        if channel.is_thread and message.id >= (channel.last_message_id or 0):
            # its newest message is also shown where the thread hangs
            self._outbox.event("place", self._view.place(channel), key=f"place {channel.id}")

    def _shows(self, channel: Channel, message: Message) -> bool:
        """Say whether the page shows a message now: above a thread, the one it started at."""
        shown = self._open
        return shown is not None and (channel is shown or message.id == shown.id)

    def _tell_of_failure(
        self, message: Message | None, error: str | None, event: WorldEvent
    ) -> None:
        """An answer that was promised ("thinking…") and never came."""
        failed = event.interaction is not None and (
            event.interaction.state is InteractionState.FAILED
        )
        if failed and message is not None and message.thinking:
            self._outbox.event(
                "failure",
                {"channel": str(message.channel_id), "id": str(message.id), "error": error},
            )
