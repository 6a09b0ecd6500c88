"""First responses, within Discord's three seconds.

The library would try five times over 25 seconds; by then the interaction is dead and
the person has seen "did not respond". Here a first response gets two tries inside
2.5 seconds, over connections of its own, so that it never queues behind edits.

An answer that got lost leaves a doubt: Discord may have taken the response. If the
second try then hears 40060 (already acknowledged), it was ours. Hearing 40060 on a
first try means another delivery of the same interaction was faster.

When very many come at once, whatever follows a first response waits for the crowd's:
they have three seconds, all the rest has minutes.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from typing import Final, cast

import aiohttp
import discord
from discord.http import Route

from companion.bot.standing import Held

ALREADY_ACKNOWLEDGED: Final = 40060
CROWD: Final = 20
"""First responses under way at the same time."""
CallbackType = discord.InteractionResponseType


class Why(StrEnum):
    """Why an interaction could not be acknowledged."""

    EXPIRED = "expired"
    DUPLICATE = "duplicate"
    UNREACHABLE = "unreachable"
    REFUSED = "refused"


class Unacknowledged(Exception):
    """Discord did not take the first response: nothing may be done, nobody can be told."""

    def __init__(self, why: Why, code: int = 0) -> None:
        super().__init__(f"{why} ({code})" if code else why)
        self.why = why
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class AckTimings:
    """Seconds: all tries together, one try, and the pause between two."""

    budget_s: float = 2.5
    try_s: float = 1.1
    pause_s: float = 0.3
    crowd_s: float = 1.5
    """How long what follows waits for a crowd, at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What Discord made of it; `ephemeral` is `None` when its answer got lost."""

    ephemeral: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reply:
    status: int
    code: int
    retry_after_s: float
    ephemeral: bool

    @property
    def may_pass(self) -> bool:
        return (
            self.status == HTTPStatus.TOO_MANY_REQUESTS
            or self.status >= HTTPStatus.INTERNAL_SERVER_ERROR
        )


class Acknowledger:
    """Sends first responses. Its session is its own; the owner closes it."""

    def __init__(
        self, session: aiohttp.ClientSession, *, timings: AckTimings | None = None
    ) -> None:
        self._session = session
        self._timings = timings or AckTimings()
        self._under_way = 0
        self._calm = asyncio.Event()

    async def after_the_crowd(self) -> None:
        """Return at once, or when a crowd has its first responses; after a moment in any case."""
        if self._under_way < CROWD:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(self._timings.crowd_s):
                await self._calm.wait()

    @contextmanager
    def _counted(self) -> Generator[None]:
        self._under_way += 1
        if self._under_way >= CROWD:
            self._calm.clear()
        try:
            yield
        finally:
            self._under_way -= 1
            if self._under_way < CROWD:
                self._calm.set()

    async def respond(
        self,
        interaction: discord.Interaction,
        kind: CallbackType,
        data: Mapping[str, object] | None = None,
    ) -> Receipt:
        """Send the first response; raises `Unacknowledged` when Discord did not take it."""
        body: dict[str, object] = {"type": kind.value}
        if data is not None:
            body["data"] = data
        try:
            with self._counted():
                async with asyncio.timeout(self._timings.budget_s):
                    receipt = await self._try_twice(interaction, json.dumps(body))
        except TimeoutError:
            raise Unacknowledged(Why.UNREACHABLE) from None
        # the library's own state must agree, or its methods would respond a second time
        interaction.response._responded = True  # pyright: ignore[reportPrivateUsage]
        return receipt

    async def _try_twice(self, interaction: discord.Interaction, body: str) -> Receipt:
        url = _callback_url(interaction)
        doubtful = False
        for last in (False, True):
            pause_s = self._timings.pause_s
            try:
                reply = await self._post(url, body)
            except (aiohttp.ClientConnectorError, Held):
                pass  # nothing left this machine: no doubt
            except (aiohttp.ClientError, TimeoutError):
                doubtful = True
            else:
                if reply.status < HTTPStatus.MULTIPLE_CHOICES:
                    return Receipt(ephemeral=reply.ephemeral)
                if reply.code == ALREADY_ACKNOWLEDGED and doubtful:
                    return Receipt(ephemeral=None)
                if not reply.may_pass:
                    raise _final(reply)
                doubtful = doubtful or reply.status >= HTTPStatus.INTERNAL_SERVER_ERROR
                pause_s = max(pause_s, reply.retry_after_s)
            if last or pause_s > self._timings.budget_s:
                break
            await asyncio.sleep(pause_s)
        raise Unacknowledged(Why.UNREACHABLE)

    async def _post(self, url: str, body: str) -> _Reply:
        async with (
            asyncio.timeout(self._timings.try_s),
            self._session.post(
                url,
                data=body,
                headers={"Content-Type": "application/json"},
                params={"with_response": "true"},
                allow_redirects=False,
            ) as response,
        ):
            return _read(response.status, await response.read())


def _callback_url(interaction: discord.Interaction) -> str:
    return Route(
        "POST",
        "/interactions/{webhook_id}/{webhook_token}/callback",
        webhook_id=interaction.id,
        webhook_token=interaction.token,
    ).url


def _final(reply: _Reply) -> Unacknowledged:
    if reply.code == ALREADY_ACKNOWLEDGED:
        return Unacknowledged(Why.DUPLICATE, reply.code)
    expired = reply.status == HTTPStatus.NOT_FOUND
    return Unacknowledged(Why.EXPIRED if expired else Why.REFUSED, reply.code)


def _read(status: int, body: bytes) -> _Reply:
    fields = _fields(body)
    interaction = fields.get("interaction")
    return _Reply(
        status=status,
        code=int(_number(fields.get("code"))),
        retry_after_s=_number(fields.get("retry_after")),
        ephemeral=isinstance(interaction, dict)
        and bool(cast("dict[str, object]", interaction).get("response_message_ephemeral")),
    )


def _fields(body: bytes) -> dict[str, object]:
    try:
        parsed: object = json.loads(body)
    except ValueError:
        return {}  # 204, or a proxy's HTML
    return cast("dict[str, object]", parsed) if isinstance(parsed, dict) else {}


def _number(value: object) -> float:
    return value if isinstance(value, int | float) else 0
