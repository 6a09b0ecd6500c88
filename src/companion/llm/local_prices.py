"""What the local model costs: nothing."""

from __future__ import annotations

from companion.domain.models import ModelId
from companion.domain.usage import Micros, Usage


class LocalPrices:
    """The `PriceList` of a model on this machine, whose window is known exactly."""

    def __init__(self, context_tokens: int) -> None:
        self._context_tokens = context_tokens

    async def prepare(self) -> None:
        """Do nothing: there is nothing to load."""

    def cost(self, model: ModelId, usage: Usage, base_url: str) -> Micros | None:
        """Return zero: nobody is paid."""
        return Micros(0)

    def context_tokens(self, model: ModelId) -> int | None:
        """Return the window the server was started with."""
        return self._context_tokens
