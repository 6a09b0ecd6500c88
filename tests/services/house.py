"""All services over fakes, and the people who use them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import replace
from itertools import count

from companion.domain.accounts import KeepFor, KeyOwner, KeyScope, StoredKey
from companion.domain.actor import (
    Actor,
    ChannelId,
    DiscordUserId,
    Door,
    GuildId,
    InteractionId,
    Place,
    PlaceKind,
)
from companion.domain.chat import ChatEvent, ChatRequest, Delta, Failed, Finished
from companion.domain.conversation import Turn, TurnId
from companion.domain.errors import CompanionError
from companion.domain.models import Credential, Payer
from companion.domain.money import NO_CAPS, Caps
from companion.domain.secrets import Secret
from companion.limits.fair_queue import desk_queue, reply_queue
from companion.ports.llm import ChatCall
from companion.services.container import Outside, Services, build_services
from companion.services.policy import OperatorKeyRule, ServicePolicy
from tests.fakes import (
    FakeCatalogue,
    FakeClock,
    FakeFileReader,
    FakeLimiter,
    FakePrices,
    FakeProvider,
    FakeRelay,
    FakeSpeech,
    FakeStore,
)
from tests.fakes.provider import MODEL
from tests.fakes.tables import LoggedCall

API_URL = "https://api.openai.com/v1"
OPERATOR_KEY = "operator-key-0001"
ADAS_KEY = "sk-adas-own-key-1111"
GUILD = GuildId(9)
EVERYONE = OperatorKeyRule(everyone=True)
NOBODY = OperatorKeyRule()

_interactions = count(1)


def person(discord_id: int, name: str = "Someone", *, manages_guild: bool = False) -> Actor:
    return Actor(name=name, discord_id=DiscordUserId(discord_id), manages_guild=manages_guild)


def channel(number: int = 1, guild: GuildId | None = GUILD) -> Place:
    kind = PlaceKind.CHANNEL if guild else PlaceKind.DM
    return Place(kind=kind, channel_id=ChannelId(number), guild_id=guild)


ADA = person(1, "Ada")
GRACE = person(2, "Grace")
ADMIN = person(3, "Admin", manages_guild=True)
HERE = channel(1)
THERE = channel(2)
DM = channel(3, guild=None)
THREAD = Place(
    kind=PlaceKind.THREAD, channel_id=ChannelId(50), guild_id=GUILD, parent_id=ChannelId(1)
)


def interaction() -> InteractionId:
    return InteractionId(next(_interactions))


class House:
    """The services, what they stand on, and short ways to use them."""

    def __init__(
        self,
        *,
        operator: str | None = OPERATOR_KEY,
        operator_key_for: OperatorKeyRule = EVERYONE,
        base_url: str = API_URL,
        max_streams: int = 64,
        max_streams_per_user: int = 2,
        retention_days: int = 30,
        caps: Caps = NO_CAPS,
        store: FakeStore | None = None,
    ) -> None:
        self.clock = FakeClock()
        self.store = store or FakeStore(self.clock.now)
        self.provider = FakeProvider()
        self.relay = FakeRelay()
        self.catalogue = FakeCatalogue()
        self.prices = FakePrices()
        self.files = FakeFileReader()
        self.speech = FakeSpeech()
        self.limiter = FakeLimiter()
        self.queue = reply_queue(max_streams, max_streams_per_user, self.clock)
        self.desk = desk_queue(max_streams, self.clock)
        self.policy = ServicePolicy(
            operator=self.credential(operator, base_url) if operator else None,
            operator_key_for=operator_key_for,
            base_url=base_url,
            default_model=MODEL,
            system_prompt="Be brief.",
            retention_days=retention_days,
            caps=caps,
        )
        self.outside = Outside(
            store=self.store,
            provider=self.provider,
            relay=self.relay,
            catalogue=self.catalogue,
            prices=self.prices,
            limiter=self.limiter,
            desk=self.desk,
            queue=self.queue,
            clock=self.clock,
            policy=self.policy,
            files=self.files,
            speech=self.speech,
        )
        self.services: Services = build_services(self.outside)

    def credential(self, key: str, base_url: str = API_URL) -> Credential:
        secret = Secret(key)
        return Credential(
            key=secret,
            base_url=base_url,
            fingerprint=self.store.fingerprints.of_key(secret),
            payer=Payer.OPERATOR,
        )

    # asking

    async def ask(
        self, prompt: str = "Why?", *, who: Actor = ADA, where: Place = HERE, **options: object
    ) -> list[ChatEvent]:
        """Ask and return all events."""
        return await collected(self.services.chat.ask(request(prompt, who, where, **options)))

    async def answer(
        self, prompt: str = "Why?", *, who: Actor = ADA, where: Place = HERE, **options: object
    ) -> Finished:
        """Ask and return how it finished."""
        return finished(await self.ask(prompt, who=who, where=where, **options))

    async def refusal(
        self, prompt: str = "Why?", *, who: Actor = ADA, where: Place = HERE, **options: object
    ) -> CompanionError:
        """Ask and return why there is no answer."""
        return failed(await self.ask(prompt, who=who, where=where, **options)).error

    async def regenerate(
        self, turn: TurnId, *, who: Actor = ADA, where: Place = HERE, model: str | None = None
    ) -> list[ChatEvent]:
        """Have an answer anew and return all events."""
        return await collected(
            self.services.chat.regenerate(
                turn, actor=who, place=where, interaction_id=interaction(), model=model
            )
        )

    async def resume(
        self, turn: TurnId, *, who: Actor = ADA, where: Place = HERE
    ) -> list[ChatEvent]:
        """Go on with an answer and return all events."""
        return await collected(
            self.services.chat.resume(turn, actor=who, place=where, interaction_id=interaction())
        )

    # keys

    async def save_key(
        self,
        typed: str = ADAS_KEY,
        *,
        who: Actor = ADA,
        where: Place = HERE,
        scope: KeyScope = KeyScope.ME,
        keep_for: KeepFor = KeepFor.UNTIL_REMOVED,
    ) -> StoredKey:
        """Save a key and return what was saved."""
        accounts = self.services.accounts
        return await accounts.save_key(who, where, scope=scope, typed=typed, keep_for=keep_for)

    async def key(
        self, *, who: Actor = ADA, where: Place = HERE, scope: KeyScope = KeyScope.ME
    ) -> StoredKey | None:
        """Return what is known of a key."""
        return await self.services.accounts.status(who, where, scope)

    def owner(self, who: Actor = ADA) -> KeyOwner:
        """Return the owner of a person's key; they were met before."""
        return KeyOwner(person_id=self.store.tables.people[f"discord:{who.discord_id}"])

    # what came of it

    @property
    def sent(self) -> list[ChatCall]:
        """What was sent to the provider."""
        return [call for _, call in self.provider.calls]

    @property
    def texts_sent(self) -> list[tuple[str, str]]:
        """The messages of the last request, as (role, text)."""
        return [(message.role, message.text) for message in self.sent[-1].messages]

    @property
    def paid_with(self) -> str:
        """The key of the last request."""
        return self.provider.calls[-1][0].key.reveal()

    @property
    def turns(self) -> list[Turn]:
        """All stored turns, in order."""
        return sorted(self.store.tables.turns.values(), key=lambda turn: turn.position)

    @property
    def log(self) -> list[LoggedCall]:
        """All rows of the provider log."""
        return list(self.store.tables.calls.values())


def request(prompt: str, who: Actor = ADA, where: Place = HERE, **options: object) -> ChatRequest:
    """Return a request; `options` are fields of `ChatRequest`."""
    asked = ChatRequest(
        actor=who, place=where, door=Door.SLASH, prompt=prompt, interaction_id=interaction()
    )
    return replace(asked, **options)  # type: ignore[arg-type]  # a test's own fields


async def collected(events: AsyncGenerator[ChatEvent]) -> list[ChatEvent]:
    """Return all events, after checking that exactly the last is terminal."""
    async with aclosing(events):
        seen = [event async for event in events]
    assert [isinstance(e, Finished | Failed) for e in seen] == [False] * (len(seen) - 1) + [True]
    return seen


def finished(events: list[ChatEvent]) -> Finished:
    """Return how it finished."""
    assert isinstance(events[-1], Finished), events[-1]
    return events[-1]


def failed(events: list[ChatEvent]) -> Failed:
    """Return how it failed."""
    assert isinstance(events[-1], Failed), events[-1]
    return events[-1]


def text(events: list[ChatEvent]) -> str:
    """Return the text of an answer."""
    return "".join(event.text for event in events if isinstance(event, Delta))


async def until(happened: Callable[[], object]) -> None:
    """Let other tasks run until something has happened."""
    async with asyncio.timeout(5):
        while not happened():  # noqa: ASYNC110  # any state may be waited for
            await asyncio.sleep(0)
