"""Forgetting what was said, moving it to a thread, and knowing where it is shown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from companion.domain.actor import (
    Actor,
    ChannelId,
    InteractionId,
    MessageId,
    PersonId,
    Place,
    PlaceKind,
)
from companion.domain.conversation import ConversationKey, Fork, TurnId
from companion.domain.errors import NotAllowed
from companion.ports.store import Store, UnitOfWork
from companion.services.access import AccessGate, Purpose, may_manage
from companion.services.homes import is_shared, own_turn

Messages = list[tuple[ChannelId, MessageId]]
"""Discord messages, each with its channel."""


class ConversationsService:
    """Conversations as people see them. A reply that runs meanwhile is not stored afterwards."""

    def __init__(self, *, store: Store, gate: AccessGate) -> None:
        self._store = store
        self._gate = gate

    async def clear_here(self, actor: Actor, place: Place) -> int:
        """Forget the actor's conversations in this place; return how many turns they had.

        In a thread who manages the server, or moved the conversation there, forgets all of
        it; everyone else forgets what they said themselves.
        """
        self._gate.check(actor, place, None, Purpose.OWN_DATA)
        async with self._store.write() as unit:
            person = await unit.people.find(actor)
            gone = await _clear_thread(unit, actor, place, person) if is_shared(place) else 0
            if person is None:
                return gone
            own = await unit.conversations.of_person_in(person, place.channel_id)
            return gone + sum([await unit.conversations.clear(each) for each in own])

    async def clear_everywhere(self, actor: Actor) -> int:
        """Forget all that the actor said anywhere; return how many turns."""
        async with self._store.write() as unit:
            person = await unit.people.find(actor)
            if person is None:
                return 0
            own = await unit.conversations.of_person(person)
            gone = sum([await unit.conversations.clear(each) for each in own])
            shared = await unit.conversations.shared_with(person)
            return gone + sum([await unit.conversations.clear_of(each, person) for each in shared])

    async def check_own(self, turn_id: TurnId, actor: Actor, place: Place) -> None:
        """Raise `NotYours` or `TurnGone` unless the actor may do things with this turn here."""
        self._gate.check(actor, place, None)
        async with self._store.read() as unit:
            await own_turn(unit, turn_id, actor, place, await unit.people.find(actor))

    async def move_to_thread(
        self, turn_id: TurnId, *, actor: Actor, place: Place, thread_id: ChannelId
    ) -> None:
        """Let a thread go on from a turn: it knows what came before, private turns left out.

        Raises `NotYours`, `TurnGone`, or `NotAllowed` outside of a server's channels.
        """
        self._gate.check(actor, place, None)
        if place.kind is not PlaceKind.CHANNEL:
            raise NotAllowed
        async with self._store.write() as unit:
            person = await unit.people.find(actor)
            turn, conversation = await own_turn(unit, turn_id, actor, place, person)
            thread = ConversationKey(channel_id=thread_id, owner_id=None, guild_id=place.guild_id)
            fork = Fork(conversation_id=conversation.id, position=turn.position)
            await unit.conversations.ensure(thread, fork, started_by=turn.author_id)

    async def note_answer(
        self, turn_id: TurnId, channel_id: ChannelId, message_ids: Iterable[MessageId]
    ) -> None:
        """Note which messages show a turn's answer, in order; nothing when the turn is gone."""
        async with self._store.write() as unit:
            await unit.answer_messages.note(turn_id, channel_id, list(message_ids))

    async def answers_to(self, message_id: MessageId) -> TurnId | None:
        """Return the turn whose answer a message shows; `None` when it shows none of ours."""
        async with self._store.read() as unit:
            return await unit.answer_messages.find(message_id)

    async def answer_messages(self, turn_id: TurnId) -> Messages:
        """Return the messages that show a turn's answer, in order."""
        async with self._store.read() as unit:
            return list(await unit.answer_messages.of_turn(turn_id))

    async def answers_below(self, message_id: MessageId) -> Messages:
        """Return the messages that show the answer to what a message asked, in order."""
        async with self._store.read() as unit:
            turn = await unit.turns.asked_by(InteractionId(message_id))
            return [] if turn is None else list(await unit.answer_messages.of_turn(turn.id))

    async def remove_turn(self, turn_id: TurnId, actor: Actor, place: Place) -> Messages:
        """Forget a turn; return the messages to delete. Raises `NotYours` or `TurnGone`."""
        self._gate.check(actor, place, None, Purpose.OWN_DATA)
        async with self._store.write() as unit:
            person = await unit.people.find(actor)
            turn, _ = await own_turn(unit, turn_id, actor, place, person)
            return await _remove(unit, turn.id)

    async def forget_message(self, message_id: MessageId, author: Actor | None = None) -> Messages:
        """Forget what a message asked, since it was deleted; return the answers to delete.

        With an `author` only when it is theirs. Discord does not say who deleted a
        message, nor whose it was: `None` is anybody.
        """
        asked = InteractionId(message_id)
        async with self._store.read() as unit:
            # nearly all messages that are deleted anywhere asked for nothing
            if await unit.turns.asked_by(asked) is None:
                return []
        async with self._store.write() as unit:
            turn = await unit.turns.asked_by(asked)
            if turn is None:
                return []
            if author is not None and await unit.people.find(author) != turn.author_id:
                return []
            return await _remove(unit, turn.id)


async def _clear_thread(
    unit: UnitOfWork, actor: Actor, place: Place, person: PersonId | None
) -> int:
    assert place.channel_id is not None  # the gate knows no thread without
    shared = await unit.conversations.shared_in(place.channel_id)
    if may_manage(actor, place.guild_id) or await _started(unit, place.channel_id, person):
        return sum([await unit.conversations.clear(each) for each in shared])
    if person is None:
        return 0
    return sum([await unit.conversations.clear_of(each, person) for each in shared])


async def _started(unit: UnitOfWork, thread: ChannelId, person: PersonId | None) -> bool:
    found = await unit.conversations.find(ConversationKey(channel_id=thread, owner_id=None))
    conversation = found and await unit.conversations.get(found)
    return bool(conversation and person and conversation.started_by == person)


async def _remove(unit: UnitOfWork, turn: TurnId) -> Messages:
    messages: Sequence[tuple[ChannelId, MessageId]] = await unit.answer_messages.of_turn(turn)
    await unit.turns.remove(turn)
    return list(messages)
