"""The store: transactions, and the repositories within one."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
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
from companion.db.repositories.servers import SqlServers
from companion.db.repositories.summaries import SqlSummaries
from companion.db.repositories.tokens import SqlTokens
from companion.db.repositories.turns import SqlTurns
from companion.db.statements import Statements
from companion.domain.errors import StorageUnavailable

log = logging.getLogger(__name__)


def utc_now() -> datetime:
    """Return the time of this machine."""
    return datetime.now(UTC)


class SqlUnitOfWork:
    """All repositories within one transaction, each made when it is asked for."""

    def __init__(
        self,
        run: Statements,
        ring: KeyRing,
        fingerprints: RingFingerprints,
        now: Callable[[], datetime],
    ) -> None:
        self._run = run
        self._ring = ring
        self._fingerprints = fingerprints
        self._now = now

    @property
    def people(self) -> SqlPeople:
        """Everyone we have met."""
        return SqlPeople(self._run, self._now)

    @property
    def keys(self) -> SqlKeys:
        """People's and servers' keys."""
        return SqlKeys(self._run, self._ring, self._fingerprints, self._now)

    @property
    def conversations(self) -> SqlConversations:
        """Conversations."""
        return SqlConversations(self._run, self._ring, self._now)

    @property
    def turns(self) -> SqlTurns:
        """Questions and their answers."""
        return SqlTurns(self._run, self._ring, self._now)

    @property
    def answer_messages(self) -> SqlAnswerMessages:
        """Which message shows which answer."""
        return SqlAnswerMessages(self._run)

    @property
    def summaries(self) -> SqlSummaries:
        """What is kept of long conversations."""
        return SqlSummaries(self._run, self._ring, self._now)

    @property
    def chat_channels(self) -> SqlChatChannels:
        """Where every message is a question."""
        return SqlChatChannels(self._run)

    @property
    def preferences(self) -> SqlPreferences:
        """Choices of people and servers."""
        return SqlPreferences(self._run, self._ring, self._now)

    @property
    def provider_log(self) -> SqlProviderLog:
        """What was asked of providers."""
        return SqlProviderLog(self._run, self._ring)

    @property
    def tokens(self) -> SqlTokens:
        """Tokens of the HTTP API."""
        return SqlTokens(self._run)

    @property
    def idempotent_answers(self) -> SqlIdempotentAnswers:
        """Answers that are given again to the same request."""
        return SqlIdempotentAnswers(self._run, self._ring)

    @property
    def ledger(self) -> SqlLedger:
        """Budgets, and what is held of them."""
        return SqlLedger(self._run)

    @property
    def replies(self) -> SqlReplies:
        """Answers under way."""
        return SqlReplies(self._run, self._ring)

    @property
    def servers(self) -> SqlServers:
        """Where the app is, and was."""
        return SqlServers(self._run)


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
                yield SqlUnitOfWork(run, self._ring, self.fingerprints, self._now)
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
