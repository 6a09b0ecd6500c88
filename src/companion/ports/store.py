"""Storage, as the services see it: repositories behind a unit of work.

A `write()` block is one transaction: it commits when the block ends, and rolls
back on an exception or cancellation. No block is held open across a model call.
Adapters raise `StorageUnavailable` when the database does not answer, and a
`SealError` when a sealed value does not open.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, NewType, Protocol
from uuid import UUID

from companion.domain.accounts import (
    KeepFor,
    KeyOwner,
    KeyState,
    Preferences,
    StoredKey,
)
from companion.domain.actor import Actor, ChannelId, Door, GuildId, PersonId
from companion.domain.conversation import ConversationId, Finish, TurnId
from companion.domain.models import Credential, KeyFingerprint, ModelId, Payer
from companion.domain.secrets import Secret
from companion.domain.usage import Micros, ModelUse, Usage
from companion.ports.conversations import (
    AnswerMessages,
    ChatChannels,
    Conversations,
    Summaries,
    Turns,
)
from companion.ports.idempotency import IdempotentAnswers
from companion.ports.ledger import Ledger
from companion.ports.replies import Replies
from companion.ports.servers import Servers
from companion.ports.tokens import Tokens

CallId = NewType("CallId", UUID)


class People(Protocol):
    """Everyone we have met."""

    async def find(self, actor: Actor) -> PersonId | None:
        """Return the id of that actor's person, if we met them."""
        ...

    async def ensure(self, actor: Actor) -> PersonId:
        """Return the id of that actor's person, creating the row at the first meeting."""
        ...


class Keys(Protocol):
    """Provider keys, sealed. One key per owner; saving again replaces it."""

    async def find(self, owner: KeyOwner) -> StoredKey | None:
        """Return what is stored for that owner, without the key; expired keys are not there."""
        ...

    async def reveal(self, stored: StoredKey, payer: Payer) -> Credential:
        """Decrypt a stored key. Raises `SealError` when it does not open."""
        ...

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
        """Store the owner's key, sealed for this owner and endpoint, replacing any older one."""
        ...

    async def mark(
        self, stored: StoredKey, state: KeyState, *, no_credit_until: datetime | None = None
    ) -> bool:
        """Note what was learned of a key; false when it was replaced meanwhile (by `version`)."""
        ...

    async def remove(self, owner: KeyOwner) -> bool:
        """Delete the owner's key; false when there was none."""
        ...

    async def remove_expired(self, now: datetime) -> int:
        """Delete all keys past their date; return how many."""
        ...


class PreferenceStore(Protocol):
    """Choices of people and servers."""

    async def of_person(self, person: PersonId) -> Preferences:
        """Return a person's choices."""
        ...

    async def of_guild(self, guild: GuildId) -> Preferences:
        """Return a server's choices."""
        ...

    async def save_person(self, person: PersonId, preferences: Preferences) -> None:
        """Replace a person's choices."""
        ...

    async def save_guild(self, guild: GuildId, preferences: Preferences) -> None:
        """Replace a server's choices."""
        ...

    async def remove_guild(self, guild: GuildId) -> None:
        """Delete a server's choices."""
        ...


class CallStatus(StrEnum):
    """How a provider request ended."""

    RUNNING = "running"
    OK = "ok"
    CUT = "cut"
    STOPPED = "stopped"
    FAILED = "failed"


LOST: Final = "lost"
"""The error code of a request whose process died before it could write the end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallStart:
    """The start row of a provider request."""

    id: CallId
    turn_id: TurnId | None
    conversation_id: ConversationId | None
    person_id: PersonId
    guild_id: GuildId | None
    channel_id: ChannelId | None
    door: Door
    endpoint: str
    model: ModelId
    payer: Payer
    fingerprint: KeyFingerprint
    started_at: datetime
    request_text: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallEnd:
    """The end of a provider request. `first_token_ms` and `latency_ms` are milliseconds."""

    status: CallStatus
    ended_at: datetime
    latency_ms: int
    first_token_ms: int | None = None
    usage: Usage | None = None
    cost_micros: Micros | None = None
    finish: Finish | None = None
    error_code: str | None = None
    http_status: int | None = None
    request_id: str | None = None
    response_text: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedEnd:
    """The end of one of many requests, and whose it is."""

    call: CallId
    person: PersonId
    end: CallEnd


class ProviderLog(Protocol):
    """One row per request to a provider; contents are sealed and kept while retention lasts."""

    async def start(self, call: CallStart) -> None:
        """Write the start row, before the request goes out."""
        ...

    async def end(self, call: CallId, end: CallEnd) -> None:
        """Complete the row; a row that is already complete stays as it is."""
        ...

    async def start_all(self, calls: Sequence[CallStart]) -> None:
        """Write the start rows of many requests: of none, or of turns begun just now."""
        ...

    async def end_all(self, ends: Sequence[LoggedEnd]) -> None:
        """Complete many rows, each as `end` does."""
        ...

    async def close_lost(self, started_before: datetime, now: datetime) -> int:
        """Complete rows of requests that began before then and whose process died; how many."""
        ...

    async def close_turn(
        self, turn: TurnId, now: datetime, usage: Usage, cost_micros: Micros | None
    ) -> int:
        """Complete rows of a turn whose process died; return how many."""
        ...

    async def used(
        self, since: datetime, *, person: PersonId | None = None, guild: GuildId | None = None
    ) -> Sequence[ModelUse]:
        """Return what that person or server used since then, by model, most expensive first."""
        ...

    async def drop_contents_before(self, moment: datetime) -> int:
        """Delete contents older than `moment`; return how many rows lost theirs."""
        ...

    async def drop_contents_of(self, guild: GuildId, until: datetime) -> None:
        """Delete the contents of what was asked in a server up to then; none come any more."""
        ...


class UnitOfWork(Protocol):
    """All repositories within one transaction."""

    @property
    def people(self) -> People:
        """Everyone we have met."""
        ...

    @property
    def keys(self) -> Keys:
        """Provider keys."""
        ...

    @property
    def conversations(self) -> Conversations:
        """Conversations."""
        ...

    @property
    def turns(self) -> Turns:
        """Turns."""
        ...

    @property
    def answer_messages(self) -> AnswerMessages:
        """Discord messages that show answers."""
        ...

    @property
    def summaries(self) -> Summaries:
        """Summaries of conversations."""
        ...

    @property
    def chat_channels(self) -> ChatChannels:
        """Channels where every message is a question."""
        ...

    @property
    def preferences(self) -> PreferenceStore:
        """Choices of people and servers."""
        ...

    @property
    def provider_log(self) -> ProviderLog:
        """Requests to providers."""
        ...

    @property
    def tokens(self) -> Tokens:
        """Tokens of the HTTP API."""
        ...

    @property
    def idempotent_answers(self) -> IdempotentAnswers:
        """Answers of the HTTP API under an idempotency key."""
        ...

    @property
    def ledger(self) -> Ledger:
        """Budgets."""
        ...

    @property
    def replies(self) -> Replies:
        """Replies on their way to Discord."""
        ...

    @property
    def servers(self) -> Servers:
        """Which servers the app is in."""
        ...


class Store(Protocol):
    """Opens units of work."""

    @property
    def fingerprints(self) -> Fingerprints:
        """Keyed hashes, of the same ring that seals what is stored."""
        ...

    def read(self) -> AbstractAsyncContextManager[UnitOfWork]:
        """Open a read-only unit of work."""
        ...

    def write(self, *, first: bool = False) -> AbstractAsyncContextManager[UnitOfWork]:
        """Open a writing unit of work: on SQLite `BEGIN IMMEDIATE`, so it never fails half-way.

        Where writes wait in a line, `first` goes before the others: for few, and briefly.
        """
        ...

    def note(self) -> AbstractAsyncContextManager[UnitOfWork]:
        """Open a writing unit of work for what only has to outlive the process.

        Much faster on SQLite, whose file is not forced to disk: a loss of power may take it.
        """
        ...

    async def ping(self) -> None:
        """Raise `StorageUnavailable` unless the database can be written to."""
        ...


class Fingerprints(Protocol):
    """Keyed hashes, each under its own purpose."""

    def of_key(self, key: Secret) -> KeyFingerprint:
        """Return the fingerprint of a provider key."""
        ...

    def safety_id(self, person: PersonId) -> str:
        """Return the 32-character id of a person that providers may see."""
        ...

    def of_token(self, text: Secret) -> str:
        """Return the keyed hash of a token's whole text: 64 hexadecimal characters."""
        ...

    def of_request(self, data: bytes) -> str:
        """Return the keyed hash of what a client sent: 64 hexadecimal characters."""
        ...
