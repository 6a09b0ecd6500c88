"""`companion tokens`: make, list and end the HTTP API's tokens."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from companion.clock import SystemClock
from companion.domain.api_errors import TokenUnknown
from companion.domain.errors import ConfigurationError, OptionOutOfRange
from companion.domain.tokens import EVERY_SCOPE, ApiToken, TokenId, TokenScope, read_token_id
from companion.services.access import AccessGate
from companion.services.tokens import NewToken, TokensService
from companion.settings import Settings
from companion.shell.sentences import Exit
from companion.shell.starting import loaded_settings
from companion.storage import opened_store

_UNITS: Final = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_LONGEST: Final = timedelta(days=3650)


def create(
    name: str, *, users: Iterable[str], act_as: bool, expires: str | None, scopes: Iterable[str]
) -> tuple[str, str]:
    """Make a token; return its text, and what to say beside it."""
    settings = loaded_settings(quiet=True)
    until = None if expires is None else datetime.now(UTC) + _duration(expires)
    allowed = frozenset(map(_scope, scopes)) or EVERY_SCOPE

    async def new(tokens: TokensService) -> NewToken:
        return await tokens.create(
            name, user_ids=users, act_as=act_as, scopes=allowed, expires_at=until
        )

    try:
        made = asyncio.run(_create(settings, new))
    except OptionOutOfRange as error:
        raise ConfigurationError(
            variable="NAME" if error.option == "name" else "--user",
            problem="cannot be used",
            fix=f"give 1 to {error.maximum:.0f} readable characters, not beginning with `token:`",
        ) from error
    said = f"Token {made.token.id.hex} {_rights(made.token)}.\nKeep it: it is not shown again."
    return made.text.reveal(), said


def listing() -> str:
    """Return a line per token."""
    found = asyncio.run(_all(loaded_settings(quiet=True)))
    if not found:
        return "There are no tokens. Make one with `companion tokens create NAME`."
    now = datetime.now(UTC)
    return "\n".join(
        f"{token.id.hex}  {token.name:<20}  {_state(token, now):<20}  {_rights(token)}"
        for token in found
    )


def revoke(typed: str) -> tuple[str, Exit]:
    """End a token; return the outcome in words and as an exit code."""
    settings = loaded_settings(quiet=True)
    token_id = read_token_id(typed) or _id(typed)  # whoever has only the token may end it, too
    try:
        asyncio.run(_revoke(settings, token_id))
    except TokenUnknown:
        return "There is no such token in use. See `companion tokens list`.", Exit.FAILED
    return f"Token {token_id.hex} is revoked.", Exit.OK


@asynccontextmanager
async def _service(settings: Settings) -> AsyncGenerator[TokensService]:
    async with opened_store(settings) as store:
        yield TokensService(store=store, gate=AccessGate(), clock=SystemClock())


async def _create(
    settings: Settings, new: Callable[[TokensService], Awaitable[NewToken]]
) -> NewToken:
    async with _service(settings) as tokens:
        return await new(tokens)


async def _all(settings: Settings) -> list[ApiToken]:
    async with _service(settings) as tokens:
        return list(await tokens.everyones())


async def _revoke(settings: Settings, token_id: TokenId) -> None:
    async with _service(settings) as tokens:
        await tokens.revoke(token_id)


def _id(typed: str) -> TokenId:
    try:
        return TokenId(UUID(typed))
    except ValueError as error:
        raise ConfigurationError(
            variable="ID", problem="is no token's id", fix="copy it from `companion tokens list`"
        ) from error


def _duration(text: str) -> timedelta:
    found = re.fullmatch(r"(\d{1,5})([mhdw])", text.strip().lower())
    length = timedelta(**{_UNITS[found[2]]: int(found[1])}) if found else timedelta()
    if not timedelta() < length <= _LONGEST:
        raise ConfigurationError(
            variable="--expires",
            problem="is no length of time up to ten years",
            fix="write it like 90d, 12h or 30m",
        )
    return length


def _scope(word: str) -> TokenScope:
    try:
        return TokenScope(word)
    except ValueError as error:
        raise ConfigurationError(
            variable="--scope",
            problem="is not one of the scopes",
            fix=f"use {', '.join(TokenScope)}",
        ) from error


def _state(token: ApiToken, now: datetime) -> str:
    if token.revoked_at is not None:
        return "revoked"
    if not token.usable_at(now):
        return "expired"
    return f"until {token.expires_at:%Y-%m-%d %H:%M}" if token.expires_at else "in use"


def _rights(token: ApiToken) -> str:
    if token.discord_id is not None:
        who = f"the Discord user {token.discord_id}"
    elif token.act_as:
        who = "any user_id"
    else:
        who = ", ".join(sorted(token.user_ids))
    everything = token.scopes == EVERY_SCOPE
    uses = "everything" if everything else ", ".join(sorted(token.scopes))
    return f"speaks for {who}, for {uses}"
