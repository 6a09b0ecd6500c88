"""What is deleted because its time is over."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Final

from companion.domain.errors import StorageError
from companion.ports.clock import Clock
from companion.ports.store import Store
from companion.services.background import BackgroundTasks
from companion.services.idempotency import IDEMPOTENT_FOR
from companion.services.membership import Membership

EVERY_S: Final = 3600.0
LONGEST_CALL: Final = timedelta(minutes=20)
"""No request to a provider lasts longer: one that seems to has lost its process."""
BUDGETS_KEPT: Final = timedelta(days=7)
"""How long a budget's sum stays after its period."""
LONGEST_HELD: Final = timedelta(minutes=15)
"""How long money is held for a reply: nothing takes longer, unless its process died."""
GIVE_BACK_EVERY_S: Final = 60.0
_NAME: Final = "retention"
_GIVING_BACK: Final = "giving back"
_log = logging.getLogger(__name__)


class RetentionSweeper:
    """Deletes what is past its date, and ends what dead processes left: log rows, held money."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        tasks: BackgroundTasks,
        membership: Membership,
        retention_days: int,
    ) -> None:
        self._store = store
        self._clock = clock
        self._tasks = tasks
        self._membership = membership
        self._keep = timedelta(days=retention_days)

    def start(self) -> None:
        """Sweep now and then every hour, in the background; once is enough."""
        if not self._tasks.runs(_NAME):
            self._tasks.start(_NAME, self._run())
            self._tasks.start(_GIVING_BACK, self._give_back_regularly())

    async def sweep(self) -> None:
        """Delete what is due; raises `StorageUnavailable`."""
        now = self._clock.now()
        async with self._store.write() as unit:
            lost = await unit.provider_log.close_lost(now - LONGEST_CALL, now)
            contents = await unit.provider_log.drop_contents_before(now - self._keep)
            keys = await unit.keys.remove_expired(now)
            await unit.idempotent_answers.drop_before(now - IDEMPOTENT_FOR)
            await unit.ledger.drop_before(now - BUDGETS_KEPT)
        servers = await self._membership.erase_due()
        _log.info(
            "swept",
            extra={"contents": contents, "keys": keys, "lost": lost, "servers": servers},
        )

    async def give_back(self) -> None:
        """Free the money that dead processes still hold; raises `StorageUnavailable`."""
        async with self._store.write() as unit:
            freed = await unit.ledger.give_back_before(self._clock.now() - LONGEST_HELD)
        if freed:
            _log.warning("held_money_given_back", extra={"reservations": freed})

    async def _give_back_regularly(self) -> None:
        while True:
            try:
                await self.give_back()
            except StorageError as error:
                _log.warning("money_not_given_back", extra={"reason": error.code})
            await self._clock.sleep(GIVE_BACK_EVERY_S)

    async def _run(self) -> None:
        while True:
            try:
                await self.sweep()
            except StorageError as error:
                _log.warning("not_swept", extra={"reason": error.code})
            await self._clock.sleep(EVERY_S)
