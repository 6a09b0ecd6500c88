from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import uuid4

from companion.domain.actor import ChannelId, GuildId, InteractionId, MessageId, PersonId
from companion.domain.conversation import (
    Conversation,
    ConversationId,
    ConversationKey,
    Finish,
    Fork,
    Level,
    NewTurn,
    Summary,
    Turn,
    TurnId,
)
from companion.domain.delivery import Checkpoint
from companion.domain.usage import Usage
from companion.ports import conversations as port
from tests.fakes.tables import AnswerMessage, Tables


class FakeConversations(port.Conversations):
    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def find(self, key: ConversationKey) -> ConversationId | None:
        found = self._tables.conversations.get(key.as_text())
        return found[0] if found else None

    async def get(self, conversation: ConversationId) -> Conversation | None:
        key = self._keys().get(conversation)
        if key is None:
            return None
        return Conversation(
            id=conversation,
            channel_id=key.channel_id,
            guild_id=key.guild_id,
            owner_id=key.owner_id,
            started_by=self._tables.starters.get(conversation),
        )

    async def ensure(
        self, key: ConversationKey, fork: Fork | None = None, *, started_by: PersonId | None = None
    ) -> ConversationId:
        new = (ConversationId(uuid4()), key)
        known = self._tables.conversations.setdefault(key.as_text(), new)[0]
        has_past = self._tables.positions.get(known) or known in self._tables.forks
        if fork is not None and not has_past:
            self._tables.forks[known] = fork
            if started_by is not None:
                self._tables.starters[known] = started_by
        return known

    async def lineage(self, conversation: ConversationId, depth: int) -> Sequence[Level]:
        levels: list[Level] = []
        upto: int | None = None
        while len(levels) < depth and (key := self._keys().get(conversation)):
            turns = [t for t in self._tables.turns.values() if t.conversation_id == conversation]
            levels.append(
                Level(
                    conversation_id=conversation,
                    owner_id=key.owner_id,
                    upto=upto,
                    turn_count=len(turns),
                    revision=self._tables.revisions.get(conversation, 0),
                    summary=self._tables.summaries.get(conversation),
                )
            )
            fork = self._tables.forks.get(conversation)
            if fork is None:
                break
            conversation, upto = fork.conversation_id, fork.position
        return levels

    async def clear(self, conversation: ConversationId) -> int:
        self._tables.forks.pop(conversation, None)
        return self._forget(conversation, None)

    async def clear_of(self, conversation: ConversationId, author: PersonId) -> int:
        return self._forget(conversation, author)

    async def of_person(self, person: PersonId) -> Sequence[ConversationId]:
        return [id_ for id_, key in self._keys().items() if key.owner_id == person]

    async def of_person_in(
        self, person: PersonId, channel: ChannelId | None
    ) -> Sequence[ConversationId]:
        mine = await self.of_person(person)
        return [id_ for id_ in mine if self._keys()[id_].channel_id == channel]

    async def shared_with(self, person: PersonId) -> Sequence[ConversationId]:
        spoken = {t.conversation_id for t in self._tables.turns.values() if t.author_id == person}
        return [id_ for id_, key in self._keys().items() if not key.owner_id and id_ in spoken]

    async def shared_in(self, channel: ChannelId) -> Sequence[ConversationId]:
        keys = self._keys().items()
        return [id_ for id_, key in keys if not key.owner_id and key.channel_id == channel]

    async def unused_since(
        self, guild: GuildId, moment: datetime, limit: int
    ) -> Sequence[ConversationId]:
        turns = self._tables.turns.values()
        used = {turn.conversation_id for turn in turns if turn.created_at > moment}
        of_guild = [id_ for id_, key in self._keys().items() if key.guild_id == guild]
        return [id_ for id_ in of_guild if id_ not in used][:limit]

    async def drop(self, conversation: ConversationId) -> None:
        await self.clear(conversation)
        del self._tables.conversations[self._keys()[conversation].as_text()]

    def _keys(self) -> dict[ConversationId, ConversationKey]:
        return dict(self._tables.conversations.values())

    def _forget(self, conversation: ConversationId, author: PersonId | None) -> int:
        gone = [
            turn.id
            for turn in self._tables.turns.values()
            if turn.conversation_id == conversation and author in {None, turn.author_id}
        ]
        for turn in gone:
            drop(self._tables, turn)
        take_back(self._tables, conversation, 0)
        forget_contents(self._tables, conversation)
        return len(gone)


class FakeTurns(port.Turns):
    def __init__(self, tables: Tables, now: Callable[[], datetime]) -> None:
        self._tables = tables
        self._now = now

    async def begin(self, turn: NewTurn) -> Turn | None:
        if turn.interaction_id and await self.asked_by(turn.interaction_id):
            return None
        position = self._tables.positions.get(turn.conversation_id, 0) + 1
        self._tables.positions[turn.conversation_id] = position
        begun = Turn(
            id=turn.id,
            conversation_id=turn.conversation_id,
            position=position,
            author_id=turn.author_id,
            speaker=turn.speaker,
            prompt=turn.prompt,
            answer="",
            model=turn.model,
            finish=None,
            usage=None,
            created_at=self._now(),
            private=turn.private,
        )
        self._tables.turns[turn.id] = begun
        self._tables.begun[turn.id] = turn
        return begun

    async def finish(
        self, turn: NewTurn | Turn, *, answer: str, finish: Finish, usage: Usage | None
    ) -> bool:
        running = self._tables.turns.get(turn.id)
        if running is None:
            return False
        self._tables.turns[turn.id] = replace(running, answer=answer, finish=finish, usage=usage)
        return True

    async def checkpoint(self, checkpoints: Sequence[Checkpoint]) -> None:
        for each in checkpoints:
            running = self._tables.turns.get(each.turn_id)
            if running is not None and running.finish is None:
                self._tables.turns[each.turn_id] = replace(running, answer=each.answer)

    async def find(self, turn: TurnId) -> Turn | None:
        return self._tables.turns.get(turn)

    async def asked_by(self, interaction: InteractionId) -> Turn | None:
        for begun in self._tables.begun.values():
            if begun.interaction_id == interaction:
                return self._tables.turns[begun.id]
        return None

    async def newest(self, conversation: ConversationId, author: PersonId | None = None) -> int:
        found = [
            turn.position
            for turn in self._tables.turns.values()
            if turn.conversation_id == conversation
            and turn.finish is not None
            and turn.answer
            and author in {None, turn.author_id}
        ]
        return max(found, default=0)

    async def before(
        self,
        conversation: ConversationId,
        position: int | None,
        limit: int,
        *,
        reader: PersonId | None = None,
    ) -> Sequence[Turn]:
        found = [
            turn
            for turn in self._tables.turns.values()
            if turn.conversation_id == conversation
            and turn.finish is not None
            and turn.answer
            and (position is None or turn.position < position)
            and (not turn.private or turn.author_id == reader)
        ]
        return sorted(found, key=lambda turn: turn.position, reverse=True)[:limit]

    async def replace(self, old: TurnId, new: TurnId) -> bool:
        tables = self._tables
        left, newer = tables.turns.get(old), tables.turns.get(new)
        if left is None or newer is None or left.conversation_id != newer.conversation_id:
            return False
        for message, shown in tables.messages.items():
            if shown.turn == old:
                tables.messages[message] = replace(shown, turn=new)
        asked = tables.begun[old].interaction_id
        drop(tables, old)
        take_back(tables, left.conversation_id, left.position)
        tables.turns[new] = replace(newer, position=left.position)
        if asked is not None:
            tables.begun[new] = replace(tables.begun[new], interaction_id=asked)
        return True

    async def remove(self, turn: TurnId) -> bool:
        gone = self._tables.turns.get(turn)
        if gone is None:
            return False
        drop(self._tables, turn)
        take_back(self._tables, gone.conversation_id, gone.position)
        forget_contents(self._tables, gone.conversation_id, gone.created_at)
        return True


class FakeAnswerMessages(port.AnswerMessages):
    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def note(self, turn: TurnId, channel: ChannelId, messages: Sequence[MessageId]) -> None:
        if turn in self._tables.turns:
            for part, message in enumerate(messages):
                self._tables.messages[message] = AnswerMessage(channel, turn, part)

    async def of_turn(self, turn: TurnId) -> Sequence[tuple[ChannelId, MessageId]]:
        found = [(m.part, id_, m.channel) for id_, m in self._tables.messages.items()]
        of_it = [each for each in found if self._tables.messages[each[1]].turn == turn]
        return [(channel, message) for _, message, channel in sorted(of_it)]

    async def find(self, message: MessageId) -> TurnId | None:
        found = self._tables.messages.get(message)
        return found.turn if found else None


class FakeSummaries(port.Summaries):
    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def save(self, summary: Summary, revision: int) -> bool:
        if self._tables.revisions.get(summary.conversation_id, 0) != revision:
            return False
        self._tables.summaries[summary.conversation_id] = summary
        return True


class FakeChatChannels(port.ChatChannels):
    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def of_guild(self, guild: GuildId) -> frozenset[ChannelId]:
        return frozenset(c for c, of in self._tables.chat_channels.items() if of == guild)

    async def save(self, guild: GuildId, channels: frozenset[ChannelId]) -> None:
        for channel in await self.of_guild(guild):
            del self._tables.chat_channels[channel]
        for channel in channels:
            self._tables.chat_channels.setdefault(channel, guild)


def drop(tables: Tables, turn: TurnId) -> None:
    del tables.turns[turn], tables.begun[turn]
    tables.messages = {id_: m for id_, m in tables.messages.items() if m.turn != turn}


def take_back(tables: Tables, conversation: ConversationId, position: int) -> None:
    tables.revisions[conversation] = tables.revisions.get(conversation, 0) + 1
    summary = tables.summaries.get(conversation)
    if summary is not None and summary.upto_position >= position:
        del tables.summaries[conversation]


def forget_contents(
    tables: Tables, conversation: ConversationId, since: datetime | None = None
) -> None:
    forks = {id_ for id_, fork in tables.forks.items() if fork.conversation_id == conversation}
    for call in tables.calls.values():
        if call.start.conversation_id in {conversation, *forks} and (
            since is None or call.start.started_at >= since
        ):
            tables.calls[call.start.id] = call.without_contents()
