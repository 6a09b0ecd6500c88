"""Every request that carries the bot's token: counted, paced, and never stuck.

The library's own client tries five times over 25 seconds and sleeps through Discord's
limits while it holds the lock of a route, 22 minutes if need be, with all later requests
behind it. Here a limit that is short is waited for, and a long one is told to the caller.
What a reply's writer sends (`paced`) has waited its turn already and is tried once: it
comes again with newer text.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final, cast

import aiohttp
import discord
import structlog
from discord.gateway import DiscordClientWebSocketResponse
from discord.http import HTTPClient, Route, parse_response

from companion.bot.closed_channels import ClosedChannels
from companion.bot.output_pacing import OutputPacing, Urgency
from companion.bot.rest_buckets import Bucket, Buckets
from companion.bot.standing import Held, Standing
from companion.ports.clock import Clock

log = structlog.get_logger()

TRIES: Final = 3
WHOLE_S: Final = 60.0
"""How long a request may take with all its waits."""
LONGEST_WAIT_S: Final = 10.0
"""A longer limit of Discord's is not waited for: other work can be done meanwhile."""
PAUSE_S: Final = 1.0

_TYPING: Final = "/channels/{channel_id}/typing"
_CHANNEL: Final = "/channels/{channel_id}"
_MESSAGES: Final = "/channels/{channel_id}/messages"
UNKNOWN_CHANNEL: Final = 10003
MISSING_ACCESS: Final = 50001


class RateLimited(discord.HTTPException):
    """Discord refused a request for now; `retry_after_s` is what it asked for."""

    def __init__(self, response: aiohttp.ClientResponse, data: Mapping[str, object]) -> None:
        super().__init__(response, dict(data))  # pyright: ignore[reportUnknownMemberType]
        asked = data.get("retry_after")
        self.retry_after_s = float(asked) if isinstance(asked, int | float) else PAUSE_S
        self.everywhere = data.get("global") is True


class ChannelLeft(discord.Forbidden):
    """A request that was not sent: the app is not in the channel's server any more."""

    def __init__(self) -> None:
        # the library's own wants an answer of Discord's, which there is none of
        Exception.__init__(self, "not in that server any more")
        self.status, self.code, self.text = HTTPStatus.FORBIDDEN, MISSING_ACCESS, ""


class Rest(HTTPClient):
    """The library's REST client with a way of its own to send requests."""

    def __init__(
        self, *, pacing: OutputPacing, standing: Standing, closed: ClosedChannels, clock: Clock
    ) -> None:
        super().__init__()
        self._pacing = pacing
        self._standing = standing
        self._closed = closed
        self._clock = clock
        self._session: aiohttp.ClientSession | None = None
        self._buckets = Buckets()
        self._everywhere = Bucket()

    async def static_login(self, token: str) -> Any:
        """Begin a session whose requests are counted; raises `discord.LoginFailure`."""
        self._session = aiohttp.ClientSession(
            ws_response_class=DiscordClientWebSocketResponse, middlewares=(self._standing.watch,)
        )
        # the library reads it under this name for the gateway and for webhooks
        self._HTTPClient__session = self._session
        self.token = token
        try:
            return await self.request(Route("GET", "/users/@me"))
        except discord.HTTPException as error:
            if error.status == HTTPStatus.UNAUTHORIZED:
                raise discord.LoginFailure("Discord refuses this token") from error
            raise

    async def request(
        self,
        route: Route,
        *,
        files: Sequence[discord.File] | None = None,
        form: Iterable[dict[str, Any]] | None = None,
        paced: bool = False,
        **kwargs: Any,
    ) -> Any:
        """Send a request and return its answer.

        Raises `RateLimited` and `Held` for waits that are too long, `ChannelLeft`, and the
        library's other errors as they are.
        """
        urgency = urgency_of(route, kwargs.get("json"))
        options = self._options(kwargs)
        async with asyncio.timeout(WHOLE_S):
            for left in reversed(range(1 if paced else TRIES)):
                for file in files or ():
                    file.reset(seek=True)
                if form is not None:
                    options["data"] = _form(form)
                try:
                    return await self._in_turn(route, options, None if paced else urgency)
                except RateLimited as limited:
                    if not left or limited.retry_after_s > LONGEST_WAIT_S:
                        raise
                except discord.DiscordServerError:
                    if not left or route.method == "POST":
                        raise
                    await self._clock.sleep(PAUSE_S * (TRIES - left))
        raise AssertionError("the last try returns or raises")

    async def _in_turn(
        self, route: Route, options: Mapping[str, Any], urgency: Urgency | None
    ) -> Any:
        bucket = self._buckets.of(f"{route.method} {route.bucket}", self._clock.monotonic())
        async with bucket.lock:
            await self._wait_for(bucket, may_wait=urgency is not None)
            await self._wait_for(self._everywhere, may_wait=urgency is not None)
            if urgency is None:
                return await self._send(route, options, bucket)
            with await self._place(urgency):
                return await self._send(route, options, bucket)

    async def _wait_for(self, bucket: Bucket, *, may_wait: bool) -> None:
        while (wait_s := bucket.wait_s(self._clock.monotonic())) > 0:
            if not may_wait or wait_s > LONGEST_WAIT_S:
                raise Held(wait_s)
            await self._clock.sleep(wait_s)

    async def _place(self, urgency: Urgency) -> Any:
        """Wait for room among all requests with the bot's token, and take it."""
        if urgency <= Urgency.GROWTH and self._pacing.is_restrained():
            raise Held(LONGEST_WAIT_S)
        while (wait_s := self._pacing.request_wait_s(urgency)) > 0:
            if urgency is Urgency.SPARE:
                raise Held(wait_s)
            await self._clock.sleep(wait_s)
        return self._pacing.request()

    async def _send(self, route: Route, options: Mapping[str, Any], bucket: Bucket) -> Any:
        assert self._session is not None
        if route.channel_id is not None and self._closed.is_left(int(route.channel_id)):
            raise ChannelLeft
        async with self._session.request(route.method, route.url, **options) as response:
            data: object = await parse_response(response)
            now = self._clock.monotonic()
            bucket.note(response.headers, now)
            if response.status < HTTPStatus.MULTIPLE_CHOICES:
                return data
            error = _error(response, data)
            if route.channel_id is not None and _shuts(route, error):
                self._closed.close(int(route.channel_id))
            if isinstance(error, RateLimited):
                log.warning("rate_limited", seconds=error.retry_after_s, route=route.path)
                (self._everywhere if error.everywhere else bucket).block(error.retry_after_s, now)
            raise error

    def _options(self, given: dict[str, Any]) -> dict[str, Any]:
        """Return what the session needs for what the library's methods give."""
        options = dict(given)
        headers = {"User-Agent": self.user_agent}
        if self.token is not None:
            headers["Authorization"] = f"Bot {self.token}"
        if "json" in options:
            headers["Content-Type"] = "application/json"
            options["data"] = discord.utils._to_json(options.pop("json"))  # pyright: ignore[reportPrivateUsage]
        if reason := options.pop("reason", None):
            headers["X-Audit-Log-Reason"] = str(reason)
        if locale := options.pop("locale", None):
            headers["X-Discord-Locale"] = str(locale)
        return {**options, "headers": headers}


def urgency_of(route: Route, body: object) -> Urgency:
    """Say how much a request other than a reply's own is missed when it comes late."""
    if route.path == _TYPING:
        return Urgency.SPARE
    renames = route.path == _CHANNEL and isinstance(body, dict) and "name" in body
    if renames or route.method == "DELETE":
        return Urgency.GROWTH
    return Urgency.PART


def _shuts(route: Route, error: discord.HTTPException) -> bool:
    """Say whether it means that the app may write nothing there."""
    speaks = route.path == _TYPING or route.path.startswith(_MESSAGES)
    refused = error.status == HTTPStatus.FORBIDDEN or error.code == UNKNOWN_CHANNEL
    return refused and speaks and route.method in {"POST", "PATCH"}


def _error(response: aiohttp.ClientResponse, data: object) -> discord.HTTPException:
    said = cast("dict[str, Any]", data) if isinstance(data, dict) else str(data)
    match response.status:
        case HTTPStatus.TOO_MANY_REQUESTS if isinstance(said, dict):
            return RateLimited(response, said)
        case HTTPStatus.FORBIDDEN:
            return discord.Forbidden(response, said)
        case HTTPStatus.NOT_FOUND:
            return discord.NotFound(response, said)
        case status if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return discord.DiscordServerError(response, said)
        case _:
            return discord.HTTPException(response, said)


def _form(fields: Iterable[dict[str, Any]]) -> aiohttp.FormData:
    data = aiohttp.FormData(quote_fields=False)
    for field in fields:
        data.add_field(**field)
    return data
