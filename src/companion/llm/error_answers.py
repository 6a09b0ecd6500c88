"""The error answer of a provider, read from the wire."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Final

import aiohttp

from companion.domain.errors import ProviderError
from companion.llm.chunks import read_error
from companion.llm.errors import translated
from companion.llm.refusals import Refusal
from companion.llm.relay_chunks import refusal_in
from companion.llm.retry_after import retry_after_s
from companion.llm.transport import LARGEST_REFUSAL, read_bounded

REFUSAL: Final = 300
"""The lowest status that is no answer."""


async def refusal_of(
    answer: aiohttp.ClientResponse, *, model: str, deadline: float, now: datetime
) -> ProviderError:
    """Return what an answer of that status means; `deadline` (loop time) is for its body."""

    async def read() -> bytes:
        async with asyncio.timeout_at(deadline):
            return await read_bounded(answer, LARGEST_REFUSAL)

    body = await translated(read(), model=model, now=now)
    return Refusal(
        body=read_error(refusal_in(body)),
        model=model,
        status=answer.status,
        request_id=answer.headers.get("x-request-id"),
        wait_s=retry_after_s(answer.headers, now),
    ).as_error()
