"""Values to store, with what a test does not care about filled in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count
from uuid import UUID, uuid4

from companion.domain.actor import (
    Actor,
    ChannelId,
    DiscordUserId,
    Door,
    GuildId,
    InteractionId,
    MessageId,
    PersonId,
    Place,
    PlaceKind,
)
from companion.domain.conversation import (
    ConversationId,
    ConversationKey,
    Finish,
    NewTurn,
    Turn,
    TurnId,
)
from companion.domain.delivery import Delivery, ReplyId, Terms
from companion.domain.models import KeyFingerprint, ModelId, Payer
from companion.domain.secrets import Secret
from companion.domain.tokens import ApiToken, TokenId
from companion.domain.usage import Usage
from companion.ports.idempotency import IdempotencyId
from companion.ports.store import CallEnd, CallId, CallStart, CallStatus, Store, UnitOfWork
from companion.ports.tokens import StoredToken

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
USAGE = Usage(prompt_tokens=7, completion_tokens=5, cached_tokens=3, reasoning_tokens=2)
API_URL = "https://api.openai.com/v1"
_discord_ids = count(175928847299117063)


def new_actor() -> Actor:
    return Actor(name="Ada", discord_id=DiscordUserId(next(_discord_ids)))


async def new_person(unit: UnitOfWork) -> PersonId:
    return await unit.people.ensure(new_actor())


async def new_conversation(
    unit: UnitOfWork, owner: PersonId | None, channel: int = 1
) -> ConversationId:
    key = ConversationKey(channel_id=ChannelId(channel), owner_id=owner, guild_id=GuildId(9))
    return await unit.conversations.ensure(key)


def new_turn(
    conversation: ConversationId,
    author: PersonId,
    prompt: str = "Why?",
    *,
    speaker: str = "Ada",
    interaction_id: InteractionId | None = None,
    private: bool = False,
) -> NewTurn:
    return NewTurn(
        id=TurnId(uuid4()),
        conversation_id=conversation,
        author_id=author,
        speaker=speaker,
        prompt=prompt,
        model=ModelId("gpt-6-luna"),
        interaction_id=interaction_id,
        private=private,
    )


async def say(
    unit: UnitOfWork,
    conversation: ConversationId,
    author: PersonId,
    prompt: str = "Why?",
    *,
    interaction_id: InteractionId | None = None,
    private: bool = False,
) -> Turn:
    """Store a turn with an answer in a conversation."""
    turn = new_turn(conversation, author, prompt, interaction_id=interaction_id, private=private)
    assert await unit.turns.begin(turn) is not None
    await unit.turns.finish(turn, answer="Because.", finish=Finish.COMPLETE, usage=USAGE)
    stored = await unit.turns.find(turn.id)
    assert stored is not None
    return stored


async def add_turn(store: Store, *, prompt: str = "Why?", answer: str = "Because.") -> Turn:
    """Store a finished turn of a new person in a new conversation."""
    async with store.write() as unit:
        person = await new_person(unit)
        conversation = await new_conversation(unit, person)
        begun = await unit.turns.begin(new_turn(conversation, person, prompt))
        assert begun is not None
        await unit.turns.finish(begun, answer=answer, finish=Finish.COMPLETE, usage=USAGE)
        stored = await unit.turns.find(begun.id)
    assert stored is not None
    return stored


def call_start(
    person: PersonId,
    *,
    turn: TurnId | None = None,
    conversation: ConversationId | None = None,
    text: str | None = "what was asked",
    at: datetime = NOON,
) -> CallStart:
    return CallStart(
        id=CallId(uuid4()),
        turn_id=turn,
        conversation_id=conversation,
        person_id=person,
        guild_id=GuildId(9),
        channel_id=ChannelId(1),
        door=Door.SLASH,
        endpoint="chat/completions",
        model=ModelId("gpt-6-luna"),
        payer=Payer.PERSON,
        fingerprint=KeyFingerprint("f" * 32),
        started_at=at,
        request_text=text,
    )


def call_end(*, text: str | None = "what was answered", latency_ms: int = 900) -> CallEnd:
    return CallEnd(
        status=CallStatus.OK,
        ended_at=NOON,
        latency_ms=latency_ms,
        usage=USAGE,
        finish=Finish.COMPLETE,
        response_text=text,
    )


def stored_token(
    hashed: str = "0" * 64,
    *,
    discord_id: DiscordUserId | None = None,
    at: datetime = NOON,
    expires_at: datetime | None = None,
) -> StoredToken:
    token = ApiToken(
        id=TokenId(uuid4()),
        name="backend",
        discord_id=discord_id,
        user_ids=frozenset() if discord_id else frozenset({"ada", "grace"}),
        created_at=at,
        expires_at=expires_at,
    )
    return StoredToken(token=token, hash=hashed)


async def keep_answer(unit: UnitOfWork, answer: str) -> IdempotencyId:
    """Claim a new key and store an answer under it."""
    key = IdempotencyId(uuid4())
    await unit.idempotent_answers.claim(
        key, "b", now=NOON, until=NOON + timedelta(minutes=1), oldest=NOON - timedelta(days=1)
    )
    await unit.idempotent_answers.keep(key, "b", answer)
    return key


INTERACTION_TOKEN = "interaction-token"


def delivery(*, token: str | None = INTERACTION_TOKEN, reply: UUID | None = None) -> Delivery:
    """Return where an answer goes: to an interaction, or without a token below a message."""
    return Delivery(
        id=ReplyId(reply or uuid4()),
        asker=DiscordUserId(5),
        place=Place(kind=PlaceKind.CHANNEL, channel_id=ChannelId(1), guild_id=GuildId(9)),
        door=Door.SLASH if token else Door.MENTION,
        origin=InteractionId(next(_discord_ids)),
        application_id=3 if token else None,
        token=Secret(token) if token else None,
        token_until=NOON + timedelta(minutes=14) if token else None,
        reply_to=None if token else MessageId(4),
        may_move_on=True,
        reused=(MessageId(6),),
    )


def terms() -> Terms:
    return Terms(
        payer=Payer.PERSON,
        fingerprint=KeyFingerprint("f" * 32),
        temperature=0.5,
        max_tokens=100,
        again=TurnId(UUID(int=7)),
        repeatable=False,
    )
