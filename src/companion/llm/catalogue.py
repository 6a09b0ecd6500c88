"""The models of a key, asked for rarely: cached by key and endpoint."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import date
from typing import Final, Protocol

import msgspec

from companion.domain.errors import ProviderError
from companion.domain.models import Catalogue, Credential, Model, ModelId
from companion.llm.chunks import ListedModel, ModelList
from companion.llm.endpoints import is_openai
from companion.llm.known_models import built_in, ends_on, in_order, is_chat_model
from companion.llm.timings import ProviderTimings
from companion.ports.clock import Clock

FRESH_S: Final = 600.0
ASK_AGAIN_S: Final = 60.0
"""After a failure: no sooner, so that a provider that is down slows nothing."""
REMEMBERED: Final = 1_000


class ModelSource(Protocol):
    """Where lists come from: the connection to the provider."""

    async def list_models(self, credential: Credential, *, within_s: float) -> ModelList:
        """Ask for the key's models. Raises a `ProviderError`."""
        ...


@dataclass(slots=True)
class _Entry:
    """What is known of one key. The lock lets one question answer everyone who waits."""

    known: Catalogue | None = None
    good_until: float = 0.0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class CachedCatalogue:
    """The `ModelCatalogue`; one for the process."""

    def __init__(self, source: ModelSource, clock: Clock, timings: ProviderTimings) -> None:
        self._source = source
        self._clock = clock
        self._timings = timings
        self._entries: OrderedDict[tuple[str, str], _Entry] = OrderedDict()

    async def models(self, credential: Credential) -> Catalogue:
        """Return the key's chat models: fresh, else stale, else the built-in list.

        Raises nothing: a key that may not list models can still chat.
        """
        entry = self._entry(credential)
        async with entry.lock:
            if entry.good_until <= self._clock.monotonic():
                await self._refresh(entry, credential)
        return entry.known or self._unlisted(credential)

    def cached(self, credential: Credential | None) -> Catalogue:
        """Return what is known right now, without any I/O."""
        if credential is None:
            return built_in(self._clock.now().date())
        entry = self._entries.get(_place(credential))
        return (entry.known if entry else None) or self._unlisted(credential)

    def forget(self, credential: Credential) -> None:
        """Drop what is cached for that key."""
        self._entries.pop(_place(credential), None)

    async def _refresh(self, entry: _Entry, credential: Credential) -> None:
        try:
            listed = await self._source.list_models(
                credential, within_s=self._timings.list_models_s
            )
        except ProviderError:
            entry.good_until = self._clock.monotonic() + ASK_AGAIN_S
            return
        models = _chat_models(listed.data, credential.base_url, self._clock.now().date())
        entry.known = Catalogue(models=models, complete=True) if models else None
        entry.good_until = self._clock.monotonic() + FRESH_S

    def _entry(self, credential: Credential) -> _Entry:
        entry = self._entries.setdefault(_place(credential), _Entry())
        self._entries.move_to_end(_place(credential))
        if len(self._entries) > REMEMBERED:
            self._entries.popitem(last=False)
        return entry

    def _unlisted(self, credential: Credential) -> Catalogue:
        # OpenAI's names mean nothing to another endpoint
        if is_openai(credential.base_url):
            return built_in(self._clock.now().date())
        return Catalogue(models=(), complete=False)


def _place(credential: Credential) -> tuple[str, str]:
    return (credential.fingerprint, credential.base_url)


def _chat_models(listed: list[ListedModel], base_url: str, today: date) -> tuple[Model, ...]:
    if not is_openai(base_url):
        return tuple(
            Model(id=ModelId(one.id), ends_on=_end(one), context_tokens=_window(one))
            for one in listed
        )
    models = [
        Model(id=ModelId(one.id), ends_on=_end(one) or ends_on(one.id))
        for one in listed
        if is_chat_model(one.id)
    ]
    return in_order([model for model in models if (model.ends_on or date.max) > today])


def _end(listed: ListedModel) -> date | None:
    try:
        return date.fromisoformat((listed.shutdown_date or "")[:10])
    except ValueError:
        return None


def _window(listed: ListedModel) -> int | None:
    sizes = (listed.max_model_len, listed.context_length, _meta_size(listed))
    return next((size for size in sizes if size is not None and size > 0), None)


def _meta_size(listed: ListedModel) -> int | None:
    raw = (listed.meta or {}).get("n_ctx") or (listed.meta or {}).get("n_ctx_train")
    try:
        return msgspec.json.decode(raw, type=int) if raw is not None else None
    except msgspec.DecodeError:
        return None
