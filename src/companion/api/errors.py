"""From an error to an HTTP answer: `{"error": "…"}`, or OpenAI's shape under its routes.

Raise a `CompanionError` or a `Problem` anywhere in a route; the handlers installed
here do the rest.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Final, cast

import msgspec
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from companion.api.error_table import ROWS
from companion.domain import api_errors as a
from companion.domain import errors as e
from companion.domain import money_errors as m
from companion.domain.errors import CompanionError

OPENAI: Final = "/modules/openai"
REQUEST_ID: Final = "X-Request-ID"
NO_CREDIT_RETRY_S: Final = 600.0
OVERLOADED_RETRY_S: Final = 5.0
_TYPES: Final = {
    401: "authentication_error",
    403: "permission_error",
    409: "conflict_error",
    429: "rate_limit_error",
}
_PLAIN_WORDS: Final = {
    400: "The request can't be read.",
    404: "There is no such page.",
    405: "This page doesn't take that method.",
    413: "The request is too large.",
    415: "The request has a form that can't be read.",
}


class Problem(HTTPException):
    """What is wrong with a request as such; `words` are shown, `param` names a field.

    `kind` is the type in OpenAI's shape, where the status does not decide it. It is one
    of the framework's own exceptions, because the framework turns any other that strikes
    while it reads a body into a 400.
    """

    def __init__(
        self,
        status: int,
        words: str,
        *,
        code: str | None = None,
        param: str | None = None,
        kind: str | None = None,
        retry_after_s: float | None = None,
        extra: dict[str, str] | None = None,
    ) -> None:
        super().__init__(status, words)
        self.words = words
        self.code = code
        self.param = param
        self.kind = kind
        self.extra = dict(extra or {})
        if retry_after_s is not None:
            self.extra["Retry-After"] = str(max(1, math.ceil(retry_after_s)))


def problem_of(error: CompanionError) -> Problem:
    """Return what to answer for an error; a class without a row takes its parent's."""
    row = next(ROWS[kind] for kind in type(error).__mro__ if kind in ROWS)
    status = row.status(error)
    headers = {"WWW-Authenticate": "Bearer"} if isinstance(error, a.TokenRejected) else None
    param = row.param
    if isinstance(error, e.OptionOutOfRange | e.OptionMissing):
        param = error.option
    problem = Problem(
        status,
        row.say(error),
        code=row.code,
        param=param,
        retry_after_s=_retry_after_s(error, status),
        extra=headers,
    )
    if isinstance(error, e.ProviderError):
        _quote(problem, error)
    return problem


def body_of(problem: Problem, path: str) -> tuple[int, bytes]:
    """Return status and JSON of a problem, in the shape that clients of `path` expect."""
    if not path.startswith(OPENAI):
        return problem.status_code, msgspec.json.encode({"error": problem.words})
    status = 400 if problem.status_code == 422 else problem.status_code  # noqa: PLR2004
    fallback = "server_error" if status >= 500 else "invalid_request_error"  # noqa: PLR2004
    kind = problem.kind or _TYPES.get(status) or fallback
    error = {
        "message": problem.words,
        "type": kind,
        "param": problem.param,
        "code": problem.code,
    }
    return status, msgspec.json.encode({"error": error})


def response(problem: Problem, path: str) -> Response:
    """Return the whole answer."""
    status, body = body_of(problem, path)
    return Response(body, status, problem.extra, media_type="application/json")


def install(app: FastAPI) -> None:
    """Answer every known failure of the application's routes."""
    app.add_exception_handler(CompanionError, _of_ours)
    app.add_exception_handler(RequestValidationError, _of_fields)
    app.add_exception_handler(HTTPException, _of_framework)


def _quote(problem: Problem, error: e.ProviderError) -> None:
    """Take over what the provider says in codes, except of the key, which is not the caller's."""
    if error.request_id and error.request_id.isascii() and error.request_id.isprintable():
        problem.extra[REQUEST_ID] = error.request_id
    if not isinstance(error, e.CredentialRejected | e.CredentialRestricted):
        problem.code = error.upstream_code or problem.code
        problem.param = error.upstream_param or problem.param
        problem.kind = error.upstream_type


def _retry_after_s(error: CompanionError, status: int) -> float | None:
    if isinstance(error, e.KeyOutOfCredit):
        return (error.until - datetime.now(UTC)).total_seconds()
    if isinstance(error, m.BudgetSpent):
        return (error.resets_at - datetime.now(UTC)).total_seconds()
    if isinstance(error, e.CreditExhausted):
        return NO_CREDIT_RETRY_S
    known: object = getattr(error, "retry_after_s", None)
    if isinstance(known, int | float):
        return known
    return OVERLOADED_RETRY_S if status in {429, 503} else None


async def _of_ours(request: Request, error: Exception) -> Response:
    return response(problem_of(cast("CompanionError", error)), request.url.path)


async def _of_framework(request: Request, error: Exception) -> Response:
    if isinstance(error, Problem):
        return response(error, request.url.path)
    raised = cast("HTTPException", error)
    words = _PLAIN_WORDS.get(raised.status_code, "That did not work.")
    problem = Problem(raised.status_code, words, extra=dict(raised.headers or {}))
    return response(problem, request.url.path)


async def _of_fields(request: Request, error: Exception) -> Response:
    first = cast("RequestValidationError", error).errors()[0]
    if first["type"] == "json_invalid":
        return response(Problem(400, "The body is no JSON."), request.url.path)
    where = ".".join(str(part) for part in first["loc"][1:])
    words = f"{where}: {first['msg']}." if where else f"{first['msg']}."
    return response(Problem(422, words, param=where or None), request.url.path)
