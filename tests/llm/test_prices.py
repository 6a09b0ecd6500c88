from __future__ import annotations

import subprocess
import sys

import pytest

from companion.domain.models import ModelId
from companion.domain.usage import Usage
from companion.llm.prices import GenaiPrices

OPENAI = "https://api.openai.com/v1"
MILLION = Usage(prompt_tokens=1_000_000, completion_tokens=0)


@pytest.mark.parametrize("model", ["gpt-6-luna", "gpt-6-sol", "gpt-5.6-luna", "gpt-4o"])
def test_current_models_have_a_price_and_a_window(model: str) -> None:
    prices = GenaiPrices()
    cost = prices.cost(ModelId(model), MILLION, OPENAI)
    assert cost is not None
    assert 10_000 < cost < 100_000_000
    assert (prices.context_tokens(ModelId(model)) or 0) >= 100_000


def test_cached_tokens_are_cheaper_and_answers_cost_extra() -> None:
    prices = GenaiPrices()
    model = ModelId("gpt-6-luna")
    plain = prices.cost(model, MILLION, OPENAI)
    cached = prices.cost(
        model, Usage(prompt_tokens=1_000_000, completion_tokens=0, cached_tokens=900_000), OPENAI
    )
    answered = prices.cost(model, Usage(prompt_tokens=1_000_000, completion_tokens=1_000), OPENAI)
    assert plain is not None and cached is not None and answered is not None
    assert cached < plain < answered


def test_nothing_costs_nothing() -> None:
    usage = Usage(prompt_tokens=0, completion_tokens=0)
    assert GenaiPrices().cost(ModelId("gpt-6-luna"), usage, OPENAI) == 0


@pytest.mark.parametrize(
    ("model", "base_url"),
    [
        ("gpt-6-luna", "http://127.0.0.1:8080/v1"),
        ("gpt-6-luna", "https://models.example/v1"),
        ("gpt-6-luna", ""),
        ("sample-small", OPENAI),
        ("", OPENAI),
        ("🙂", OPENAI),
        ("whisper-1", OPENAI),  # sold by the hour
    ],
)
def test_what_is_not_known_is_not_guessed(model: str, base_url: str) -> None:
    assert GenaiPrices().cost(ModelId(model), MILLION, base_url) is None


@pytest.mark.parametrize("model", ["sample-small", "", "SmolLM2-135M-Instruct"])
def test_an_unknown_window_is_unknown(model: str) -> None:
    assert GenaiPrices().context_tokens(ModelId(model)) is None


def test_impossible_usage_has_no_price() -> None:
    usage = Usage(prompt_tokens=5, completion_tokens=1, cached_tokens=50)
    assert GenaiPrices().cost(ModelId("gpt-6-luna"), usage, OPENAI) is not None


def test_the_snapshot_is_not_read_before_it_is_asked_for() -> None:
    program = (
        "import asyncio, sys\n"
        "from companion.llm.prices import GenaiPrices\n"
        "prices = GenaiPrices()\n"
        "assert 'genai_prices' not in sys.modules\n"
        "asyncio.run(prices.prepare())\n"
        "assert 'genai_prices.data' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=30)
