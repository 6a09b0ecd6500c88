"""Who calls: the token of a request, and whom it speaks for.

Routes take `Annotated[Caller, Depends(requires(TokenScope.CHAT))]`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Annotated, Final, cast

from fastapi import FastAPI, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.types import Scope

from companion.domain.actor import Actor, Place, PlaceKind
from companion.domain.api_errors import ScopeMissing, TokenRejected
from companion.domain.tokens import ApiToken, TokenId, TokenScope
from companion.services.access import identity
from companion.services.tokens import TokensService

HERE: Final = Place(kind=PlaceKind.HTTP)
SPEAKS_FOR: Final = "companion.speaks_for"
"""Where the request's scope names whose buckets it takes from, for the answer's headers."""

_bearer = HTTPBearer(
    auto_error=False,
    scheme_name="token",
    description="A Companion token: `companion tokens create NAME`, or `/token` on Discord.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Whoever a request speaks for, by the token it came with."""

    actor: Actor
    place: Place
    token: ApiToken
    request_scope: Scope

    @property
    def token_id(self) -> TokenId:
        """The token's id."""
        return self.token.id

    @property
    def scopes(self) -> frozenset[TokenScope]:
        """What the token may be used for."""
        return self.token.scopes

    def speaking_for(self, user_id: str) -> Caller:
        """Return the caller as that user; raises `NotYours`, whether or not the user exists."""
        actor = self.token.actor_for(user_id)
        self.request_scope[SPEAKS_FOR] = identity(actor)
        return replace(self, actor=actor)


async def caller(
    request: Request,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)] = None,
) -> Caller:
    """Return who calls; raises `TokenRejected`."""
    if credentials is None:
        raise TokenRejected
    app: FastAPI = request.app
    tokens = cast("TokensService", app.state.tokens)
    token = await tokens.authenticate(credentials.credentials)
    actor = token.actor()
    request.scope[SPEAKS_FOR] = identity(actor)
    return Caller(actor=actor, place=HERE, token=token, request_scope=request.scope)


def requires(scope: TokenScope) -> Callable[..., Awaitable[Caller]]:
    """Return the dependency for callers whose token has that scope."""

    async def allowed(who: Annotated[Caller, Security(caller)]) -> Caller:
        if scope not in who.scopes:
            raise ScopeMissing(scope=scope.value)
        return who

    return allowed
