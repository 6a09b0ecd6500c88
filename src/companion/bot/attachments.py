"""Fetching attached files: from Discord only, capped in size and time, no redirects."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Sequence
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

import aiohttp
import discord

from companion.domain.chat import InputFile
from companion.domain.errors import FileTooLarge, FileUnreadable
from companion.domain.file_errors import FilesBusy, FilesTooLarge, TooManyFiles

MAX_BYTES: Final = 10 * 1024 * 1024
MAX_TOTAL_BYTES: Final = 25 * 1024 * 1024
MAX_FILES: Final = 10
MOST_HELD_BYTES: Final = 128 * 1024 * 1024
"""Of all files that questions still hold: memory is everybody's, whoever fills it."""

BUSY_RETRY_S: Final = 15.0
FETCH_S: Final = 30.0
"""For all files of one message together."""

CHUNK_BYTES: Final = 64 * 1024
CDN_HOSTS: Final = frozenset({"cdn.discordapp.com", "media.discordapp.net"})


class Attachments:
    """Reads files that came with a command or message. The session's owner closes it.

    `api_url` is where Discord is instead of at its own address: a local one keeps its
    files there. Any other address is not asked for: the URL came in from outside.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        *,
        api_url: str | None = None,
        max_bytes: int = MAX_BYTES,
        max_total_bytes: int = MAX_TOTAL_BYTES,
        most_held_bytes: int = MOST_HELD_BYTES,
    ) -> None:
        self._session = session
        self._local = _origin(api_url) if api_url else None
        self._max_bytes = max_bytes
        self._max_total_bytes = max_total_bytes
        self._most_held_bytes = most_held_bytes
        self._held_bytes = 0

    async def read(self, attachment: discord.Attachment | None) -> tuple[InputFile, ...]:
        """Return the file, or nothing; raises as `read_all` does."""
        return await self.read_all(() if attachment is None else (attachment,))

    async def read_all(self, attachments: Sequence[discord.Attachment]) -> tuple[InputFile, ...]:
        """Return the files, in order.

        Raises `TooManyFiles`, `FilesTooLarge`, `FileTooLarge`, `FileUnreadable`, `FilesBusy`.
        """
        self._check(attachments)
        files: list[InputFile] = []
        left = self._max_total_bytes
        deadline = asyncio.get_running_loop().time() + FETCH_S
        for attachment in attachments:
            files.append(await self._file(attachment, left, deadline))
            left -= len(files[-1].data)
        return tuple(files)

    def _check(self, attachments: Sequence[discord.Attachment]) -> None:
        """Refuse what need not be fetched to be refused."""
        if len(attachments) > MAX_FILES:
            raise TooManyFiles(count=len(attachments), limit=MAX_FILES)
        for attachment in attachments:
            if attachment.size > self._max_bytes:
                raise self._too_large(attachment, attachment.size)
        total = sum(attachment.size for attachment in attachments)
        if total > self._max_total_bytes:
            raise FilesTooLarge(size=total, limit=self._max_total_bytes)

    async def _file(self, attachment: discord.Attachment, left: int, deadline: float) -> InputFile:
        if not self._is_discords(attachment.url):
            raise FileUnreadable(name=attachment.filename)
        room = min(self._max_bytes, left)
        self._hold(room)  # the declared size may be a lie
        try:
            async with asyncio.timeout_at(deadline):
                data = await self._fetch(attachment, left)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise FileUnreadable(name=attachment.filename) from error
        finally:
            self._release(room)
        file = InputFile(name=attachment.filename, content_type=attachment.content_type, data=data)
        self._held_bytes += len(data)
        weakref.finalize(file, self._release, len(data))
        return file

    def _hold(self, size: int) -> None:
        if self._held_bytes + size > self._most_held_bytes:
            raise FilesBusy(retry_after_s=BUSY_RETRY_S)
        self._held_bytes += size

    def _release(self, size: int) -> None:
        self._held_bytes -= size

    async def _fetch(self, attachment: discord.Attachment, left: int) -> bytes:
        async with self._session.get(attachment.url, allow_redirects=False) as response:
            if response.status != HTTPStatus.OK:
                raise FileUnreadable(name=attachment.filename)
            received = bytearray()
            # counted after decompression: the declared size says nothing about that
            async for chunk in response.content.iter_chunked(CHUNK_BYTES):
                received += chunk
                if len(received) > self._max_bytes:
                    raise self._too_large(attachment, len(received))
                if len(received) > left:
                    raise FilesTooLarge(size=len(received), limit=self._max_total_bytes)
            return bytes(received)

    def _is_discords(self, url: str) -> bool:
        origin = _origin(url)
        if origin is None:
            return False
        scheme, host, port = origin
        at_discord = scheme == "https" and host in CDN_HOSTS and port in {None, 443}
        return at_discord or origin == self._local

    def _too_large(self, attachment: discord.Attachment, size: int) -> FileTooLarge:
        return FileTooLarge(name=attachment.filename, size=size, limit=self._max_bytes)


def _origin(url: str) -> tuple[str, str, int | None] | None:
    """Return scheme, host and port; nothing for what has a name and password, or is no URL."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if not parts.hostname or parts.username is not None or "\\" in url:
        return None
    return parts.scheme, parts.hostname, port
