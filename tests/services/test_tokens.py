from __future__ import annotations

import re
from datetime import timedelta

import pytest

from companion.domain.actor import Actor, Place, PlaceKind
from companion.domain.api_errors import TokenRejected, TokenUnknown, TooManyTokens
from companion.domain.errors import NotAllowed, NotYours, OptionOutOfRange, StorageUnavailable
from companion.domain.tokens import TokenScope
from companion.services.tokens import MOST_PER_PERSON, REMEMBERED_S, TokensService
from tests.services.house import ADA, DM, GRACE, House

HTTP = Place(kind=PlaceKind.HTTP)


@pytest.fixture
def house() -> House:
    return House()


@pytest.fixture
def tokens(house: House) -> TokensService:
    return house.services.tokens


async def test_a_token_opens_the_door_and_only_its_hash_is_stored(
    house: House, tokens: TokensService
) -> None:
    made = await tokens.create("backend", user_ids=["ada"])
    text = made.text.reveal()
    assert text.startswith(f"cmp_{made.token.id.hex}_")
    assert await tokens.authenticate(text) == made.token
    secret = text.split("_", 2)[2]
    assert secret not in repr(house.store.tables.tokens)
    assert secret not in repr(made)


@pytest.mark.parametrize(
    ("found", "instead"),
    [
        (r".$", "!"),
        (r"$", "A"),
        (r".$", ""),
        (r"^cmp", "CMP"),
        (r"^cmp_", "sk-"),
        (r"(?<=cmp_).{32}", "0" * 32),
        (r"(?<=cmp_).{32}", "x' OR '1'='1"),
        (r"_[^_]+$", ""),
        (r".*", ""),
        (r"$", "_" * 10_000),
    ],
)
async def test_anything_else_is_refused(tokens: TokensService, found: str, instead: str) -> None:
    made = await tokens.create("backend")
    await tokens.authenticate(made.text.reveal())
    with pytest.raises(TokenRejected):
        await tokens.authenticate(re.sub(found, instead, made.text.reveal(), count=1))


async def test_expired_token_is_refused_at_once(house: House, tokens: TokensService) -> None:
    made = await tokens.create("backend", expires_at=house.clock.now() + timedelta(seconds=1))
    await tokens.authenticate(made.text.reveal())
    house.clock.advance(1)
    with pytest.raises(TokenRejected):
        await tokens.authenticate(made.text.reveal())


async def test_token_revoked_elsewhere_is_refused_within_five_seconds(house: House) -> None:
    here, other_process = house.services.tokens, House(store=house.store).services.tokens
    made = await here.create("backend")
    await here.authenticate(made.text.reveal())
    await other_process.revoke(made.token.id)
    house.clock.advance(REMEMBERED_S)
    assert REMEMBERED_S < 5
    with pytest.raises(TokenRejected):
        await here.authenticate(made.text.reveal())


async def test_token_revoked_here_is_refused_at_once(tokens: TokensService) -> None:
    made = await tokens.create("backend")
    await tokens.authenticate(made.text.reveal())
    await tokens.revoke(made.token.id)
    with pytest.raises(TokenRejected):
        await tokens.authenticate(made.text.reveal())
    with pytest.raises(TokenUnknown):
        await tokens.revoke(made.token.id)


async def test_known_token_needs_no_database(house: House, tokens: TokensService) -> None:
    made = await tokens.create("backend")
    await tokens.authenticate(made.text.reveal())
    house.store.down = True
    assert await tokens.authenticate(made.text.reveal()) == made.token
    house.clock.advance(REMEMBERED_S)
    with pytest.raises(StorageUnavailable):
        await tokens.authenticate(made.text.reveal())


# Whom it speaks for


async def test_service_token_speaks_for_the_listed_users_only(tokens: TokensService) -> None:
    token = (await tokens.create("backend", user_ids=["ada", "grace"])).token
    assert token.actor_for("ada").http_id == "ada"
    for other in ("eve", "", str(ADA.discord_id), f"token:{token.id.hex}"):
        with pytest.raises(NotYours):
            token.actor_for(other)


async def test_act_as_speaks_for_any_http_user_but_for_no_other_token(
    tokens: TokensService,
) -> None:
    token = (await tokens.create("backend", act_as=True)).token
    assert token.actor_for(str(ADA.discord_id)).discord_id is None
    with pytest.raises(NotYours):
        token.actor_for("token:1")


async def test_token_without_a_list_speaks_for_its_own_name(tokens: TokensService) -> None:
    token = (await tokens.create("backend")).token
    assert token.actor_for("backend") == token.actor()


async def test_nobody_claims_the_ids_of_tokens(tokens: TokensService) -> None:
    for user_ids in (["token:1"], ["x" * 129]):
        with pytest.raises(OptionOutOfRange):
            await tokens.create("backend", user_ids=user_ids)


async def test_discord_persons_token_speaks_for_that_person(tokens: TokensService) -> None:
    token = (await tokens.create_own(ADA, DM, "laptop")).token
    assert token.actor_for(str(ADA.discord_id)).discord_id == ADA.discord_id
    with pytest.raises(NotYours):
        token.actor_for(str(GRACE.discord_id))


# One's own


async def test_people_see_and_end_only_their_own(tokens: TokensService) -> None:
    mine = (await tokens.create_own(ADA, DM, "laptop")).token
    assert await tokens.of_person(ADA, DM) == [mine]
    assert await tokens.of_person(GRACE, DM) == []
    with pytest.raises(TokenUnknown):
        await tokens.revoke_own(GRACE, DM, mine.id)
    await tokens.revoke_own(ADA, DM, mine.id)
    assert await tokens.of_person(ADA, DM) == []
    assert len(await tokens.everyones()) == 1


@pytest.mark.parametrize("spelling", ["{short}", " {SHORT} ", "{id}", "{text}"])
async def test_own_token_is_revoked_by_whatever_names_it(
    tokens: TokensService, spelling: str
) -> None:
    other = (await tokens.create_own(ADA, DM, "desk")).token
    made = await tokens.create_own(ADA, DM, "laptop")
    short, text = made.token.short_id, made.text.reveal()
    named = spelling.format(short=short, SHORT=short.upper(), id=made.token.id.hex, text=text)
    with pytest.raises(TokenUnknown):
        await tokens.revoke_named(GRACE, DM, named)
    assert await tokens.revoke_named(ADA, DM, named) == made.token
    assert await tokens.of_person(ADA, DM) == [other]


@pytest.mark.parametrize("named", ["", "c", "laptop", "0" * 8])
async def test_nothing_is_revoked_by_half_a_name(tokens: TokensService, named: str) -> None:
    mine = (await tokens.create_own(ADA, DM, "laptop")).token
    with pytest.raises(TokenUnknown):
        await tokens.revoke_named(ADA, DM, named)
    with pytest.raises(TokenUnknown):
        await tokens.revoke_named(ADA, DM, mine.short_id[:-1])
    assert await tokens.of_person(ADA, DM) == [mine]


async def test_a_person_has_a_few_tokens_at_most(tokens: TokensService) -> None:
    for number in range(MOST_PER_PERSON):
        await tokens.create_own(ADA, DM, f"laptop {number}")
    with pytest.raises(TooManyTokens):
        await tokens.create_own(ADA, DM, "one more")


async def test_a_program_makes_no_tokens(tokens: TokensService) -> None:
    with pytest.raises(NotAllowed):
        await tokens.create_own(Actor(name="x", http_id="x"), HTTP, "more rights")


@pytest.mark.parametrize("name", ["", "  ", "x" * 81, "a\u202eb"])
async def test_names_are_short_and_readable(tokens: TokensService, name: str) -> None:
    with pytest.raises(OptionOutOfRange):
        await tokens.create(name)


async def test_scopes_are_kept(tokens: TokensService) -> None:
    made = await tokens.create("backend", scopes=frozenset({TokenScope.MODELS}))
    assert (await tokens.authenticate(made.text.reveal())).scopes == {TokenScope.MODELS}


async def test_any_usable_says_whether_someone_can_come_in(tokens: TokensService) -> None:
    assert not await tokens.any_usable()
    made = await tokens.create("backend")
    assert await tokens.any_usable()
    await tokens.revoke(made.token.id)
    assert not await tokens.any_usable()
