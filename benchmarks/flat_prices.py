"""A micro-dollar a token, whatever the model.

The app finds prices by an endpoint's address, and that of a scripted model has none. So

    python -m benchmarks.flat_prices run

is `companion run` with these prices, which let it keep a budget.
"""

from __future__ import annotations

from unittest.mock import patch

from companion import cli, model_source
from companion.domain.models import ModelId
from companion.domain.usage import Micros, Usage


class FlatPrices:
    """The `PriceList` of a world without price lists."""

    async def prepare(self) -> None:
        """Do nothing."""

    def cost(self, model: ModelId, usage: Usage, base_url: str) -> Micros | None:
        """Return a micro-dollar a token."""
        return Micros(usage.total_tokens)

    def context_tokens(self, model: ModelId) -> int | None:
        """Return a large window."""
        return 100_000


if __name__ == "__main__":
    with patch.object(model_source, "GenaiPrices", FlatPrices):
        cli.main()
