"""The list of models: whose it is, how fresh, and what stands in for it."""

from __future__ import annotations

import asyncio
from datetime import date

import pytest

from companion.domain.errors import CredentialRestricted, ProviderBroken
from companion.domain.models import Catalogue, Credential
from companion.llm.catalogue import ASK_AGAIN_S, FRESH_S, CachedCatalogue
from companion.llm.chunks import ListedModel, ModelList
from companion.llm.client import Provider, ProviderTimings
from companion.llm.known_models import built_in, is_chat_model
from tests.llm.asking import START, SkippingClock, credential_for
from tests.support.provider_script import MISSING_SCOPES, Behaviour, Silence, Status
from tests.support.scripted_provider import ScriptedProvider

OPENAI = "https://api.openai.com/v1"
TODAY = START.date()


class OneList:
    """Stands where `Connection` does: OpenAI's own address cannot be served locally."""

    def __init__(self, *models: ListedModel, error: Exception | None = None) -> None:
        self.models = list(models)
        self.error = error
        self.asked = 0

    async def list_models(self, credential: Credential, *, within_s: float) -> ModelList:
        self.asked += 1
        if self.error is not None:
            raise self.error
        return ModelList(data=self.models)


def catalogue_of(
    *ids: str, error: Exception | None = None, clock: SkippingClock | None = None
) -> tuple[CachedCatalogue, OneList]:
    source = OneList(*(ListedModel(id=name) for name in ids), error=error)
    return CachedCatalogue(source, clock or SkippingClock(), ProviderTimings()), source


def ids_of(catalogue: Catalogue) -> list[str]:
    return [model.id for model in catalogue.models]


async def test_another_endpoints_list_is_taken_as_it_is(
    upstream: ScriptedProvider, provider: Provider, credential: Credential
) -> None:
    upstream.models = [
        "llama-3",
        {"id": "qwen:7b", "object": "model", "max_model_len": 32_768},
        {"id": "tiny/x", "object": "model", "meta": {"n_ctx_train": 8192, "vocab": "x"}},
        {"id": "old", "object": "model", "shutdown_date": "2026-12-31", "context_length": 4096},
    ]
    catalogue = await provider.catalogue.models(credential)
    assert catalogue.complete
    assert [(m.id, m.context_tokens) for m in catalogue.models] == [
        ("llama-3", None),
        ("qwen:7b", 32_768),
        ("tiny/x", 8192),
        ("old", 4096),
    ]
    assert catalogue.models[3].ends_on == date(2026, 12, 31)


async def test_openais_list_holds_chat_models_newest_first() -> None:
    catalogue, _ = catalogue_of(
        "whisper-1",
        "gpt-4o",
        "gpt-5.6-luna",
        "gpt-image-2.6",
        "gpt-6-luna-2026-09-01",
        "text-embedding-3-small",
        "gpt-6-luna",
        "gpt-4",
        "gpt-6.1-sol",
        "ft:gpt-6-luna:us:mine",
        "gpt-transcribe",
    )
    listed = await catalogue.models(credential_for(OPENAI))
    assert ids_of(listed) == [
        "gpt-6.1-sol",
        "gpt-6-luna",
        "gpt-5.6-luna",
        "ft:gpt-6-luna:us:mine",
        "gpt-6-luna-2026-09-01",
        "gpt-4o",
    ]
    assert listed.models[-1].ends_on == date(2027, 1, 14)
    assert listed.complete


async def test_the_lists_own_end_date_wins() -> None:
    source = OneList(
        ListedModel(id="gpt-4o", shutdown_date="2027-03-01"),
        ListedModel(id="gpt-6-luna", shutdown_date="2026-11-01"),
        ListedModel(id="gpt-6-sol", shutdown_date="soon"),
    )
    catalogue = CachedCatalogue(source, SkippingClock(), ProviderTimings())
    listed = await catalogue.models(credential_for(OPENAI))
    assert [(m.id, m.ends_on) for m in listed.models] == [
        ("gpt-6-sol", None),
        ("gpt-4o", date(2027, 3, 1)),
    ]


async def test_a_key_that_may_not_list_gets_the_built_in_list() -> None:
    catalogue, source = catalogue_of(error=CredentialRestricted(status=403))
    listed = await catalogue.models(credential_for(OPENAI))
    assert not listed.complete
    assert listed == built_in(TODAY)
    await catalogue.models(credential_for(OPENAI))
    assert source.asked == 1


def test_the_built_in_list_names_living_chat_models_only() -> None:
    ids = ids_of(built_in(TODAY))
    assert ids[0].startswith("gpt-6.1")
    assert {"gpt-6-luna", "gpt-6-sol", "gpt-5.6-luna", "gpt-4o"} <= set(ids)
    assert not {"gpt-3.5-turbo", "gpt-4-32k", "o1-mini", "gpt-5.1-mini", "codex-mini-latest"} & set(
        ids
    )
    assert all(is_chat_model(name) for name in ids)
    assert "gpt-5" not in ids_of(built_in(date(2026, 12, 11)))


@pytest.mark.parametrize("answer", [MISSING_SCOPES, Status(status=403), Silence()])
async def test_another_endpoint_that_lists_nothing_has_no_built_in_list(
    upstream: ScriptedProvider, hasty: Provider, credential: Credential, answer: Behaviour
) -> None:
    upstream.models_status = answer
    assert await hasty.catalogue.models(credential) == Catalogue(models=(), complete=False)


async def test_a_list_is_asked_for_once_while_fresh(
    upstream: ScriptedProvider, provider: Provider, credential: Credential, clock: SkippingClock
) -> None:
    first = await provider.catalogue.models(credential)
    upstream.models = ["new"]
    clock.skip(FRESH_S - 1)
    assert await provider.catalogue.models(credential) == first
    assert len(upstream.requests) == 1
    clock.skip(1)
    assert ids_of(await provider.catalogue.models(credential)) == ["new"]
    assert len(upstream.requests) == 2


async def test_everyone_who_waits_shares_one_question(
    upstream: ScriptedProvider, provider: Provider, credential: Credential
) -> None:
    lists = await asyncio.gather(*(provider.catalogue.models(credential) for _ in range(20)))
    assert len(upstream.requests) == 1
    assert all(found == lists[0] for found in lists)


async def test_a_waiter_that_gives_up_takes_nothing_from_the_others(
    upstream: ScriptedProvider, provider: Provider, credential: Credential
) -> None:
    impatient = asyncio.create_task(provider.catalogue.models(credential))
    patient = asyncio.create_task(provider.catalogue.models(credential))
    await asyncio.sleep(0)
    impatient.cancel()
    assert (await patient).complete
    with pytest.raises(asyncio.CancelledError):
        await impatient


async def test_a_stale_list_serves_while_the_provider_is_down(clock: SkippingClock) -> None:
    catalogue, source = catalogue_of("gpt-6-luna", clock=clock)
    key = credential_for(OPENAI)
    fresh = await catalogue.models(key)
    source.error = ProviderBroken(status=500)
    clock.skip(FRESH_S)
    assert await catalogue.models(key) == fresh
    assert await catalogue.models(key) == fresh
    assert source.asked == 2
    clock.skip(ASK_AGAIN_S)
    await catalogue.models(key)
    assert source.asked == 3


async def test_what_is_cached_is_told_without_asking() -> None:
    catalogue, source = catalogue_of("gpt-6-luna")
    key = credential_for(OPENAI)
    assert catalogue.cached(None) == catalogue.cached(key) == built_in(TODAY)
    assert source.asked == 0
    await catalogue.models(key)
    assert ids_of(catalogue.cached(key)) == ["gpt-6-luna"]
    assert catalogue.cached(credential_for(OPENAI, name="b")) == built_in(TODAY)
    catalogue.forget(key)
    assert catalogue.cached(key) == built_in(TODAY)


async def test_the_same_key_elsewhere_is_another_list() -> None:
    catalogue, source = catalogue_of("gpt-6-luna")
    await catalogue.models(credential_for(OPENAI))
    await catalogue.models(credential_for("https://eu.api.openai.com/v1"))
    assert source.asked == 2


@pytest.mark.parametrize("name", ["o3", "gpt-6-luna", "chatgpt-4o-latest", "ft:gpt-6-luna:us:mine"])
def test_chat_models_are_known_by_name(name: str) -> None:
    assert is_chat_model(name)


@pytest.mark.parametrize(
    "name", ["gpt-image-2.5", "davinci-002", "gpt-transcribe", "gpt-realtime-2", "gpt-5.2-pro", "x"]
)
def test_other_models_are_known_by_name(name: str) -> None:
    assert not is_chat_model(name)
