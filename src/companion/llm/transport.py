"""aiohttp under the SDK's HTTP client.

The SDK brings such a transport too (`openai[aiohttp]`), the fastest way to read a
stream. Ours differs in what matters between people who share one process: it
keeps no cookies (a cookie set for one key would travel with the next one), never
decodes a compressed body, bounds the bodies of refusals, tells a broken
connection from a slow one, and looks up no `.netrc`.
"""

from __future__ import annotations

import io
import ssl
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Iterable
from functools import cache
from typing import Final
from urllib.request import getproxies_environment, proxy_bypass

import aiohttp
import httpx2

from companion.domain.errors import ProviderBroken

LARGEST_REFUSAL: Final = 256 * 1024
_LOOPBACK: Final = {"localhost", "127.0.0.1", "::1"}
_LARGE_BODY: Final = 2**20
_REFUSAL: Final = 300
Body = bytes | io.BytesIO | AsyncIterable[bytes] | None


class AiohttpTransport(httpx2.AsyncBaseTransport):
    """Send the SDK's requests through one aiohttp session. Build it inside the running loop."""

    def __init__(self) -> None:
        self._proxies = getproxies_environment()
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=60, ssl=_tls()),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
        )

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send one request and return its answer, the body unread."""
        limits = request.extensions.get("timeout", {})
        answer = await self.send(
            request.method,
            str(request.url),
            headers=request.headers.multi_items(),
            body=as_body(await request.aread()),
            waits=aiohttp.ClientTimeout(
                total=None, sock_connect=limits.get("connect"), sock_read=limits.get("read")
            ),
        )
        return httpx2.Response(
            answer.status,
            headers=answer.raw_headers,
            stream=_Body(answer),
            request=request,
        )

    async def send(
        self,
        method: str,
        url: str,
        *,
        headers: Iterable[tuple[str, str]],
        body: Body,
        waits: aiohttp.ClientTimeout,
    ) -> aiohttp.ClientResponse:
        """Send one request without the SDK's layers; raises an `httpx2.TransportError`."""
        try:
            return await self._session.request(
                method,
                url,
                headers=headers,
                data=body,
                allow_redirects=False,
                timeout=waits,
                proxy=self._proxy(url) if self._proxies else None,
            )
        except (aiohttp.ClientError, OSError) as error:
            raise _opening_failure(error) from error

    async def aclose(self) -> None:
        """Close all connections."""
        await self._session.close()

    def _proxy(self, address: str) -> str | None:
        url = httpx2.URL(address)
        # the local and the sample model are on this machine, which no proxy reaches
        if url.host in _LOOPBACK or proxy_bypass(url.host):
            return None
        return self._proxies.get(url.scheme)


class _Body(httpx2.AsyncByteStream):
    """The body as it comes off the socket."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self._answer = answer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        left = LARGEST_REFUSAL if self._answer.status >= _REFUSAL else None
        async for piece in pieces_of(self._answer):
            yield piece
            if left is not None and (left := left - len(piece)) < 0:
                return

    async def aclose(self) -> None:
        """Give the connection back, or hang up when the body was not read to its end."""
        let_go(self._answer)


async def next_piece(answer: aiohttp.ClientResponse) -> bytes:
    """Return what has come of the body, nothing at its end; raises an `httpx2.TransportError`."""
    try:
        return await answer.content.readany()
    except aiohttp.SocketTimeoutError as error:
        raise httpx2.ReadTimeout("") from error
    except (aiohttp.ClientError, OSError) as error:
        raise httpx2.ReadError("") from error


async def pieces_of(answer: aiohttp.ClientResponse) -> AsyncGenerator[bytes]:
    """Yield the body as it comes; raises an `httpx2.TransportError`."""
    while piece := await next_piece(answer):
        yield piece


async def read_bounded(answer: aiohttp.ClientResponse, limit: int) -> bytes:
    """Read a body; raises `ProviderBroken` when it is larger than that."""
    body = bytearray()
    while piece := await next_piece(answer):
        body += piece
        if len(body) > limit:
            raise ProviderBroken(status=answer.status)
    return bytes(body)


def let_go(answer: aiohttp.ClientResponse) -> None:
    """Give the connection back, or hang up when the body was not read to its end."""
    if answer.content.at_eof():
        answer.release()
    else:
        answer.close()


def _tls() -> ssl.SSLContext | bool:
    # aiohttp's own is there already. Where OpenSSL finds no certificates by itself, httpx2
    # looks in more places, and loads 4 MiB to do so
    return True if ssl.get_default_verify_paths().cafile else _found_elsewhere()


@cache
def _found_elsewhere() -> ssl.SSLContext:
    # reading the certificates takes longer than anything else at start
    return httpx2.create_ssl_context()


def as_body(content: bytes) -> bytes | io.BytesIO | None:
    """Return a body in the form that is sent fastest."""
    # aiohttp writes a large body in slices only when it comes as a file
    return io.BytesIO(content) if len(content) >= _LARGE_BODY else content or None


def _opening_failure(error: aiohttp.ClientError | OSError) -> httpx2.TransportError:
    match error:
        case aiohttp.ConnectionTimeoutError():
            return httpx2.ConnectTimeout("")
        case TimeoutError():
            return httpx2.ReadTimeout("")
        case aiohttp.InvalidURL():
            return httpx2.UnsupportedProtocol("")
        case aiohttp.ClientResponseError():
            return httpx2.RemoteProtocolError("")
        case _:
            return httpx2.ConnectError("")
