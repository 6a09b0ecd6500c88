"""Where a turn belongs: a person's conversation in a place, a thread's, or a branch of one.

A conversation is gone on with in the place it was held, and nowhere else. What another
person said to the app in the same channel is theirs; of it, only the very answer that
someone replies to is shown to the model.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import uuid4

from companion.domain.actor import Actor, MessageId, PersonId, Place, PlaceKind
from companion.domain.conversation import (
    Conversation,
    ConversationId,
    ConversationKey,
    Fork,
    Turn,
    TurnId,
)
from companion.domain.errors import NotYours, TurnGone
from companion.ports.store import UnitOfWork
from companion.services.access import may_moderate


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """Where a turn goes, and what is read before it.

    Without a `conversation` it is the one of the place, which may not be there yet. A
    `fork` begins a branch of `conversation`. `before` bounds what is read. `quoted` is
    somebody else's answer that was replied to.
    """

    conversation: ConversationId | None = None
    shared: bool = False
    fork: Fork | None = None
    before: int | None = None
    quoted: str = ""


def conversation_key(place: Place, owner: PersonId) -> ConversationKey:
    """Return what makes requests of that person in that place one conversation."""
    shared = is_shared(place)
    return ConversationKey(
        channel_id=place.channel_id, owner_id=None if shared else owner, guild_id=place.guild_id
    )


def is_shared(place: Place) -> bool:
    """Say whether everyone in a place talks in one conversation: a thread is one."""
    return place.kind is PlaceKind.THREAD


async def own_turn(
    unit: UnitOfWork, turn_id: TurnId, actor: Actor, place: Place, person: PersonId | None
) -> tuple[Turn, Conversation]:
    """Return a turn that the actor may change here; raises `TurnGone` or `NotYours`.

    Its author may, and who moderates there, unless the answer was for the author only.
    """
    turn = await unit.turns.find(turn_id)
    if turn is None:
        raise TurnGone
    moderates = may_moderate(actor, place.guild_id) and not turn.private
    if turn.author_id != person and not moderates:
        raise NotYours
    conversation = await unit.conversations.get(turn.conversation_id)
    if conversation is None or not _is_here(conversation, place):
        raise TurnGone
    return turn, conversation


async def home_of_reply(
    unit: UnitOfWork, replied_to: MessageId | None, place: Place, person: PersonId | None
) -> Home:
    """Return where something newly asked goes: on from the answer replied to, or the place's."""
    turn = await _answer(unit, replied_to)
    conversation = turn and await unit.conversations.get(turn.conversation_id)
    if turn is None or conversation is None or not _is_here(conversation, place):
        return await _home_of_place(unit, place, person)
    if conversation.owner_id not in {person, None}:
        quoted = "" if turn.private else turn.answer
        return await _home_of_place(unit, place, person, quoted)
    shared = conversation.owner_id is None
    if await unit.turns.newest(conversation.id) == turn.position:
        return Home(conversation=conversation.id, shared=shared)
    return Home(
        conversation=conversation.id,
        shared=shared,
        fork=Fork(conversation_id=conversation.id, position=turn.position),
        before=turn.position + 1,
    )


async def move_in(unit: UnitOfWork, home: Home, place: Place, author: PersonId) -> ConversationId:
    """Return the conversation that a turn of that person is stored in, creating it if need be."""
    if home.fork is not None:
        owner = None if home.shared else author
        branch = ConversationKey(
            channel_id=place.channel_id, owner_id=owner, guild_id=place.guild_id, branch=uuid4()
        )
        return await unit.conversations.ensure(branch, home.fork)
    if home.conversation is not None:
        return home.conversation
    return await unit.conversations.ensure(conversation_key(place, author))


async def _home_of_place(
    unit: UnitOfWork, place: Place, person: PersonId | None, quoted: str = ""
) -> Home:
    shared = is_shared(place)
    if person is None and not shared:
        return Home(quoted=quoted)
    owner = person or PersonId(uuid4())  # in a thread the key names nobody
    found = await unit.conversations.find(conversation_key(place, owner))
    return Home(conversation=found, shared=shared, quoted=quoted)


async def _answer(unit: UnitOfWork, message: MessageId | None) -> Turn | None:
    found = None if message is None else await unit.answer_messages.find(message)
    return None if found is None else await unit.turns.find(found)


def _is_here(conversation: Conversation, place: Place) -> bool:
    return conversation.channel_id == place.channel_id
