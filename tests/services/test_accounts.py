from __future__ import annotations

import asyncio

import pytest

from companion.domain.accounts import KeepFor, KeyScope, KeyState
from companion.domain.actor import Actor, Place
from companion.domain.errors import (
    CredentialRejected,
    CredentialRestricted,
    CreditExhausted,
    KeyEmpty,
    KeyMalformed,
    ManagerOnly,
    ProviderBroken,
    ProviderError,
    ProviderOverloaded,
    ProviderTimedOut,
    ProviderUnreachable,
    StorageUnavailable,
)
from companion.services import accounts
from tests.services.house import ADA, ADAS_KEY, ADMIN, DM, GRACE, HERE, House

NEW_KEY = "sk-a-new-key-of-ada-3333"


async def test_a_good_key_is_saved_with_its_end_only(house: House) -> None:
    saved = await house.save_key(f"  {ADAS_KEY}\n")
    assert (saved.state, saved.hint, saved.keep_for) == (
        KeyState.GOOD,
        "…1111",
        KeepFor.UNTIL_REMOVED,
    )
    assert await house.key() == saved
    assert ADAS_KEY not in repr(saved)
    (checked,) = house.provider.checked
    assert (checked.key.reveal(), checked.base_url) == (ADAS_KEY, house.policy.base_url)


@pytest.mark.parametrize("keep_for", [KeepFor.UNTIL_REMOVED, KeepFor.SESSION])
async def test_a_wrong_key_is_not_saved_and_the_old_one_stays(
    house: House, keep_for: KeepFor
) -> None:
    old = await house.save_key(keep_for=keep_for)
    house.provider.key_error = CredentialRejected(status=401)
    with pytest.raises(CredentialRejected):
        await house.save_key(NEW_KEY)
    assert await house.key() == old


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (ProviderUnreachable(), KeyState.UNCHECKED),
        (ProviderTimedOut(), KeyState.UNCHECKED),
        (ProviderOverloaded(status=503), KeyState.UNCHECKED),
        (ProviderBroken(status=500), KeyState.UNCHECKED),
        (CredentialRestricted(status=403), KeyState.RESTRICTED),
        (CreditExhausted(status=429), KeyState.NO_CREDIT),
    ],
    ids=lambda value: value.code if isinstance(value, ProviderError) else str(value),
)
@pytest.mark.parametrize("keep_for", [KeepFor.MONTH, KeepFor.SESSION])
async def test_what_is_not_known_for_sure_is_saved_as_such(
    house: House, error: ProviderError, state: KeyState, keep_for: KeepFor
) -> None:
    house.provider.key_error = error
    saved = await house.save_key(keep_for=keep_for)
    assert saved.state is state
    assert (saved.no_credit_until is not None) is (state is KeyState.NO_CREDIT)
    assert await house.key() == saved


async def test_a_provider_that_says_nothing_does_not_hold_a_key_up(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def silence(_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(accounts, "CHECK_S", 0.0)
    monkeypatch.setattr(house.provider, "check_key", silence)
    assert (await house.save_key()).state is KeyState.UNCHECKED


@pytest.mark.parametrize(("typed", "error"), [("", KeyEmpty), ("sk a b c d e", KeyMalformed)])
async def test_what_is_no_key_asks_nobody_and_changes_nothing(
    house: House, typed: str, error: type[Exception]
) -> None:
    old = await house.save_key()
    with pytest.raises(error):
        await house.save_key(typed)
    assert await house.key() == old
    assert len(house.provider.checked) == 1


async def test_a_key_for_this_session_is_never_stored(house: House) -> None:
    saved = await house.save_key(keep_for=KeepFor.SESSION)
    assert (saved.keep_for, saved.expires_at) == (KeepFor.SESSION, None)
    assert not house.store.tables.keys
    await house.ask()
    assert house.paid_with == ADAS_KEY
    restarted = House(store=house.store)
    assert await restarted.key() is None
    await restarted.services.close()


@pytest.mark.parametrize(
    ("first", "second"),
    [(KeepFor.SESSION, KeepFor.DAY), (KeepFor.DAY, KeepFor.SESSION), (KeepFor.DAY, KeepFor.MONTH)],
)
async def test_a_new_key_replaces_the_old_one_wherever_it_was(
    house: House, first: KeepFor, second: KeepFor
) -> None:
    await house.save_key(keep_for=first)
    await house.save_key(NEW_KEY, keep_for=second)
    assert len(house.store.tables.keys) == (second is not KeepFor.SESSION)
    await house.ask()
    assert house.paid_with == NEW_KEY
    assert await house.services.accounts.remove_key(ADA, HERE, KeyScope.ME)
    assert await house.key() is None


async def test_a_database_that_fails_leaves_the_old_key(house: House) -> None:
    await house.save_key(keep_for=KeepFor.SESSION)
    house.store.failing_commits = 1
    with pytest.raises(StorageUnavailable):
        await house.save_key(NEW_KEY)
    await house.ask()
    assert house.paid_with == ADAS_KEY


async def test_status_and_removing_ask_no_provider(house: House) -> None:
    await house.save_key()
    asked = len(house.provider.checked)
    house.provider.key_error = ProviderUnreachable()
    assert await house.key() is not None
    assert await house.services.accounts.remove_key(ADA, HERE, KeyScope.ME)
    assert not await house.services.accounts.remove_key(ADA, HERE, KeyScope.ME)
    assert await house.key() is None
    assert len(house.provider.checked) == asked


async def test_someone_never_met_has_no_key(house: House) -> None:
    assert await house.key(who=GRACE) is None
    assert not await house.services.accounts.remove_key(GRACE, HERE, KeyScope.ME)
    assert not house.store.tables.people


@pytest.mark.parametrize(("who", "where"), [(ADA, HERE), (ADMIN, DM)])
async def test_a_servers_key_is_touched_by_its_managers_only(
    house: House, who: Actor, where: Place
) -> None:
    with pytest.raises(ManagerOnly):
        await house.save_key(who=who, where=where, scope=KeyScope.SERVER)
    with pytest.raises(ManagerOnly):
        await house.key(who=who, where=where, scope=KeyScope.SERVER)
    with pytest.raises(ManagerOnly):
        await house.services.accounts.remove_key(who, where, KeyScope.SERVER)
    assert not house.provider.checked
    saved = await house.save_key(who=ADMIN, where=HERE, scope=KeyScope.SERVER)
    assert await house.key(who=ADMIN, where=HERE, scope=KeyScope.SERVER) == saved
    assert await house.services.accounts.remove_key(ADMIN, HERE, KeyScope.SERVER)


async def test_who_has_no_key_is_told_whether_another_pays() -> None:
    shared, alone = House(), House(operator=None)
    assert await shared.services.accounts.is_provided_for(ADA, HERE)
    assert not await alone.services.accounts.is_provided_for(ADA, HERE)
    await alone.save_key(who=ADMIN, scope=KeyScope.SERVER)
    assert await alone.services.accounts.is_provided_for(ADA, HERE)
    assert not await alone.services.accounts.is_provided_for(ADA, DM)
