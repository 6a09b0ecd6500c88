"""Whose key pays, and what is learned of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from companion.domain.accounts import KeepFor, KeyOwner, KeyScope, KeyState
from companion.domain.errors import (
    CredentialRejected,
    CreditExhausted,
    KeyMissing,
    KeyOutOfCredit,
    KeyRejected,
    KeyUnreadable,
    OperatorKeyNotForYou,
    ProviderUnreachable,
)
from companion.domain.models import Payer
from companion.services.policy import OperatorKeyRule
from tests.services.house import (
    ADA,
    ADAS_KEY,
    ADMIN,
    DM,
    GRACE,
    GUILD,
    HERE,
    NOBODY,
    OPERATOR_KEY,
    House,
    collected,
    failed,
    finished,
    request,
)

SERVERS_KEY = "sk-the-servers-key-2222"


@pytest.fixture
async def keyless() -> AsyncIterator[House]:
    """A house without an operator's key."""
    built = House(operator=None)
    yield built
    await built.services.close()


async def save_servers_key(house: House, keep_for: KeepFor = KeepFor.UNTIL_REMOVED) -> None:
    await house.save_key(SERVERS_KEY, who=ADMIN, scope=KeyScope.SERVER, keep_for=keep_for)


async def test_the_persons_key_comes_before_the_servers_before_the_operators(house: House) -> None:
    assert (await house.answer()).payer is Payer.OPERATOR
    assert house.paid_with == OPERATOR_KEY
    await save_servers_key(house)
    assert (await house.answer()).payer is Payer.SERVER
    assert house.paid_with == SERVERS_KEY
    await house.save_key()
    assert (await house.answer()).payer is Payer.PERSON
    assert house.paid_with == ADAS_KEY


@pytest.mark.parametrize("keep_for", [KeepFor.UNTIL_REMOVED, KeepFor.SESSION])
async def test_a_key_pays_for_its_owner_only(house: House, keep_for: KeepFor) -> None:
    await house.save_key(keep_for=keep_for)
    await house.ask(who=GRACE)
    assert house.paid_with == OPERATOR_KEY


async def test_a_servers_key_pays_in_that_server_only(keyless: House) -> None:
    await save_servers_key(keyless)
    await keyless.answer(who=GRACE, where=HERE)
    assert isinstance(await keyless.refusal(who=GRACE, where=DM), KeyMissing)


async def test_no_key_at_all_says_who_could_add_one(keyless: House) -> None:
    for who, where, may in ((ADA, HERE, False), (ADMIN, HERE, True), (ADMIN, DM, False)):
        error = await keyless.refusal(who=who, where=where)
        assert isinstance(error, KeyMissing)
        assert error.may_set_server_key is may
    assert not keyless.catalogue.asked


async def test_the_operators_key_is_for_whom_the_operator_says() -> None:
    listed = House(operator_key_for=OperatorKeyRule.parse("1"))
    await listed.answer(who=ADA, where=DM)
    assert isinstance(await listed.refusal(who=GRACE), OperatorKeyNotForYou)
    closed = House(operator_key_for=NOBODY)
    assert isinstance(await closed.refusal(who=ADA), KeyMissing)


# What is there and cannot be used never makes another one pay


async def test_a_rejected_key_refuses_until_it_is_entered_again(house: House) -> None:
    await save_servers_key(house)
    await house.save_key()
    house.provider.script(CredentialRejected(status=401))
    assert isinstance(await house.refusal(), CredentialRejected)
    error = await house.refusal()
    assert isinstance(error, KeyRejected)
    assert error.hint == "…1111"
    assert len(house.provider.calls) == 1
    await house.save_key("sk-a-new-key-of-ada-3333")
    await house.answer()
    assert house.paid_with == "sk-a-new-key-of-ada-3333"


@pytest.mark.parametrize("keep_for", [KeepFor.UNTIL_REMOVED, KeepFor.SESSION])
async def test_a_key_without_credit_rests_for_ten_minutes(house: House, keep_for: KeepFor) -> None:
    await house.save_key(keep_for=keep_for)
    house.provider.script(CreditExhausted(status=429))
    assert isinstance(await house.refusal(), CreditExhausted)
    error = await house.refusal()
    assert isinstance(error, KeyOutOfCredit)
    assert (error.hint, error.until) == ("…1111", house.clock.now() + timedelta(minutes=10))
    assert len(house.provider.calls) == 1
    house.clock.advance(minutes=10)
    await house.answer()
    key = await house.key()
    assert key is not None
    assert (key.state, key.no_credit_until) == (KeyState.GOOD, None)


async def test_the_operators_key_rests_too_and_shows_nothing(house: House) -> None:
    house.provider.script(CreditExhausted(status=429))
    await house.ask()
    error = await house.refusal(who=GRACE)
    assert isinstance(error, KeyOutOfCredit)
    assert error.hint == "…"
    house.clock.advance(minutes=10)
    await house.answer(who=GRACE)


async def test_a_servers_key_shows_its_end_to_managers_only(keyless: House) -> None:
    await save_servers_key(keyless)
    keyless.provider.script(CredentialRejected(status=401))
    await keyless.ask()
    for who, hint in ((ADA, "…"), (ADMIN, "…2222")):
        error = await keyless.refusal(who=who)
        assert isinstance(error, KeyRejected)
        assert error.hint == hint


async def test_an_unreadable_key_is_said_to_be_unreadable(house: House) -> None:
    await house.save_key()
    house.store.unreadable.add(house.owner())
    assert isinstance(await house.refusal(), KeyUnreadable)
    assert not house.provider.calls


async def test_a_key_is_never_sent_to_another_endpoint(house: House) -> None:
    await house.save_key()
    moved = House(base_url="https://models.example/v1", store=house.store)
    assert isinstance(await moved.refusal(), KeyUnreadable)
    assert not moved.provider.calls
    assert not moved.catalogue.asked
    await moved.services.close()


async def test_an_expired_key_is_absent(house: House) -> None:
    await house.save_key(keep_for=KeepFor.DAY)
    house.clock.advance(hours=24)
    await house.answer()
    assert house.paid_with == OPERATOR_KEY


# What an answer says of a key


async def test_an_unchecked_key_that_answers_is_good(house: House) -> None:
    house.provider.key_error = ProviderUnreachable()
    assert (await house.save_key()).state is KeyState.UNCHECKED
    await house.ask()
    key = await house.key()
    assert key is not None
    assert key.state is KeyState.GOOD


async def test_a_failing_provider_says_nothing_of_a_key(house: House) -> None:
    await house.save_key()
    before = await house.key()
    house.provider.script(ProviderUnreachable())
    await house.ask()
    assert await house.key() == before


async def test_a_key_replaced_meanwhile_is_not_blamed_for_the_old_one(house: House) -> None:
    await house.save_key()
    answer = asyncio.Event()
    house.provider.script(answer, CredentialRejected(status=401))
    events = house.services.chat.ask(request("Why?"))
    await anext(events)
    await house.save_key("sk-a-new-key-of-ada-3333")
    answer.set()
    assert failed(await collected(events)).error.code == "credential_rejected"
    key = await house.key()
    assert key is not None
    assert (key.state, key.hint) == (KeyState.GOOD, "…3333")
    finished(await house.ask())


async def test_a_key_removed_meanwhile_does_not_come_back(house: House) -> None:
    await house.save_key(keep_for=KeepFor.SESSION)
    answer = asyncio.Event()
    house.provider.script(answer, CreditExhausted(status=429))
    events = house.services.chat.ask(request("Why?"))
    await anext(events)
    await house.services.accounts.remove_key(ADA, HERE, KeyScope.ME)
    answer.set()
    assert failed(await collected(events)).error.code == "credit_exhausted"
    assert await house.key() is None


async def test_a_marked_servers_key_is_the_servers(house: House) -> None:
    await save_servers_key(house)
    house.provider.script(CredentialRejected(status=401))
    await house.ask()
    stored = house.store.tables.keys[KeyOwner(guild_id=GUILD).as_text()]
    assert stored.state is KeyState.REJECTED
