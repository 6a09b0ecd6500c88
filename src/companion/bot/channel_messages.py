"""A reply's messages as ordinary messages of a channel, sent with the bot's token.

A message that Discord took although its answer got lost is not sent twice: each has a
nonce that Discord enforces, made from what is answered and the message's number.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final, cast

import aiohttp
import discord
import structlog
from discord.http import HTTPClient, Route

from companion.bot.buttons import Button
from companion.bot.responder import (
    ARCHIVED,
    UNKNOWN_MESSAGE,
    DeliveryDelayed,
    DeliveryError,
    DeliveryGone,
    TextFile,
)
from companion.bot.rest import RateLimited
from companion.bot.standing import Held
from companion.bot.views import view_of

log = structlog.get_logger()

DELETE_S: Final = 30.0
REOPEN_S: Final = 10.0
_MESSAGES: Final = "/channels/{channel_id}/messages"
_FLAGS: Final = discord.MessageFlags(suppress_embeds=True).value

Payload = dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """Where messages go. `origin` is what is answered; a `reply_to` is pinged, once."""

    channel_id: int
    origin: int
    reply_to: int | None = None

    @property
    def route(self) -> Route:
        """Where a new message is sent."""
        return Route("POST", _MESSAGES, channel_id=self.channel_id)

    def below(self, content: str, components: Sequence[object]) -> Payload:
        """Return a message that replies, as Discord wants it."""
        payload = _payload(content, components)
        if self.reply_to is not None:
            payload["allowed_mentions"] = {"parse": [], "replied_user": True}
            payload["message_reference"] = {
                "message_id": str(self.reply_to),
                "fail_if_not_exists": False,
            }
        return payload


class ChannelMessages:
    """Sends and edits in one channel. Every call raises `DeliveryError`.

    Messages in `reused` exist already; they are filled again before new ones are sent.
    """

    def __init__(
        self,
        http: HTTPClient,
        spot: Spot,
        *,
        reused: Sequence[int] = (),
        request_s: float = 30.0,
    ) -> None:
        self._http = http
        self._spot = spot
        self._unused = deque(reused)
        self._request_s = request_s
        self.ids: list[int] = []
        """The messages of this reply, in order."""

    @property
    def channel_id(self) -> int:
        """The channel."""
        return self._spot.channel_id

    async def send(self, content: str, buttons: Sequence[Button], file: TextFile | None) -> int:
        """Send a message and return its number here, from 0."""
        while self._unused:
            again = self._unused.popleft()
            try:
                await self._patch(again, content, buttons, file, fields={"attachments": []})
            except DeliveryGone as gone:
                if gone.code != UNKNOWN_MESSAGE:
                    raise
                continue  # somebody deleted it in the meantime
            self.ids.append(again)
            return len(self.ids) - 1
        return await self._create(content, buttons, file)

    async def edit(
        self, number: int, content: str, buttons: Sequence[Button], file: TextFile | None
    ) -> None:
        """Replace a message's text and buttons."""
        await self._patch(self.ids[number], content, buttons, file)

    async def delete_all(self) -> None:
        """Delete all messages of the reply, and the reused ones."""
        self._unused.extend(self.ids)
        self.ids.clear()
        await self.delete_unused()

    async def delete_unused(self) -> None:
        """Delete the reused messages that the new text did not need."""
        left = [(self.channel_id, message_id) for message_id in self._unused]
        self._unused.clear()
        await delete_messages(self._http, left)

    async def _create(self, content: str, buttons: Sequence[Button], file: TextFile | None) -> int:
        number, spot = len(self.ids), self._spot
        components = _components(buttons)
        payload = _payload(content, components) if number else spot.below(content, components)
        payload |= {"nonce": f"{spot.origin}-{number}", "enforce_nonce": True}
        sent = await self._request(spot.route, payload, file)
        message_id = int(str(sent["id"]))
        self.ids.append(message_id)
        if str(sent.get("content", content)).strip() != content.strip():
            # an earlier try had come through, with the text of then
            await self._patch(message_id, content, buttons, None)
        return number

    async def _patch(
        self,
        message_id: int,
        content: str,
        buttons: Sequence[Button],
        file: TextFile | None,
        fields: Mapping[str, object] | None = None,
    ) -> None:
        route = Route(
            "PATCH",
            f"{_MESSAGES}/{{message_id}}",
            channel_id=self._spot.channel_id,
            message_id=message_id,
        )
        await self._request(
            route, {**_payload(content, _components(buttons)), **(fields or {})}, file
        )

    async def _request(
        self, route: Route, payload: Payload, file: TextFile | None
    ) -> Mapping[str, object]:
        with _translated():
            async with asyncio.timeout(self._request_s):
                try:
                    return await self._send(route, payload, file)
                except discord.HTTPException as error:
                    if error.code != ARCHIVED:
                        raise
                    await self._http.edit_channel(self.channel_id, archived=False)
                    return await self._send(route, payload, file)

    async def _send(
        self, route: Route, payload: Payload, file: TextFile | None
    ) -> Mapping[str, object]:
        body: dict[str, Any] = {"json": payload} if file is None else {"form": _form(payload, file)}
        sent: Any = await self._http.request(route, paced=True, **body)
        return cast("Mapping[str, object]", sent)


async def reopen(http: HTTPClient, thread_id: int) -> None:
    """Open an archived thread again; raises `DeliveryError`."""
    with _translated():
        async with asyncio.timeout(REOPEN_S):
            await http.edit_channel(thread_id, archived=False)


async def delete_messages(http: HTTPClient, messages: Iterable[tuple[int, int]]) -> None:
    """Delete messages, each named with its channel; what cannot be deleted stays."""
    for channel_id, message_id in messages:
        try:
            async with asyncio.timeout(DELETE_S):
                await http.delete_message(channel_id, message_id)
        except (discord.HTTPException, aiohttp.ClientError, TimeoutError, OSError) as error:
            log.info("message_not_deleted", why=type(error).__name__)


@contextmanager
def _translated() -> Generator[None]:
    try:
        yield
    except discord.HTTPException as error:
        raise _delivery_error(error) from error
    except Held as held:
        raise DeliveryDelayed(retry_after_s=held.seconds) from held
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise DeliveryDelayed from error


def _delivery_error(error: discord.HTTPException) -> DeliveryError:
    if isinstance(error, RateLimited):
        return DeliveryDelayed(status=error.status, retry_after_s=error.retry_after_s)
    passing = (
        error.status >= HTTPStatus.INTERNAL_SERVER_ERROR
        or error.status == HTTPStatus.TOO_MANY_REQUESTS
    )
    return (DeliveryDelayed if passing else DeliveryGone)(status=error.status, code=error.code)


def _payload(content: str, components: Sequence[object]) -> Payload:
    return {
        "content": content,
        "components": components,
        "allowed_mentions": {"parse": []},
        "flags": _FLAGS,
    }


def _components(buttons: Sequence[Button]) -> Sequence[object]:
    view = view_of(buttons)
    return [] if view is None else view.to_components()  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]


def _form(payload: Payload, file: TextFile) -> list[dict[str, object]]:
    attached = {**payload, "attachments": [{"id": 0, "filename": file.name}]}
    return [
        {"name": "payload_json", "value": json.dumps(attached), "content_type": "application/json"},
        {
            "name": "files[0]",
            "value": file.text.encode(),
            "filename": file.name,
            "content_type": "text/markdown; charset=utf-8",
        },
    ]
