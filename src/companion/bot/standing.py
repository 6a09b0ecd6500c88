"""How Discord stands towards this process, and what is therefore left alone.

Ten thousand refused requests (401, 403, 429) in ten minutes get an address banned ("Invalid
Request Limit", Discord's documents). Long before that, requests that nobody misses stop, then
all but first responses. A page of Cloudflare's in the place of an answer is such a ban: nothing
at all is sent until it ends. A refused bot token ends all requests that carry it, for good.
"""

from __future__ import annotations

import asyncio
from collections import deque
from http import HTTPStatus
from typing import Final

import aiohttp
import structlog
from discord.http import Route

from companion.ports.clock import Clock

log = structlog.get_logger()

WINDOW_S: Final = 600.0
RESTRAINED_AT: Final = 500
SHUT_AT: Final = 2_000
BAN_S: Final = 300.0
"""How long a ban is taken to last that does not say."""

_INVALID: Final = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS}


class Held(aiohttp.ClientConnectionError):
    """A request that was not sent, because Discord would refuse it. `seconds` says until when."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"held back for {seconds:.0f} s")
        self.seconds = seconds


class Standing:
    """Counts what Discord refuses; one a process, because an address is what gets banned."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._refused: deque[float] = deque()
        self._banned_until = 0.0
        self._alarmed_at = 0
        self.token_refused = asyncio.Event()
        """Set once Discord does not take the bot's token any more."""

    @property
    def invalid(self) -> int:
        """How many requests Discord refused in the last ten minutes."""
        oldest = self._clock.monotonic() - WINDOW_S
        while self._refused and self._refused[0] <= oldest:
            self._refused.popleft()
        return len(self._refused)

    @property
    def is_restrained(self) -> bool:
        """Whether requests that nobody misses are left out."""
        return self.invalid >= RESTRAINED_AT or self.is_banned

    @property
    def is_banned(self) -> bool:
        """Whether Discord's proxy turns this address away."""
        return self._banned_until > self._clock.monotonic()

    async def watch(
        self, request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        """Pass a request on and count its answer (a middleware); raises `Held`."""
        self._hold(self._shut_s())
        if self.token_refused.is_set() and _has_bot_token(request):
            raise Held(WINDOW_S)
        return await self._pass_on(request, handler)

    async def watch_first_responses(
        self, request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        """Do the same for first responses, which only a ban holds back, and foreign addresses."""
        if not str(request.url).startswith(Route.API_BASE_URL):
            return await handler(request)
        self._hold(self._banned_until - self._clock.monotonic())
        return await self._pass_on(request, handler)

    async def _pass_on(
        self, request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        response = await handler(request)
        if response.status in _INVALID:
            self._note(response, with_bot_token=_has_bot_token(request))
        return response

    def _note(self, response: aiohttp.ClientResponse, *, with_bot_token: bool) -> None:
        headers = response.headers
        if response.status == HTTPStatus.TOO_MANY_REQUESTS:
            if headers.get("X-RateLimit-Scope") == "shared":
                return  # others used that limit up: Discord does not count it against us
            if "Via" not in headers and response.content_type != "application/json":
                self._note_ban(headers.get("Retry-After", ""))
        elif response.status == HTTPStatus.UNAUTHORIZED and with_bot_token:
            log.error("bot_token_refused")
            self.token_refused.set()
        self._refused.append(self._clock.monotonic())
        self._alarm()

    def _note_ban(self, retry_after: str) -> None:
        seconds = float(retry_after) if retry_after.isdecimal() else BAN_S
        until = self._clock.monotonic() + seconds
        if not self.is_banned:
            log.error("address_banned_by_discord", seconds=round(seconds))
        self._banned_until = max(self._banned_until, until)

    def _alarm(self) -> None:
        """Say it once when a bound is passed."""
        count = self.invalid
        if count < RESTRAINED_AT:
            self._alarmed_at = 0
        for bound in (RESTRAINED_AT, SHUT_AT):
            if self._alarmed_at < bound <= count:
                self._alarmed_at = bound
                log.error("many_requests_refused_by_discord", count=count, within_s=WINDOW_S)

    def _shut_s(self) -> float:
        """Return how long all but first responses are held back."""
        now = self._clock.monotonic()
        over = self.invalid - SHUT_AT
        until = self._refused[over] + WINDOW_S if over >= 0 else 0.0
        return max(until, self._banned_until) - now

    def _hold(self, seconds: float) -> None:
        if seconds > 0:
            raise Held(seconds)


def _has_bot_token(request: aiohttp.ClientRequest) -> bool:
    return request.headers.get("Authorization", "").startswith("Bot ")
