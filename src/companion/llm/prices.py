"""Prices and context windows, from genai-prices' offline snapshot.

The snapshot is a module of 1.6 MB that takes a tenth of a second to read: `prepare()`
does that in a thread, before the first question. It keeps every name it was ever asked for, so it
is asked for a provider by endpoint, and for a model within that provider only.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Final

from companion.domain.models import ModelId
from companion.domain.usage import Micros, Usage

if TYPE_CHECKING:
    from genai_prices.data_snapshot import DataSnapshot
    from genai_prices.types import ModelInfo, Provider

_MICROS: Final = Decimal(1_000_000)


class GenaiPrices:
    """The `PriceList`. What it does not know, it does not guess."""

    def __init__(self) -> None:
        self._reading = asyncio.Lock()

    async def prepare(self) -> None:
        """Read the snapshot in a thread, once."""
        if _is_read():
            return
        async with self._reading:
            if not _is_read():
                await asyncio.to_thread(_snapshot)

    def cost(self, model: ModelId, usage: Usage, base_url: str) -> Micros | None:
        """Return the cost at that endpoint, `None` for an endpoint or model without a price."""
        provider = _provider(base_url)
        if provider is None or (found := _model(provider, model)) is None:
            return None
        return _price(found, provider, usage)

    def context_tokens(self, model: ModelId) -> int | None:
        """Return the model's context window, by the model's name alone."""
        provider = next((p for p in _snapshot().providers if _makes(p, model)), None)
        found = _model(provider, model) if provider is not None else None
        return found.context_window if found is not None else None


@cache
def _snapshot() -> DataSnapshot:
    from genai_prices.data_snapshot import get_snapshot  # noqa: PLC0415 — see above

    return get_snapshot()


def _is_read() -> bool:
    return _snapshot.cache_info().currsize > 0


@lru_cache(maxsize=100)
def _provider(base_url: str) -> Provider | None:
    try:
        return _snapshot().find_provider(None, None, base_url)
    except LookupError:
        return None


def _makes(provider: Provider, model: str) -> bool:
    return provider.model_match is not None and provider.model_match.is_match(model.lower())


def _model(provider: Provider, model: str) -> ModelInfo | None:
    return provider.find_model(model.lower(), all_providers=_snapshot().providers)


def _price(model: ModelInfo, provider: Provider, usage: Usage) -> Micros | None:
    from genai_prices import Usage as PricedUsage  # noqa: PLC0415 — see above

    priced = PricedUsage(
        input_tokens=usage.prompt_tokens,
        cache_read_tokens=min(usage.cached_tokens, usage.prompt_tokens),
        output_tokens=usage.completion_tokens,
    )
    try:
        cost = model.calc_price(priced, provider, genai_request_timestamp=datetime.now(UTC))
    except (LookupError, ValueError):
        return None
    price = cost.model_price
    if price.input_mtok is None and price.output_mtok is None:
        return None  # not free: sold by the hour or the picture, which a usage does not say
    return Micros(int((cost.total_price * _MICROS).quantize(Decimal(1), ROUND_HALF_UP)))
