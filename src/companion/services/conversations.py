"""Forgetting what was said."""

from __future__ import annotations

from companion.domain.actor import Actor, Place
from companion.ports.store import Store
from companion.services.access import AccessGate, Purpose
from companion.services.planning import conversation_key


class ConversationsService:
    """A person's own conversations. A reply that runs meanwhile is not stored afterwards."""

    def __init__(self, *, store: Store, gate: AccessGate) -> None:
        self._store = store
        self._gate = gate

    async def clear_here(self, actor: Actor, place: Place) -> int:
        """Forget the actor's conversation in this place; return how many turns it had."""
        self._gate.check(actor, place, None, Purpose.OWN_DATA)
        async with self._store.write() as unit:
            person = await unit.people.find(actor)
            if person is None:
                return 0
            conversation = await unit.conversations.find(conversation_key(place, person))
            return 0 if conversation is None else await unit.conversations.clear(conversation)

    async def clear_everywhere(self, actor: Actor) -> int:
        """Forget all of the actor's conversations; return how many turns they had."""
        async with self._store.write() as unit:
            person = await unit.people.find(actor)
            if person is None:
                return 0
            conversations = await unit.conversations.of_person(person)
            return sum([await unit.conversations.clear(each) for each in conversations])
