"""Moving a conversation to a thread: from the third turn on, for a long answer, or by button.

The thread begins at the answer's first message and gets a copy of what was said so far;
the channel keeps its own memory, so a later question there goes on from that. A
conversation is moved by itself once, never for an answer that was stopped, nor out of a direct
message, a thread, a private answer, a chat channel, or a place where the app is no member.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import aiohttp
import discord
import structlog
from discord.http import HTTPClient

from companion.bot import thread_words
from companion.bot.channel_messages import Spot
from companion.bot.closed_channels import ClosedChannels
from companion.bot.message_origin import may_thread
from companion.bot.notices import Notices
from companion.domain.actor import Actor, ChannelId, Place, PlaceKind
from companion.domain.chat import Finished
from companion.domain.conversation import Finish, TurnId
from companion.ports.clock import Clock
from companion.services.background import BackgroundTasks
from companion.services.container import Services

log = structlog.get_logger()

MOVES_AT_TURN: Final = 3
LONG_MESSAGES: Final = 2
REQUEST_S: Final = 30.0
ARCHIVE_MINUTES: Final = 1440
EXISTS: Final = 160004
FULL: Final = {30013, 30033, 160006}


class NoThread(Exception):
    """Discord lets the app start no thread there: no right to, or (`full`) too many of them."""

    def __init__(self, *, full: bool = False) -> None:
        super().__init__("full" if full else "not allowed")
        self.full = full


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """An answer that stands in a channel for all to see."""

    actor: Actor
    place: Place
    finished: Finished
    messages: tuple[int, ...]
    channel: object
    asked: str = ""


class Threads:
    """Starts threads and lets conversations go on in them."""

    def __init__(
        self,
        services: Services,
        http: HTTPClient,
        *,
        tasks: BackgroundTasks,
        closed: ClosedChannels,
        clock: Clock,
        reads_messages: bool,
    ) -> None:
        self._services = services
        self._http = http
        self._tasks = tasks
        self._closed = closed
        self._reads_messages = reads_messages
        self._moved = Notices(clock, every_s=math.inf)
        self._excused = Notices(clock, every_s=math.inf)

    async def consider(self, shown: Shown) -> None:
        """Move a conversation that has become long; say so, or once per channel why not."""
        if not _is_due(shown) or await self._is_room(shown.place):
            return
        channel_id = shown.place.channel_id
        assert channel_id is not None
        if channel_id in self._closed or not self._moved.may(channel_id, shown.actor.discord_id):
            return
        try:
            thread = await self.move(
                shown.finished.turn_id,
                shown.actor,
                shown.place,
                shown.messages[0],
                shown.asked,
                channel=shown.channel,
            )
        except NoThread as error:
            if self._excused.may(channel_id):
                await self._say(shown, thread_words.no_thread(full=error.full))
        else:
            await self._say(shown, thread_words.goes_on_in(thread))

    async def move(
        self,
        turn_id: TurnId,
        actor: Actor,
        place: Place,
        start: int,
        asked: str = "",
        *,
        channel: object = None,
    ) -> int:
        """Start a thread at a message and move the conversation there; return the thread.

        Raises `NoThread`, `NotYours` and `TurnGone`.
        """
        assert place.channel_id is not None
        if isinstance(channel, discord.TextChannel) and not may_thread(channel):
            raise NoThread
        await self._services.conversations.check_own(turn_id, actor, place)
        name = thread_words.first_name(asked, actor.name)
        thread = await self._start(place.channel_id, start, name)
        await self._services.conversations.move_to_thread(
            turn_id, actor=actor, place=place, thread_id=ChannelId(thread)
        )
        self._tasks.start("thread_opening", self._open(thread, turn_id, actor, place))
        return thread

    async def _start(self, channel_id: int, message_id: int, name: str) -> int:
        try:
            async with asyncio.timeout(REQUEST_S):
                thread = await self._http.start_thread_with_message(
                    channel_id,
                    message_id,
                    name=name,
                    auto_archive_duration=ARCHIVE_MINUTES,
                    rate_limit_per_user=0,
                )
        except discord.HTTPException as error:
            if error.code == EXISTS:
                return message_id  # a thread has the id of the message it begins at
            log.info("thread_refused", status=error.status, discord_code=error.code)
            raise NoThread(full=error.code in FULL) from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise NoThread from error
        return int(thread["id"])

    async def _open(self, thread: int, turn_id: TurnId, actor: Actor, place: Place) -> None:
        """Take the asker along, say what this is, and give it its title; nobody waits for it."""
        with _best_effort("thread_not_opened"):
            if actor.discord_id is not None:
                await self._http.add_user_to_thread(thread, actor.discord_id)
            spot = Spot(channel_id=thread, origin=thread)
            words = thread_words.welcome(reads_messages=self._reads_messages)
            await self._http.request(spot.route, json=spot.below(words, ()))
        title = await self._services.chat.title(turn_id, actor, place)
        if title:
            with _best_effort("thread_not_renamed"):
                await self._http.edit_channel(thread, name=thread_words.as_name(title))

    async def _is_room(self, place: Place) -> bool:
        if place.guild_id is None or place.channel_id is None:
            return False
        return await self._services.rooms.is_chat_channel(place.guild_id, place.channel_id)

    async def _say(self, shown: Shown, text: str) -> None:
        assert shown.place.channel_id is not None
        spot = Spot(channel_id=shown.place.channel_id, origin=shown.messages[-1])
        with _best_effort("thread_not_announced"):
            await self._http.request(spot.route, json=spot.below(text, ()))


def _is_due(shown: Shown) -> bool:
    place, long = shown.place, len(shown.messages) > LONG_MESSAGES
    return (
        place.kind is PlaceKind.CHANNEL
        and not place.user_install_only
        and bool(shown.messages)
        and shown.finished.finish is not Finish.STOPPED
        and (shown.finished.number >= MOVES_AT_TURN or long)
    )


@contextmanager
def _best_effort(event: str) -> Generator[None]:
    try:
        yield
    except (discord.DiscordException, aiohttp.ClientError, OSError) as error:
        log.info(event, why=type(error).__name__)
