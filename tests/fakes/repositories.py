from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import uuid4

from companion.domain.accounts import KeepFor, KeyId, KeyOwner, KeyState, Preferences, StoredKey
from companion.domain.actor import Actor, GuildId, PersonId
from companion.domain.conversation import Finish, TurnId
from companion.domain.errors import KeyMissing
from companion.domain.models import Credential, Payer
from companion.domain.secrets import Secret
from companion.domain.usage import Micros, ModelUse, Usage
from companion.ports import store as port
from companion.ports.store import CallEnd, CallId, CallStart, CallStatus, Fingerprints, LoggedEnd
from tests.fakes.api_repositories import FakeIdempotentAnswers, FakeTokens
from tests.fakes.conversations import (
    FakeAnswerMessages,
    FakeChatChannels,
    FakeConversations,
    FakeSummaries,
    FakeTurns,
)
from tests.fakes.ledger import FakeLedger
from tests.fakes.replies import FakeReplies
from tests.fakes.servers import FakeServers
from tests.fakes.tables import LoggedCall, Tables


class FakePeople(port.People):
    def __init__(self, tables: Tables) -> None:
        self._people = tables.people

    async def find(self, actor: Actor) -> PersonId | None:
        return self._people.get(_identity(actor))

    async def ensure(self, actor: Actor) -> PersonId:
        return self._people.setdefault(_identity(actor), PersonId(uuid4()))


class FakeKeys(port.Keys):
    def __init__(
        self,
        tables: Tables,
        fingerprints: Fingerprints,
        now: Callable[[], datetime],
        open_seal: Callable[[KeyOwner], None],
    ) -> None:
        self._tables = tables
        self._fingerprints = fingerprints
        self._now = now
        self._open_seal = open_seal

    async def find(self, owner: KeyOwner) -> StoredKey | None:
        stored = self._tables.keys.get(owner.as_text())
        if stored is None or (stored.expires_at and stored.expires_at <= self._now()):
            return None
        return stored

    async def reveal(self, stored: StoredKey, payer: Payer) -> Credential:
        self._open_seal(stored.owner)
        key = self._tables.secrets.get(stored.id)
        if key is None:
            raise KeyMissing
        return Credential(
            key=key, base_url=stored.base_url, fingerprint=stored.fingerprint, payer=payer
        )

    async def save(
        self,
        owner: KeyOwner,
        key: Secret,
        *,
        base_url: str,
        state: KeyState,
        keep_for: KeepFor,
        now: datetime,
    ) -> StoredKey:
        if keep_for is KeepFor.SESSION:
            raise ValueError("a session's key is never written down")
        older = self._tables.keys.get(owner.as_text())
        await self.remove(owner)
        stored = StoredKey(
            id=KeyId(uuid4()),
            owner=owner,
            base_url=base_url,
            hint=key.hint(),
            fingerprint=self._fingerprints.of_key(key),
            state=state,
            keep_for=keep_for,
            saved_at=now,
            expires_at=now + keep_for.lifetime if keep_for.lifetime else None,
            no_credit_until=None,
            version=older.version + 1 if older else 1,
        )
        self._tables.keys[owner.as_text()] = stored
        self._tables.secrets[stored.id] = key
        return stored

    async def mark(
        self, stored: StoredKey, state: KeyState, *, no_credit_until: datetime | None = None
    ) -> bool:
        current = self._tables.keys.get(stored.owner.as_text())
        if current is None or (current.id, current.version) != (stored.id, stored.version):
            return False
        self._tables.keys[stored.owner.as_text()] = replace(
            current, state=state, no_credit_until=no_credit_until, version=current.version + 1
        )
        return True

    async def remove(self, owner: KeyOwner) -> bool:
        stored = self._tables.keys.pop(owner.as_text(), None)
        if stored is None:
            return False
        del self._tables.secrets[stored.id]
        return True

    async def remove_expired(self, now: datetime) -> int:
        expired = [k for k in self._tables.keys.values() if k.expires_at and k.expires_at <= now]
        for key in expired:
            await self.remove(key.owner)
        return len(expired)


class FakePreferences(port.PreferenceStore):
    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def of_person(self, person: PersonId) -> Preferences:
        return self._tables.of_person.get(person, Preferences())

    async def of_guild(self, guild: GuildId) -> Preferences:
        return self._tables.of_guild.get(guild, Preferences())

    async def save_person(self, person: PersonId, preferences: Preferences) -> None:
        self._tables.of_person[person] = preferences

    async def save_guild(self, guild: GuildId, preferences: Preferences) -> None:
        self._tables.of_guild[guild] = preferences

    async def remove_guild(self, guild: GuildId) -> None:
        self._tables.of_guild.pop(guild, None)


class FakeProviderLog(port.ProviderLog):
    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def start(self, call: CallStart) -> None:
        keeps = call.turn_id is None or call.turn_id in self._tables.turns
        assert call.id not in self._tables.calls
        self._tables.calls[call.id] = LoggedCall(
            start=call,
            end=None,
            keeps_contents=keeps,
            request=call.request_text if keeps else None,
        )

    async def end(self, call: CallId, end: CallEnd) -> None:
        logged = self._tables.calls.get(call)
        if logged is not None and logged.end is None:
            response = end.response_text if logged.keeps_contents else None
            self._tables.calls[call] = replace(logged, end=end, response=response)

    async def start_all(self, calls: Sequence[CallStart]) -> None:
        for call in calls:
            await self.start(call)

    async def end_all(self, ends: Sequence[LoggedEnd]) -> None:
        for logged in ends:
            await self.end(logged.call, logged.end)

    async def close_lost(self, started_before: datetime, now: datetime) -> int:
        lost = [
            call
            for call in self._tables.calls.values()
            if call.end is None and call.start.started_at < started_before
        ]
        end = CallEnd(status=CallStatus.CUT, ended_at=now, latency_ms=0, error_code=port.LOST)
        for call in lost:
            self._tables.calls[call.start.id] = replace(call, end=end)
        return len(lost)

    async def close_turn(
        self, turn: TurnId, now: datetime, usage: Usage, cost_micros: Micros | None
    ) -> int:
        lost = [c for c in self._tables.calls.values() if c.start.turn_id == turn and not c.end]
        end = CallEnd(
            status=CallStatus.CUT,
            ended_at=now,
            latency_ms=0,
            usage=usage,
            cost_micros=cost_micros,
            finish=Finish.INTERRUPTED,
            error_code=port.LOST,
        )
        for call in lost:
            self._tables.calls[call.start.id] = replace(call, end=end)
        return len(lost)

    async def used(
        self, since: datetime, *, person: PersonId | None = None, guild: GuildId | None = None
    ) -> Sequence[ModelUse]:
        by_model: dict[str, list[CallEnd]] = {}
        for call in self._tables.calls.values():
            whose = call.start.person_id == person if person else call.start.guild_id == guild
            if whose and call.start.started_at >= since and call.end and call.end.usage:
                by_model.setdefault(call.start.model, []).append(call.end)
        found = [
            ModelUse(
                model=model,
                requests=len(ends),
                tokens=sum(end.usage.total_tokens for end in ends if end.usage),
                cost_micros=Micros(sum(end.cost_micros or 0 for end in ends)),
                estimated=sum(end.usage.estimated for end in ends if end.usage),
                unpriced=sum(end.cost_micros is None for end in ends),
            )
            for model, ends in by_model.items()
        ]
        return sorted(found, key=lambda use: (-use.cost_micros, -use.requests, use.model))

    async def drop_contents_before(self, moment: datetime) -> int:
        old = [
            call
            for call in self._tables.calls.values()
            if call.start.started_at < moment
            and (call.request is not None or call.response is not None)
        ]
        for call in old:
            self._tables.calls[call.start.id] = replace(call, request=None, response=None)
        return len(old)

    async def drop_contents_of(self, guild: GuildId, until: datetime) -> None:
        for call in self._tables.calls.values():
            if call.start.guild_id == guild and call.start.started_at <= until:
                self._tables.calls[call.start.id] = call.without_contents()


class FakeUnitOfWork(port.UnitOfWork):
    def __init__(
        self,
        tables: Tables,
        fingerprints: Fingerprints,
        now: Callable[[], datetime],
        open_seal: Callable[[KeyOwner], None],
    ) -> None:
        self._people = FakePeople(tables)
        self._keys = FakeKeys(tables, fingerprints, now, open_seal)
        self._conversations = FakeConversations(tables)
        self._turns = FakeTurns(tables, now)
        self._answer_messages = FakeAnswerMessages(tables)
        self._summaries = FakeSummaries(tables)
        self._chat_channels = FakeChatChannels(tables)
        self._preferences = FakePreferences(tables)
        self._provider_log = FakeProviderLog(tables)
        self._tokens = FakeTokens(tables)
        self._idempotent_answers = FakeIdempotentAnswers(tables)
        self._ledger = FakeLedger(tables)
        self._replies = FakeReplies(tables)
        self._servers = FakeServers(tables)

    @property
    def people(self) -> FakePeople:
        return self._people

    @property
    def keys(self) -> FakeKeys:
        return self._keys

    @property
    def conversations(self) -> FakeConversations:
        return self._conversations

    @property
    def turns(self) -> FakeTurns:
        return self._turns

    @property
    def answer_messages(self) -> FakeAnswerMessages:
        return self._answer_messages

    @property
    def summaries(self) -> FakeSummaries:
        return self._summaries

    @property
    def chat_channels(self) -> FakeChatChannels:
        return self._chat_channels

    @property
    def preferences(self) -> FakePreferences:
        return self._preferences

    @property
    def provider_log(self) -> FakeProviderLog:
        return self._provider_log

    @property
    def tokens(self) -> FakeTokens:
        return self._tokens

    @property
    def idempotent_answers(self) -> FakeIdempotentAnswers:
        return self._idempotent_answers

    @property
    def ledger(self) -> FakeLedger:
        return self._ledger

    @property
    def replies(self) -> FakeReplies:
        return self._replies

    @property
    def servers(self) -> FakeServers:
        return self._servers


def _identity(actor: Actor) -> str:
    return (
        f"discord:{actor.discord_id}" if actor.discord_id is not None else f"http:{actor.http_id}"
    )
