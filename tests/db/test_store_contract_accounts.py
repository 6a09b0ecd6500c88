"""What every store does with keys, preferences and the log: real databases and fakes alike."""

from __future__ import annotations

from datetime import timedelta

import pytest

from companion.domain.accounts import KeepFor, KeyOwner, KeyState, Preferences, StoredKey
from companion.domain.actor import GuildId
from companion.domain.conversation import TurnId
from companion.domain.errors import KeyMissing
from companion.domain.models import ModelId, Payer
from companion.domain.secrets import Secret
from companion.ports.store import LoggedEnd, Store
from tests.db.conftest import HandClock
from tests.db.things import API_URL, add_turn, call_end, call_start, new_person

SERVER = KeyOwner(guild_id=GuildId(2**63 - 1))
KEY = Secret("sk-proj-" + "Ab1_-" * 30 + "wxyz")


@pytest.fixture
def store(any_store: Store) -> Store:
    return any_store


async def save(
    store: Store,
    clock: HandClock,
    *,
    owner: KeyOwner = SERVER,
    key: Secret = KEY,
    base_url: str = API_URL,
    keep_for: KeepFor = KeepFor.UNTIL_REMOVED,
) -> StoredKey:
    async with store.write() as unit:
        return await unit.keys.save(
            owner,
            key,
            base_url=base_url,
            state=KeyState.GOOD,
            keep_for=keep_for,
            now=clock.now(),
        )


async def found(store: Store, owner: KeyOwner = SERVER) -> StoredKey | None:
    async with store.read() as unit:
        return await unit.keys.find(owner)


# Keys


async def test_a_saved_key_is_found_and_revealed(store: Store, clock: HandClock) -> None:
    async with store.write() as unit:
        owner = KeyOwner(person_id=await new_person(unit))
    saved = await save(store, clock, owner=owner)
    assert (saved.owner, saved.base_url, saved.hint) == (owner, API_URL, "…wxyz")
    assert (saved.state, saved.saved_at, saved.expires_at) == (KeyState.GOOD, clock.now(), None)
    assert await found(store, owner) == saved
    async with store.read() as unit:
        credential = await unit.keys.reveal(saved, Payer.PERSON)
    assert credential.key == KEY
    assert (credential.base_url, credential.payer) == (API_URL, Payer.PERSON)
    assert credential.fingerprint == saved.fingerprint


async def test_the_same_key_has_the_same_fingerprint(store: Store, clock: HandClock) -> None:
    async with store.write() as unit:
        owner = KeyOwner(person_id=await new_person(unit))
    mine = await save(store, clock, owner=owner)
    servers = await save(store, clock)
    other = await save(store, clock, key=Secret("sk-" + "z" * 40))
    assert mine.fingerprint == servers.fingerprint != other.fingerprint


async def test_saving_again_replaces_the_key(store: Store, clock: HandClock) -> None:
    first = await save(store, clock)
    second = await save(store, clock, key=Secret("sk-the-second-key-5678"))
    assert second.version > first.version
    assert await found(store) == second
    async with store.read() as unit:
        assert (await unit.keys.reveal(second, Payer.SERVER)).key.hint() == "…5678"


async def test_a_replaced_key_is_not_revealed_in_place_of_the_new_one(
    store: Store, clock: HandClock
) -> None:
    first = await save(store, clock)
    await save(store, clock, key=Secret("sk-the-second-key-5678"))
    async with store.read() as unit:
        with pytest.raises(KeyMissing):
            await unit.keys.reveal(first, Payer.SERVER)


async def test_what_was_learned_of_a_key_is_kept(store: Store, clock: HandClock) -> None:
    saved = await save(store, clock)
    until = clock.now() + timedelta(minutes=10)
    async with store.write() as unit:
        assert await unit.keys.mark(saved, KeyState.NO_CREDIT, no_credit_until=until)
    marked = await found(store)
    assert marked is not None
    assert (marked.state, marked.no_credit_until) == (KeyState.NO_CREDIT, until)
    async with store.write() as unit:
        assert await unit.keys.mark(marked, KeyState.GOOD)
    marked = await found(store)
    assert marked is not None
    assert (marked.state, marked.no_credit_until) == (KeyState.GOOD, None)


async def test_a_mark_on_a_replaced_key_changes_nothing(store: Store, clock: HandClock) -> None:
    old = await save(store, clock)
    new = await save(store, clock, key=Secret("sk-the-second-key-5678"))
    async with store.write() as unit:
        assert not await unit.keys.mark(old, KeyState.REJECTED)
    assert await found(store) == new


async def test_a_removed_key_is_gone(store: Store, clock: HandClock) -> None:
    await save(store, clock)
    async with store.write() as unit:
        assert await unit.keys.remove(SERVER)
        assert not await unit.keys.remove(SERVER)
    assert await found(store) is None


async def test_an_expired_key_is_not_there_even_before_it_is_swept(
    store: Store, clock: HandClock
) -> None:
    saved = await save(store, clock, keep_for=KeepFor.DAY)
    assert saved.expires_at == clock.now() + timedelta(hours=24)
    clock.advance(hours=23, minutes=59)
    assert await found(store) is not None
    clock.advance(minutes=1)
    assert await found(store) is None
    async with store.write() as unit:
        assert await unit.keys.remove_expired(clock.now()) == 1
        assert await unit.keys.remove_expired(clock.now()) == 0


# Preferences


async def test_nothing_is_chosen_at_first(store: Store) -> None:
    async with store.write() as unit:
        person = await new_person(unit)
        assert await unit.preferences.of_person(person) == Preferences()
        assert await unit.preferences.of_guild(GuildId(1)) == Preferences()


async def test_choices_are_replaced_as_a_whole(store: Store) -> None:
    first = Preferences(default_model=ModelId("gpt-6-sol"), persona="Answer in rhymes. ☕")
    async with store.write() as unit:
        person = await new_person(unit)
        await unit.preferences.save_person(person, first)
        await unit.preferences.save_guild(GuildId(1), first)
    async with store.write() as unit:
        assert await unit.preferences.of_person(person) == first
        assert await unit.preferences.of_guild(GuildId(1)) == first
        await unit.preferences.save_person(person, Preferences(persona="Be brief."))
        assert await unit.preferences.of_person(person) == Preferences(persona="Be brief.")
        assert await unit.preferences.of_guild(GuildId(1)) == first


# The log: its rows are not read back through the port, so contents are counted by dropping them


async def test_contents_past_their_date_are_dropped_once(store: Store, clock: HandClock) -> None:
    day = timedelta(days=1)
    async with store.write() as unit:
        person = await new_person(unit)
        old = call_start(person, at=clock.now() - day)
        await unit.provider_log.start(old)
        await unit.provider_log.end(old.id, call_end())
        await unit.provider_log.start(call_start(person, at=clock.now()))
        await unit.provider_log.start(call_start(person, at=clock.now() - day, text=None))
    async with store.write() as unit:
        assert await unit.provider_log.drop_contents_before(clock.now()) == 1
        assert await unit.provider_log.drop_contents_before(clock.now()) == 0


async def test_calls_whose_process_died_are_closed_once(store: Store, clock: HandClock) -> None:
    async with store.write() as unit:
        person = await new_person(unit)
        ended, lost, fresh = (
            call_start(person, at=clock.now() - timedelta(minutes=ago)) for ago in (30, 30, 1)
        )
        for call in (ended, lost, fresh):
            await unit.provider_log.start(call)
        await unit.provider_log.end(ended.id, call_end())
    before = clock.now() - timedelta(minutes=20)
    async with store.write() as unit:
        assert await unit.provider_log.close_lost(before, clock.now()) == 1
        assert await unit.provider_log.close_lost(before, clock.now()) == 0
        assert await unit.provider_log.close_lost(clock.now(), clock.now()) == 1


async def test_many_calls_are_logged_at_once_as_one_by_one(store: Store, clock: HandClock) -> None:
    async with store.write() as unit:
        person = await new_person(unit)
        calls = [call_start(person, at=clock.now()) for _ in range(3)]
        silent = call_start(person, at=clock.now(), text=None)
        await unit.provider_log.start_all([*calls, silent])
        ended = LoggedEnd(call=silent.id, person=person, end=call_end())
        failed = LoggedEnd(call=calls[0].id, person=person, end=call_end(text=None))
        await unit.provider_log.end_all([ended, failed])
    async with store.write() as unit:
        later = clock.now() + timedelta(days=1)
        assert await unit.provider_log.drop_contents_before(later) == 4


async def test_what_is_noted_is_there_for_everyone(store: Store, clock: HandClock) -> None:
    async with store.note() as unit:
        person = await new_person(unit)
        await unit.provider_log.start_all([call_start(person, at=clock.now())])
    async with store.write() as unit:
        later = clock.now() + timedelta(days=1)
        assert await unit.provider_log.drop_contents_before(later) == 1


async def test_a_call_that_has_ended_is_not_ended_again(store: Store, clock: HandClock) -> None:
    async with store.write() as unit:
        person = await new_person(unit)
        call = call_start(person, at=clock.now(), text=None)
        await unit.provider_log.start_all([call])
        for text in (None, "too late"):
            end = call_end(text=text)
            await unit.provider_log.end_all([LoggedEnd(call=call.id, person=person, end=end)])
    async with store.write() as unit:
        later = clock.now() + timedelta(days=1)
        assert await unit.provider_log.drop_contents_before(later) == 0


async def test_clearing_takes_the_log_contents_along(store: Store, clock: HandClock) -> None:
    turn = await add_turn(store)
    logged = call_start(turn.author_id, turn=turn.id, conversation=turn.conversation_id)
    async with store.write() as unit:
        await unit.provider_log.start(logged)
        await unit.provider_log.end(logged.id, call_end())
    async with store.write() as unit:
        await unit.conversations.clear(turn.conversation_id)
        assert await unit.provider_log.drop_contents_before(clock.now() + timedelta(days=1)) == 0


async def test_a_call_that_ends_after_clearing_leaves_no_contents(
    store: Store, clock: HandClock
) -> None:
    turn = await add_turn(store)
    logged = call_start(turn.author_id, turn=turn.id, conversation=turn.conversation_id)
    async with store.write() as unit:
        await unit.provider_log.start(logged)
    async with store.write() as unit:
        await unit.conversations.clear(turn.conversation_id)
    async with store.write() as unit:
        await unit.provider_log.end(logged.id, call_end())
        assert await unit.provider_log.drop_contents_before(clock.now() + timedelta(days=1)) == 0


async def test_a_call_that_starts_after_clearing_leaves_no_contents(
    store: Store, clock: HandClock
) -> None:
    turn = await add_turn(store)
    logged = call_start(turn.author_id, turn=TurnId(turn.id), conversation=turn.conversation_id)
    async with store.write() as unit:
        await unit.conversations.clear(turn.conversation_id)
    async with store.write() as unit:
        await unit.provider_log.start(logged)
        await unit.provider_log.end(logged.id, call_end())
        assert await unit.provider_log.drop_contents_before(clock.now() + timedelta(days=1)) == 0
