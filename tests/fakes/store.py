"""A store in memory, with real transactions: one writer at a time, all or nothing."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime

from companion.domain.accounts import KeyOwner
from companion.domain.actor import PersonId
from companion.domain.errors import SealError, StorageUnavailable
from companion.domain.models import KeyFingerprint
from companion.domain.secrets import Secret
from companion.ports.store import Fingerprints, Store
from tests.fakes.repositories import FakeUnitOfWork
from tests.fakes.tables import Tables


class FakeFingerprints(Fingerprints):
    def of_key(self, key: Secret) -> KeyFingerprint:
        return KeyFingerprint(hashlib.sha256(key.reveal().encode()).hexdigest()[:16])

    def of_token(self, text: Secret) -> str:
        return hashlib.sha256(text.reveal().encode()).hexdigest()

    def of_request(self, data: bytes) -> str:
        return hashlib.sha256(data).hexdigest()

    def safety_id(self, person: PersonId) -> str:
        return hashlib.sha256(person.bytes).hexdigest()[:32]


class FakeStore(Store):
    """Keeps what was committed in `tables`."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.tables = Tables()
        self.down = False
        """Whether nothing can be read or written."""
        self.failing_commits = 0
        """How many of the next commits fail."""
        self.unreadable: set[KeyOwner] = set()
        """Whose keys do not decrypt."""
        self.writes = 0
        self.in_transaction = 0
        self.reads = 0
        self._now = now
        self._writer = asyncio.Lock()

    @property
    def fingerprints(self) -> FakeFingerprints:
        return FakeFingerprints()

    @asynccontextmanager
    async def read(self) -> AsyncGenerator[FakeUnitOfWork]:
        await self._reach()
        self.reads += 1
        self.in_transaction += 1
        try:
            yield self._unit(self.tables.copied())
        finally:
            self.in_transaction -= 1

    @asynccontextmanager
    async def write(self, *, first: bool = False) -> AsyncGenerator[FakeUnitOfWork]:
        async with self._writer:
            await self._reach()
            changed = self.tables.copied()
            self.in_transaction += 1
            try:
                yield self._unit(changed)
                await self._reach()
            finally:
                self.in_transaction -= 1
            if self.failing_commits:
                self.failing_commits -= 1
                raise StorageUnavailable
            self.tables = changed
            self.writes += 1
            await asyncio.sleep(0)

    def note(self) -> AbstractAsyncContextManager[FakeUnitOfWork]:
        return self.write()

    async def ping(self) -> None:
        await self._reach()

    def person(self, identity: str) -> PersonId:
        """Return the id of someone met, by `discord:1` or `http:x`."""
        return self.tables.people[identity]

    async def _reach(self) -> None:
        await asyncio.sleep(0)
        if self.down:
            raise StorageUnavailable

    def _unit(self, tables: Tables) -> FakeUnitOfWork:
        return FakeUnitOfWork(tables, self.fingerprints, self._now, self._refuse_unreadable)

    def _refuse_unreadable(self, owner: KeyOwner) -> None:
        if owner in self.unreadable:
            raise SealError
