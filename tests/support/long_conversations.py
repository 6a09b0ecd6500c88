"""Conversations of any length over a real database, and what a turn of them costs there."""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from unittest.mock import patch
from uuid import uuid4

from sqlalchemy import Engine, event

from companion.db.sqlite_driver import OneVisitConnection
from companion.db.uow import SqlStore
from companion.domain.actor import Actor, ChannelId, DiscordUserId, GuildId, Place, PlaceKind
from companion.domain.chat import ChatEvent, Finished
from companion.domain.conversation import ConversationId, ConversationKey, Finish, NewTurn, TurnId
from companion.domain.models import ModelId
from companion.domain.usage import Usage
from companion.services.container import Services, build_services
from tests.services.house import House, request

PLACE = Place(kind=PlaceKind.CHANNEL, channel_id=ChannelId(1), guild_id=GuildId(9))
PROMPT = "What is the difference between a list and a tuple, and when do I use which? " * 2
ANSWER = "A list can be changed after it was made, and a tuple can not. " * 10
_BATCH = 500


@dataclass(slots=True)
class Counted:
    """The statements that went to any database while it was counted."""

    statements: list[str] = field(default_factory=list[str])


@contextmanager
def counted() -> Generator[Counted]:
    """Count statements, on their way through SQLAlchemy or beside it."""
    seen, ask = Counted(), OneVisitConnection.ask

    def note(_connection: Any, _cursor: Any, statement: str, *_others: Any) -> None:
        seen.statements.append(statement)

    async def note_brief(
        connection: OneVisitConnection, sql: str, values: Sequence[Any]
    ) -> tuple[list[Any], int]:
        seen.statements.append(sql)
        return await ask(connection, sql, values)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        with patch.object(OneVisitConnection, "ask", note_brief):
            yield seen
    finally:
        event.remove(Engine, "before_cursor_execute", note)


class LongTalk:
    """All services over a real database, and one person who talks there."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store
        house = House()
        outside = replace(house.outside, store=store)
        self.services: Services = build_services(outside)
        self.actor = Actor(name="Ada", discord_id=DiscordUserId(uuid4().int >> 70))

    async def grow(self, turns: int) -> ConversationId:
        """Add that many turns to the person's conversation."""
        for start in range(0, turns, _BATCH):
            async with self._store.write() as unit:
                person = await unit.people.ensure(self.actor)
                key = ConversationKey(channel_id=PLACE.channel_id, owner_id=person)
                conversation = await unit.conversations.ensure(key)
                for _ in range(min(_BATCH, turns - start)):
                    turn = NewTurn(
                        id=TurnId(uuid4()),
                        conversation_id=conversation,
                        author_id=person,
                        speaker=self.actor.name,
                        prompt=PROMPT,
                        model=ModelId("gpt-6-luna"),
                    )
                    await unit.turns.begin(turn)
                    await unit.turns.finish(
                        turn,
                        answer=ANSWER,
                        finish=Finish.COMPLETE,
                        usage=Usage(prompt_tokens=40, completion_tokens=150),
                    )
        async with self._store.read() as unit:
            person = await unit.people.find(self.actor)
            assert person is not None
            key = ConversationKey(channel_id=PLACE.channel_id, owner_id=person)
            found = await unit.conversations.find(key)
        assert found is not None
        return found

    async def ask(self) -> Finished:
        """Ask once, and return how it finished."""
        events: list[ChatEvent] = [
            each async for each in self.services.chat.ask(request("And now?", self.actor, PLACE))
        ]
        assert isinstance(events[-1], Finished), events[-1]
        return events[-1]

    async def take_back(self, asked: Finished) -> None:
        """Delete that turn, so that the conversation is as long as it was."""
        async with self._store.write() as unit:
            await unit.turns.remove(asked.turn_id)

    async def settle(self) -> None:
        """Wait for what goes on in the background."""
        async with asyncio.timeout(10):
            while not self.services.tasks.idle:  # noqa: ASYNC110
                await asyncio.sleep(0.001)
