"""Who hears what: apps by the gateway, people by subscriptions."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from weakref import WeakSet

from companion.playground.interaction import Interaction
from companion.playground.state import Channel, Message, Person
from companion.playground.vocabulary import ANY_INTENT, Intent
from companion.playground.wire import JsonObject


class EventKind(StrEnum):
    """What happened, in the eyes of a person."""

    MESSAGE_CREATED = "message_created"
    MESSAGE_EDITED = "message_edited"
    MESSAGE_DELETED = "message_deleted"
    INTERACTION = "interaction"
    TYPING = "typing"
    COMMANDS = "commands"
    APP_ONLINE = "app_online"
    APP_OFFLINE = "app_offline"
    CHANNEL_CREATED = "channel_created"
    CHANNEL_CHANGED = "channel_changed"
    CHANNEL_DELETED = "channel_deleted"
    PING = "ping"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorldEvent:
    """One change. `audience` is the id of the only person who may see it, if not everyone."""

    kind: EventKind
    channel: Channel | None = None
    message: Message | None = None
    interaction: Interaction | None = None
    person: Person | None = None
    audience: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispatch:
    """A gateway event for the app.

    It goes to sessions that asked for `intent`; `without_content` is what a session
    without the Message Content intent gets instead.
    """

    name: str
    data: JsonObject
    guild_id: int | None = None
    intent: Intent = ANY_INTENT
    without_content: JsonObject | None = None


class Subscription:
    """All events from the moment it was made, as an async iterator."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[WorldEvent] = asyncio.Queue()

    def put(self, event: WorldEvent) -> None:
        """Hand over an event."""
        self._queue.put_nowait(event)

    def __aiter__(self) -> Subscription:
        return self

    async def __anext__(self) -> WorldEvent:
        return await self._queue.get()


class Bus:
    """Passes events on at once. A subscription that nobody holds any more is dropped."""

    def __init__(self) -> None:
        self._apps: list[Callable[[Dispatch], None]] = []
        self._subscriptions: WeakSet[Subscription] = WeakSet()

    def connect(self, app: Callable[[Dispatch], None]) -> None:
        """Send all gateway events to `app`."""
        self._apps.append(app)

    def subscribe(self) -> Subscription:
        """Return a new subscription."""
        subscription = Subscription()
        self._subscriptions.add(subscription)
        return subscription

    def dispatch(self, event: Dispatch) -> None:
        """Send a gateway event."""
        for app in self._apps:
            app(event)

    def announce(self, event: WorldEvent) -> None:
        """Tell all subscriptions."""
        for subscription in self._subscriptions:
            subscription.put(event)
