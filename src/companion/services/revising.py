"""Which turn an edited message asked for."""

from __future__ import annotations

from companion.domain.actor import Actor, InteractionId, MessageId, Place
from companion.domain.conversation import TurnId
from companion.domain.errors import NotYours, TurnGone
from companion.ports.store import Store
from companion.services.access import AccessGate
from companion.services.homes import own_turn


class Revising:
    """Finds the turn that a person may change by editing their message."""

    def __init__(self, *, store: Store, gate: AccessGate) -> None:
        self._store = store
        self._gate = gate

    async def own_last(self, message_id: MessageId, actor: Actor, place: Place) -> TurnId:
        """Return the turn of the actor's own last message here.

        Raises `TurnGone`, or `NotYours` when it is not theirs or not their last.
        """
        self._gate.check(actor, place, None)
        async with self._store.read() as unit:
            person = await unit.people.find(actor)
            asked = await unit.turns.asked_by(InteractionId(message_id))
            if asked is None:
                raise TurnGone
            turn, conversation = await own_turn(unit, asked.id, actor, place, person)
            # who manages the server may have answers anew, but speaks for nobody
            if turn.author_id != person:
                raise NotYours
            if await unit.turns.newest(conversation.id, person) > turn.position:
                raise NotYours
        return turn.id
