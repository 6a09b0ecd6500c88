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
from collections.abc import AsyncIterator
from functools import cache
from typing import Final
from urllib.request import getproxies_environment, proxy_bypass

import aiohttp
import httpx2

LARGEST_REFUSAL: Final = 256 * 1024
_LOOPBACK: Final = {"localhost", "127.0.0.1", "::1"}
_LARGE_BODY: Final = 2**20
_REFUSAL: Final = 300


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
        try:
            answer = await self._session.request(
                request.method,
                str(request.url),
                headers=request.headers.multi_items(),
                data=_body(await request.aread()),
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(
                    total=None, sock_connect=limits.get("connect"), sock_read=limits.get("read")
                ),
                proxy=self._proxy(request.url),
            )
        except (aiohttp.ClientError, OSError) as error:
            raise _opening_failure(error) from error
        return httpx2.Response(
            answer.status,
            headers=answer.raw_headers,
            stream=_Body(answer),
            request=request,
        )

    async def aclose(self) -> None:
        """Close all connections."""
        await self._session.close()

    def _proxy(self, url: httpx2.URL) -> str | None:
        # the local and the sample model are on this machine, which no proxy reaches
        if not self._proxies or url.host in _LOOPBACK or proxy_bypass(url.host):
            return None
        return self._proxies.get(url.scheme)


class _Body(httpx2.AsyncByteStream):
    """The body as it comes off the socket."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self._answer = answer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        left = LARGEST_REFUSAL if self._answer.status >= _REFUSAL else None
        try:
            async for piece in self._answer.content.iter_any():
                yield piece
                if left is not None and (left := left - len(piece)) < 0:
                    return
        except aiohttp.SocketTimeoutError as error:
            raise httpx2.ReadTimeout("") from error
        except (aiohttp.ClientError, OSError) as error:
            raise httpx2.ReadError("") from error

    async def aclose(self) -> None:
        """Give the connection back, or hang up when the body was not read to its end."""
        if self._answer.content.at_eof():
            self._answer.release()
        else:
            self._answer.close()


@cache
def _tls() -> ssl.SSLContext:
    # reading the certificates takes longer than anything else at start
    return httpx2.create_ssl_context()


def _body(content: bytes) -> bytes | io.BytesIO | None:
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
