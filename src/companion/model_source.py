"""Where answers come from: a provider, the local model, or the sample model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from companion.domain.models import ModelId
from companion.domain.secrets import Secret
from companion.llm.local_prices import LocalPrices
from companion.llm.local_server import LocalServer
from companion.llm.prices import GenaiPrices
from companion.ports.llm import PriceList
from companion.settings import DEFAULT_PROMPT, Settings

SHORT_PROMPT: Final = "You are a helpful AI assistant named Companion."
"""Nearly what SmolLM2 was trained with: it knew 12 of 12 capitals, and 5 with other words."""

NO_KEY_NEEDED: Final = Secret("no-key-needed")
SAMPLE_WINDOW: Final = 8_192


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSource:
    """An endpoint, who pays for it (`None`: each person), and what is asked for there."""

    base_url: str
    operator_key: Secret | None
    default_model: ModelId
    system_prompt: str
    prices: PriceList
    key_page: str | None = None


def from_provider(settings: Settings) -> ModelSource:
    """Return the provider that the environment names, with the operator's key if there is one."""
    key = settings.openai_api_key
    own = settings.openai_base_url and urlsplit(settings.openai_base_url).hostname
    return ModelSource(
        base_url=settings.base_url,
        operator_key=Secret(key.get_secret_value()) if key else None,
        default_model=ModelId(settings.default_model),
        system_prompt=settings.system_prompt,
        prices=GenaiPrices(),
        key_page=f"It is sent to {own} and nowhere else." if own else None,
    )


def from_local(server: LocalServer, settings: Settings) -> ModelSource:
    """Return the model on this machine; it costs nobody anything."""
    own_prompt = settings.system_prompt != DEFAULT_PROMPT
    return ModelSource(
        base_url=server.base_url,
        operator_key=NO_KEY_NEEDED,
        default_model=server.model,
        system_prompt=settings.system_prompt if own_prompt else SHORT_PROMPT,
        prices=LocalPrices(server.context_tokens),
    )


def from_sample(base_url: str, model: str, settings: Settings) -> ModelSource:
    """Return the canned answers that need no model at all."""
    return ModelSource(
        base_url=base_url,
        operator_key=NO_KEY_NEEDED,
        default_model=ModelId(model),
        system_prompt=settings.system_prompt,
        prices=LocalPrices(SAMPLE_WINDOW),
    )
