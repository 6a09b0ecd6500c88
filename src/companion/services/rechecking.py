"""Whether what was allowed still is, when a request's turn comes after a wait.

Meanwhile a key may have been removed, refused or replaced, and rights may have changed.
"""

from __future__ import annotations

from dataclasses import replace

from companion.domain.queue_errors import PayerChanged
from companion.ports.store import Store
from companion.services.access import AccessGate
from companion.services.job import Plan
from companion.services.payers import Payers, Paying


class Rechecking:
    """Looks again at who may ask and whose key pays."""

    def __init__(self, *, store: Store, gate: AccessGate, payers: Payers) -> None:
        self._store = store
        self._gate = gate
        self._payers = payers

    async def recheck(self, plan: Plan) -> Plan:
        """Return the plan with the key as it is now.

        Raises a `NotAllowed`, a `KeyUnavailable`, `PayerChanged`, or a `StorageError`.
        """
        job = plan.job
        self._gate.check(job.actor, job.place, job.door)
        async with self._store.read() as unit:
            person = await unit.people.find(job.actor)
            paying = await self._payers.choose(unit, job.actor, job.place, person)
        check_same_key(plan.paying, paying)
        return replace(plan, paying=paying)


def check_same_key(before: Paying, now: Paying) -> None:
    """Raise `PayerChanged` when another key would pay now: nobody agreed to that one."""
    old, new = before.credential, now.credential
    if (new.payer, new.fingerprint, new.base_url) != (old.payer, old.fingerprint, old.base_url):
        raise PayerChanged
