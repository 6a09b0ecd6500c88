"""The one SDK client of the process: requests go out here, errors come back translated.

A client costs a TLS context, so there is one, and a light copy per endpoint that
shares its connections. The key goes with each request. What the SDK reads from the
environment by itself (organisation, project, extra headers) is left out: it is the
operator's, and this request may be paid by someone else.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Final

import aiohttp
import httpx2

from companion.domain.errors import CredentialRejected, ProviderBroken
from companion.domain.models import Credential
from companion.llm.chunks import ModelList, Transcription, decode_models, decode_transcription
from companion.llm.errors import translated
from companion.llm.sdk import openai
from companion.llm.timings import ProviderTimings
from companion.llm.transport import AiohttpTransport, Body, let_go
from companion.ports.clock import Clock

LARGEST_BODY: Final = 8 * 2**20
"""Bytes of a body that is read whole."""

_ENDPOINTS: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A request's body, and the headers that describe it."""

    body: Body
    headers: tuple[tuple[str, str], ...] = ()


class Connection:
    """Requests to providers. Build it inside the running loop, and close it."""

    def __init__(self, clock: Clock, timings: ProviderTimings) -> None:
        self._clock = clock
        self._timings = timings
        # read time-outs are the watchdogs' business: a `: ping` would reset this one
        self._transport = AiohttpTransport()
        self._http = httpx2.AsyncClient(
            transport=self._transport,
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
            follow_redirects=False,
            timeout=httpx2.Timeout(None, connect=timings.connect_s),
        )
        self._sdk = _Client(api_key="unset", max_retries=0, http_client=self._http)
        self._endpoints: dict[str, openai.AsyncOpenAI] = {}
        self._waits = aiohttp.ClientTimeout(total=None, sock_connect=timings.connect_s)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._http.aclose()

    @asynccontextmanager
    async def open_plain(
        self, credential: Credential, method: str, path: str, message: Message, *, deadline: float
    ) -> AsyncGenerator[aiohttp.ClientResponse]:
        """Send a request past the SDK; the answer may be a refusal, its body unread.

        `deadline` (loop time) is for the head of the answer. Raises a `ProviderError`.
        """
        headers = [*_headers(credential).items(), *message.headers]
        url = credential.base_url.rstrip("/") + path

        async def send() -> aiohttp.ClientResponse:
            async with asyncio.timeout_at(deadline):
                return await self._transport.send(
                    method, url, headers=headers, body=message.body, waits=self._waits
                )

        answer = await translated(send(), now=self._clock.now())
        try:
            if answer.headers.get("content-encoding", "identity") != "identity":
                raise ProviderBroken(status=answer.status)
            yield answer
        finally:
            let_go(answer)

    async def list_models(self, credential: Credential, *, within_s: float) -> ModelList:
        """Ask for the key's models. Raises a `ProviderError`."""

        async def ask() -> ModelList:
            opening = self._endpoint(credential).models.with_streaming_response.list(
                extra_headers=_headers(credential)
            )
            async with asyncio.timeout(within_s), opening as answer:
                return decode_models(await read_whole(_plain(answer.http_response)))

        return await translated(ask(), now=self._clock.now())

    async def transcribe(
        self,
        credential: Credential,
        *,
        model: str,
        file: tuple[str, bytes, str],
        within_s: float,
    ) -> Transcription:
        """Upload a recording (name, bytes, media type), once. Raises a `ProviderError`."""

        async def ask() -> Transcription:
            opening = self._endpoint(
                credential
            ).audio.transcriptions.with_streaming_response.create(
                file=file,
                model=model,
                response_format="json",
                extra_headers=_headers(credential),
            )
            async with asyncio.timeout(within_s), opening as answer:
                response = _plain(answer.http_response)
                heard = decode_transcription(await read_whole(response))
                heard.request_id = response.headers.get("x-request-id")
                return heard

        return await translated(ask(), model=model, now=self._clock.now())

    def _endpoint(self, credential: Credential) -> openai.AsyncOpenAI:
        found = self._endpoints.get(credential.base_url)
        if found is None:
            if len(self._endpoints) >= _ENDPOINTS:
                self._endpoints.pop(next(iter(self._endpoints)))
            found = self._sdk.with_options(base_url=credential.base_url)
            self._endpoints[credential.base_url] = found
        return found


class _Client(openai.AsyncOpenAI):
    """The SDK's client without what it finds in the environment."""

    @property
    def default_headers(self) -> dict[str, str | openai.Omit]:
        """Return the SDK's own headers only."""
        return {
            name: value
            for name, value in super().default_headers.items()
            if name not in self._custom_headers and not name.startswith("OpenAI-")
        }


async def read_whole(response: httpx2.Response) -> bytes:
    """Read a body of bounded size. Raises `ProviderBroken` when it is larger."""
    body = bytearray()
    async for piece in response.aiter_raw():
        body += piece
        if len(body) > LARGEST_BODY:
            raise ProviderBroken
    return bytes(body)


def _plain(response: httpx2.Response) -> httpx2.Response:
    # we asked for no compression, and a compressed body could grow a thousandfold
    if response.headers.get("content-encoding", "identity") != "identity":
        raise ProviderBroken(status=response.status_code)
    return response


def _headers(credential: Credential) -> dict[str, str]:
    key = credential.key.reveal()
    if not (key.isascii() and key.isprintable()):  # no header can carry it
        raise CredentialRejected
    return {"Authorization": f"Bearer {key}", "Accept-Encoding": "identity"}
