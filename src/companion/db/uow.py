"""The store: transactions, and the repositories within one."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime

from companion.db.canary import open_canary, touch
from companion.db.engine import POSTGRES_WORKING, Engines, open_engines
from companion.db.fingerprints import RingFingerprints
from companion.db.gate import Gate
from companion.db.grouped_writes import GroupedWrites
from companion.db.keyring import KeyRing
from companion.db.repositories.answer_messages import SqlAnswerMessages, SqlChatChannels
from companion.db.repositories.conversations import SqlConversations
from companion.db.repositories.idempotent_answers import SqlIdempotentAnswers
from companion.db.repositories.keys import SqlKeys
from companion.db.repositories.ledger import SqlLedger
from companion.db.repositories.people import SqlPeople
from companion.db.repositories.preferences import SqlPreferences
from companion.db.repositories.provider_log import SqlProviderLog
from companion.db.repositories.replies import SqlReplies
from companion.db.repositories.summaries import SqlSummaries
from companion.db.repositories.tokens import SqlTokens
from companion.db.repositories.turns import SqlTurns
from companion.db.statements import Statements
from companion.domain.errors import StorageUnavailable

log = logging.getLogger(__name__)


def utc_now() -> datetime:
    """Return the time of this machine."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlUnitOfWork:
    """All repositories within one transaction."""

    people: SqlPeople
    keys: SqlKeys
    conversations: SqlConversations
    turns: SqlTurns
    answer_messages: SqlAnswerMessages
    summaries: SqlSummaries
    chat_channels: SqlChatChannels
    preferences: SqlPreferences
    provider_log: SqlProviderLog
    tokens: SqlTokens
    idempotent_answers: SqlIdempotentAnswers
    ledger: SqlLedger
    replies: SqlReplies


class SqlStore:
    """The `Store` of one database, opened by `open_store`."""

    def __init__(
        self,
        engines: Engines,
        ring: KeyRing,
        fingerprints: RingFingerprints,
        now: Callable[[], datetime],
    ) -> None:
        self.fingerprints = fingerprints
        self._engines = engines
        on_sqlite = engines.writer.dialect.name == "sqlite"
        self._grouped = GroupedWrites(engines) if on_sqlite else None
        self._gate = None if on_sqlite else Gate(POSTGRES_WORKING)
        self._ring = ring
        self._now = now

    def read(self) -> AbstractAsyncContextManager[SqlUnitOfWork]:
        """Open a read-only unit of work, on one snapshot."""
        return self._begun(self._engines.reading())

    def write(self, *, first: bool = False) -> AbstractAsyncContextManager[SqlUnitOfWork]:
        """Open a writing unit of work; it commits at the end, or leaves nothing behind.

        On SQLite there is one writer at a time, whoever is `first` before the others:
        opening a second one within the first waits for itself.
        """
        return self._begun(self._writing(durable=True, first=first))

    def note(self) -> AbstractAsyncContextManager[SqlUnitOfWork]:
        """Open a writing unit of work for what only has to outlive the process."""
        return self._begun(self._writing(durable=False, first=True), first=True)

    @asynccontextmanager
    async def _begun(
        self, opening: AbstractAsyncContextManager[Statements], *, first: bool = False
    ) -> AsyncGenerator[SqlUnitOfWork]:
        gate = self._gate.passing(first=first) if self._gate else nullcontext()
        try:
            async with gate, opening as run:
                yield self._unit(run)
        except StorageUnavailable as error:
            # people read that our memory is away; whoever runs this has to read why
            log.warning("database_failed", extra={"reason": error.reason})
            raise

    async def ping(self) -> None:
        """Raise `StorageUnavailable` unless the database takes a write and keeps it."""
        async with self._engines.writing() as run:
            await touch(run)

    def _writing(self, *, durable: bool, first: bool) -> AbstractAsyncContextManager[Statements]:
        if self._grouped is not None:
            return self._grouped.part(durable=durable, first=first)
        return self._engines.writing(durable=durable)

    def _unit(self, run: Statements) -> SqlUnitOfWork:
        ring, now = self._ring, self._now
        return SqlUnitOfWork(
            people=SqlPeople(run, now),
            keys=SqlKeys(run, ring, self.fingerprints, now),
            conversations=SqlConversations(run, ring, now),
            turns=SqlTurns(run, ring, now),
            answer_messages=SqlAnswerMessages(run),
            summaries=SqlSummaries(run, ring, now),
            chat_channels=SqlChatChannels(run),
            preferences=SqlPreferences(run, ring, now),
            provider_log=SqlProviderLog(run, ring),
            tokens=SqlTokens(run),
            idempotent_answers=SqlIdempotentAnswers(run, ring),
            ledger=SqlLedger(run),
            replies=SqlReplies(run, ring),
        )


@asynccontextmanager
async def open_store(
    url: str, ring: KeyRing, *, now: Callable[[], datetime] = utc_now
) -> AsyncGenerator[SqlStore]:
    """Open the store of a migrated database.

    Raises `WrongKeyRing` when the ring is not the database's own (nothing is
    written then), `StorageUnavailable` when it does not answer or is not migrated,
    and `ConfigurationError` on a URL we cannot use.
    """
    async with open_engines(url) as engines:
        async with engines.writing() as run:
            fingerprints = await open_canary(run, ring, now())
        yield SqlStore(engines, ring, fingerprints, now)
