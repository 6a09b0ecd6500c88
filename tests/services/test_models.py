from __future__ import annotations

import time
from datetime import date

import pytest

from companion.domain.accounts import KeyScope, Preferences
from companion.domain.actor import Actor, Place
from companion.domain.errors import KeyMissing, ModelUnknown
from companion.domain.models import Catalogue, Model, ModelId
from tests.fakes.provider import MODEL, OTHER_MODEL
from tests.services.house import (
    ADA,
    ADAS_KEY,
    ADMIN,
    GRACE,
    GUILD,
    HERE,
    OPERATOR_KEY,
    House,
    until,
)

ENDS = date(2026, 12, 11)


def catalogue(*names: str, complete: bool = True) -> Catalogue:
    return Catalogue(models=tuple(Model(id=ModelId(name)) for name in names), complete=complete)


def suggested(house: House, typed: str = "", who: Actor = ADA, where: Place = HERE) -> list[str]:
    return [choice.id for choice in house.services.models.suggest(who, where, typed)]


async def warmed(house: House, who: Actor = ADA) -> None:
    """Let the background find out what this person may use."""
    asked = len(house.catalogue.asked)
    suggested(house, who=who)
    await until(lambda: len(house.catalogue.asked) > asked)
    await until(lambda: not house.services.tasks.runs(f"models of discord:{who.discord_id} in 9"))


# Suggestions


async def test_what_is_known_at_once_is_offered_at_once(house: House) -> None:
    assert suggested(house) == [MODEL, OTHER_MODEL]
    assert not house.catalogue.asked


async def test_ones_own_list_is_there_for_the_next_letter(house: House) -> None:
    house.catalogue.of_key[ADAS_KEY] = catalogue("adas-model")
    await house.save_key()
    await warmed(house)
    assert suggested(house) == ["adas-model"]
    assert suggested(house, who=GRACE) == [MODEL, OTHER_MODEL]
    await warmed(house, GRACE)
    assert "adas-model" not in suggested(house, who=GRACE)


async def test_a_new_key_brings_its_own_list(house: House) -> None:
    house.catalogue.of_key[OPERATOR_KEY] = catalogue("shared-model")
    await warmed(house)
    assert suggested(house) == ["shared-model"]
    house.catalogue.of_key[ADAS_KEY] = catalogue("adas-model")
    await house.save_key()
    await until(lambda: suggested(house) == ["adas-model"])
    await house.services.accounts.remove_key(ADA, HERE, KeyScope.ME)
    await until(lambda: suggested(house) == ["shared-model"])


async def test_a_new_key_of_the_server_counts_for_everyone_there(house: House) -> None:
    await warmed(house)
    house.catalogue.of_key["sk-the-servers-key"] = catalogue("servers-model")
    await house.save_key("sk-the-servers-key", who=ADMIN, scope=KeyScope.SERVER)
    await until(lambda: suggested(house) == ["servers-model"])


async def test_many_letters_ask_once(house: House) -> None:
    for typed in ("g", "gp", "gpt"):
        suggested(house, typed)
    await warmed(house)
    for typed in ("g", "gp", "gpt"):
        suggested(house, typed)
    assert len(house.catalogue.asked) == 1
    house.clock.advance(minutes=6)
    await warmed(house)
    assert len(house.catalogue.asked) == 2


async def test_without_a_key_or_database_there_is_the_built_in_list(house: House) -> None:
    house.store.down = True
    suggested(house)
    await until(lambda: not house.services.tasks.runs("models of discord:1 in 9"))
    assert suggested(house) == [MODEL, OTHER_MODEL]


async def test_beginnings_come_before_middles_before_what_sounds_alike(house: House) -> None:
    house.catalogue.of_key[OPERATOR_KEY] = catalogue(
        "unrelated", "gtp-6-typo", "my-gpt-6", "gpt-6-sol", "GPT-6-luna"
    )
    await warmed(house)
    assert suggested(house, "gpt-6") == ["gpt-6-sol", "GPT-6-luna", "my-gpt-6", "gtp-6-typo"]


async def test_what_is_typed_is_offered_only_where_the_list_is_not_all_there_is(
    house: House,
) -> None:
    assert suggested(house, "my-own-model")[-1] == "my-own-model"
    assert "not a model" not in suggested(house, "not a model")
    house.catalogue.of_key[OPERATOR_KEY] = catalogue("gpt-6-sol")
    await warmed(house)
    assert suggested(house, "my-own-model") == []


async def test_no_more_than_discord_takes(house: House) -> None:
    long = Model(id=ModelId("m" * 99), ends_on=ENDS)
    models = [long, Model(id=ModelId("m" * 101)), *(Model(id=ModelId(f"m{n}")) for n in range(40))]
    house.catalogue.built_in = Catalogue(models=tuple(models), complete=True)
    choices = house.services.models.suggest(ADA, HERE, "m")
    assert len(choices) == 25
    assert all(len(choice.label) <= 100 and len(choice.id) <= 100 for choice in choices)
    assert choices[0].label.endswith("… · ends 11 Dec 2026")


async def test_an_announced_end_is_shown(house: House) -> None:
    house.catalogue.built_in = Catalogue(
        models=(Model(id=ModelId("gpt-old"), ends_on=ENDS),), complete=True
    )
    (choice,) = house.services.models.suggest(ADA, HERE, "old")
    assert choice.label == "gpt-old · ends 11 Dec 2026"


async def test_suggesting_takes_a_few_milliseconds(house: House) -> None:
    house.catalogue.built_in = catalogue(*(f"vendor/model-{n}-instruct" for n in range(500)))
    suggested(house, "warm up")
    took: list[float] = []
    for _ in range(9):
        began = time.perf_counter()
        suggested(house, "modle-4 insrtuct")
        took.append(time.perf_counter() - began)
    assert sorted(took)[len(took) // 2] < 0.02


async def test_unknown_places_are_offered_nothing(house: House) -> None:
    assert suggested(house, where=Place(kind=HERE.kind)) == []


# Choosing


async def test_a_chosen_model_answers_from_now_on(house: House) -> None:
    await house.services.models.choose(ADA, HERE, OTHER_MODEL)
    assert (await house.answer()).model == OTHER_MODEL
    assert (await house.answer(who=GRACE)).model == MODEL


async def test_choosing_keeps_the_persona(house: House) -> None:
    await house.ask()
    person = house.store.person("discord:1")
    house.store.tables.of_person[person] = Preferences(persona="Rhyme.")
    await house.services.models.choose(ADA, HERE, OTHER_MODEL)
    chosen = Preferences(default_model=OTHER_MODEL, persona="Rhyme.")
    assert house.store.tables.of_person[person] == chosen


async def test_a_model_this_key_does_not_have_is_not_chosen(house: House) -> None:
    house.catalogue.of_key[OPERATOR_KEY] = catalogue("gpt-6-sol", "gpt-6-luna")
    with pytest.raises(ModelUnknown) as refused:
        await house.services.models.choose(ADA, HERE, "gpt-6-sole")
    assert refused.value.similar[0] == "gpt-6-sol"
    assert not house.store.tables.of_person


async def test_without_a_key_nothing_is_chosen() -> None:
    house = House(operator=None)
    with pytest.raises(KeyMissing):
        await house.services.models.choose(ADA, HERE, MODEL)
    await house.services.close()


# Which model answers


async def test_the_person_chose_before_the_server_before_the_operator(house: House) -> None:
    await house.ask()
    house.store.tables.of_guild[GUILD] = Preferences(default_model=ModelId("servers-choice"))
    assert (await house.answer()).model == "servers-choice"
    person = house.store.person("discord:1")
    house.store.tables.of_person[person] = Preferences(default_model=ModelId("adas-choice"))
    assert (await house.answer()).model == "adas-choice"
    assert (await house.answer(model=" named ")).model == "named"


async def test_defaults_that_this_key_lacks_are_passed_over(house: House) -> None:
    house.catalogue.of_key[OPERATOR_KEY] = catalogue("the-local-model", "another")
    assert (await house.answer()).model == "the-local-model"


async def test_a_named_model_that_this_key_lacks_is_refused(house: House) -> None:
    house.catalogue.of_key[OPERATOR_KEY] = catalogue("gpt-6-sol", "gpt-6-luna", "other")
    error = await house.refusal(model="gpt-6-soll")
    assert isinstance(error, ModelUnknown)
    assert error.model == "gpt-6-soll"
    assert error.similar[0] == "gpt-6-sol"
    assert "other" not in error.similar
    assert not house.provider.calls
    assert not house.limiter.taken


async def test_a_key_without_chat_models_is_told_so(house: House) -> None:
    house.catalogue.of_key[OPERATOR_KEY] = catalogue()
    assert isinstance(await house.refusal(), ModelUnknown)


@pytest.mark.parametrize("model", ["no model", "x" * 300, "line\nbreak"])
async def test_what_no_model_can_be_called_is_refused_even_unlisted(
    house: House, model: str
) -> None:
    error = await house.refusal(model=model)
    assert isinstance(error, ModelUnknown)
    assert len(error.model) <= 200


async def test_operators_models_are_known_before_anyone_asks(house: House) -> None:
    house.services.models.start()
    await until(lambda: house.catalogue.asked)
    assert house.catalogue.asked == [house.credential(OPERATOR_KEY).fingerprint]


async def test_without_an_operators_key_nothing_is_looked_up_at_the_start() -> None:
    house = House(operator=None)
    house.services.models.start()
    assert house.services.tasks.idle
