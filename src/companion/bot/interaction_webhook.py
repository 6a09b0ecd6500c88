"""The webhook of one interaction: one request a call, nothing hidden.

py-cord's own webhook requests try five times over 25 seconds, sleep through rate limits
inside a lock that a cancelled caller leaves locked, and build message objects for every
edit. A stream of edits needs the opposite: fail at once, say how long Discord wants to
wait, and let the caller decide with newer text in hand.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, Literal, cast

import aiohttp
import discord
from discord.http import Route

from companion.bot.responder import DeliveryDelayed, DeliveryError, DeliveryGone, TextFile
from companion.bot.standing import Held
from companion.domain.secrets import Secret
from companion.ports.clock import Clock

ORIGINAL: Final = "@original"
FOLLOW_UPS_USED_UP: Final = 40094
EPHEMERAL: Final = discord.MessageFlags(ephemeral=True).value
_WEBHOOK: Final = "/webhooks/{webhook_id}/{webhook_token}"
_LONGEST_ASKED_S: Final = 300.0

Method = Literal["PATCH", "POST"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SentMessage:
    """What Discord made of a request."""

    id: str
    ephemeral: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where an interaction's webhook is, and over which connections it is reached."""

    application_id: int
    token: Secret
    session: aiohttp.ClientSession
    proxy: str | None = None
    proxy_auth: aiohttp.BasicAuth | None = None

    @classmethod
    def of(cls, interaction: discord.Interaction) -> Address:
        """Return the webhook of an interaction that came in, over the library's connections."""
        webhook = interaction.followup
        return cls(
            application_id=interaction.application_id,
            token=Secret(interaction.token),
            session=webhook.session,
            proxy=webhook.proxy,
            proxy_auth=webhook.proxy_auth,
        )


class InteractionWebhook:
    """Edits and follow-ups by an interaction's token. Every call raises `DeliveryError`."""

    def __init__(self, address: Address, *, clock: Clock, request_s: float = 10.0) -> None:
        self._address = address
        self._clock = clock
        self._request_s = request_s
        self._buckets: dict[Method, str] = {}
        self._blocked_until: dict[str, float] = {}

    def wait_s(self, method: Method) -> float:
        """Return how long Discord asked to wait before the next such request."""
        until = self._blocked_until.get(self._buckets.get(method, method), 0.0)
        return max(0.0, until - self._clock.monotonic())

    async def edit(
        self, message_id: str, payload: Mapping[str, object], file: TextFile | None
    ) -> SentMessage:
        """Change a message of this interaction."""
        return await self._request("PATCH", self._url(f"/messages/{message_id}"), payload, file)

    async def send(self, payload: Mapping[str, object], file: TextFile | None) -> SentMessage:
        """Send a follow-up."""
        return await self._request("POST", self._url("?wait=true"), payload, file)

    def _url(self, rest: str) -> str:
        webhook, token = self._address.application_id, self._address.token.reveal()
        route = Route("", _WEBHOOK, webhook_id=webhook, webhook_token=token)
        return f"{route.url}{rest}"

    async def _request(
        self, method: Method, url: str, payload: Mapping[str, object], file: TextFile | None
    ) -> SentMessage:
        try:
            async with (
                asyncio.timeout(self._request_s),
                self._address.session.request(
                    method,
                    url,
                    proxy=self._address.proxy,
                    proxy_auth=self._address.proxy_auth,
                    allow_redirects=False,
                    data=None if file is None else _form(payload, file),
                    json=payload if file is None else None,
                ) as response,
            ):
                fields = _fields(await response.read())
                self._note_limits(method, response.headers)
        except Held as held:
            raise DeliveryDelayed(retry_after_s=held.seconds) from held
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise DeliveryDelayed from error
        if response.status >= HTTPStatus.MULTIPLE_CHOICES:
            raise self._error(method, response.status, response.headers, fields)
        ephemeral = bool(int(_number(fields.get("flags"))) & EPHEMERAL)
        return SentMessage(id=str(fields.get("id", "")), ephemeral=ephemeral)

    def _note_limits(self, method: Method, headers: Mapping[str, str]) -> None:
        bucket = headers.get("X-RateLimit-Bucket", method)
        self._buckets[method] = bucket
        if headers.get("X-RateLimit-Remaining") == "0":
            self._block(bucket, _number(headers.get("X-RateLimit-Reset-After")))

    def _block(self, bucket: str, seconds: float) -> float:
        seconds = min(max(0.0, seconds), _LONGEST_ASKED_S)
        self._blocked_until[bucket] = self._clock.monotonic() + seconds
        return seconds

    def _error(
        self, method: Method, status: int, headers: Mapping[str, str], fields: Mapping[str, object]
    ) -> DeliveryError:
        code = int(_number(fields.get("code")))
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            asked = max(_number(fields.get("retry_after")), _number(headers.get("Retry-After")))
            waited = self._block(self._buckets.get(method, method), asked)
            return DeliveryDelayed(status=status, code=code, retry_after_s=waited)
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR or code == FOLLOW_UPS_USED_UP:
            return DeliveryDelayed(status=status, code=code)
        # unknown message, expired token, text that Discord refuses: the same again is no use
        return DeliveryGone(status=status, code=code)


def _form(payload: Mapping[str, object], file: TextFile) -> aiohttp.FormData:
    """Return the upload of a message with its file, as Discord wants it."""
    attached = {**payload, "attachments": [{"id": 0, "filename": file.name}]}
    form = aiohttp.FormData(quote_fields=False)
    form.add_field("payload_json", json.dumps(attached), content_type="application/json")
    form.add_field(
        "files[0]",
        file.text.encode(),
        filename=file.name,
        content_type="text/markdown; charset=utf-8",
    )
    return form


def _number(value: object) -> float:
    try:
        return float(cast("str", value)) if value is not None else 0.0
    except (TypeError, ValueError):
        return 0.0


def _fields(body: bytes) -> Mapping[str, object]:
    try:
        parsed: object = json.loads(body)
    except ValueError:
        return {}  # a proxy's HTML
    return cast("dict[str, object]", parsed) if isinstance(parsed, dict) else {}
