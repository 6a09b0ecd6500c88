"""Fetching an attached file: capped in size and time, redirects not followed."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Final

import aiohttp
import discord

from companion.domain.chat import InputFile
from companion.domain.errors import FileTooLarge, FileUnreadable

MAX_BYTES: Final = 10 * 1024 * 1024
FETCH_S: Final = 20.0
CHUNK_BYTES: Final = 64 * 1024


class Attachments:
    """Reads files that came with a command. The session's owner closes it."""

    def __init__(self, session: aiohttp.ClientSession, *, max_bytes: int = MAX_BYTES) -> None:
        self._session = session
        self._max_bytes = max_bytes

    async def read(self, attachment: discord.Attachment | None) -> tuple[InputFile, ...]:
        """Return the file, or nothing; raises `FileTooLarge` and `FileUnreadable`."""
        if attachment is None:
            return ()
        if attachment.size > self._max_bytes:
            raise self._too_large(attachment, attachment.size)
        try:
            async with asyncio.timeout(FETCH_S):
                data = await self._fetch(attachment)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise FileUnreadable(name=attachment.filename) from error
        return (
            InputFile(name=attachment.filename, content_type=attachment.content_type, data=data),
        )

    async def _fetch(self, attachment: discord.Attachment) -> bytes:
        async with self._session.get(attachment.url, allow_redirects=False) as response:
            if response.status != HTTPStatus.OK:
                raise FileUnreadable(name=attachment.filename)
            received = bytearray()
            # counted after decompression: the declared size says nothing about that
            async for chunk in response.content.iter_chunked(CHUNK_BYTES):
                received += chunk
                if len(received) > self._max_bytes:
                    raise self._too_large(attachment, len(received))
            return bytes(received)

    def _too_large(self, attachment: discord.Attachment, size: int) -> FileTooLarge:
        return FileTooLarge(name=attachment.filename, size=size, limit=self._max_bytes)
