"""Checks recorded requests against Discord's published API description, where a copy is at hand.

The description lies beside the repository, not in it; without it nothing is checked.
It is loaded once a process, and each route's validator is built at its first request.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, cast

import msgspec
from jsonschema import Draft202012Validator, ValidationError

from companion.playground.request_log import RecordedRequest
from companion.playground.wire import as_object

DESCRIPTION = Path(__file__).resolve().parents[3] / "shared" / "discord-openapi.json"

Json = dict[str, Any]

# What Discord accepts although its description does not list it, each with the reason.
# A pattern is matched against "METHOD /path: problem".
ACCEPTED = tuple(
    map(
        re.compile,
        (
            # Every route takes a query it does not know; clients always ask for the message.
            r"POST /interactions/.*: query with_response",
            # `wait` has no meaning for an interaction's webhook, clients send it all the same.
            r"POST /webhooks/.*: query wait",
            # Documented for messages ("Message Object"), missing in the webhook schemas.
            r"(POST|PATCH) /webhooks/.*: field (flags|tts|nonce|enforce_nonce) is unknown",
            # The former way to say `contexts`; deprecated, still documented and accepted.
            r"(POST|PUT|PATCH) /applications/.*/commands.*: field dm_permission is unknown",
            # Snowflakes may be sent as numbers ("API Reference: Snowflakes").
            r".*[.\]](\w+_)?id( oneOf:.*| anyOf:.*)? \d+ is not of type '(string|null)'$",
            r".* (any|one)Of: \S+\.(\w+_)?id \d+ is not of type '(string|null)'$",
            # Route of the OAuth2 document, which the description leaves out.
            r"GET /oauth2/applications/@me: unknown route",
        ),
    )
)


@dataclass(frozen=True, slots=True, eq=False)
class _Operation:
    validator: Any  # jsonschema's own types are half unknown
    fields: frozenset[str]
    query: frozenset[str]
    takes_body: bool


def violations(requests: Iterable[RecordedRequest]) -> list[str]:
    """Return what in these requests Discord's description does not allow."""
    if not DESCRIPTION.is_file():
        return []
    found = (f"{r.method} {r.template}: {p}" for r in requests for p in _problems(r))
    return [one for one in dict.fromkeys(found) if not _is_accepted(one)]


def assert_requests_follow_discord(requests: Iterable[RecordedRequest]) -> None:
    """Fail with a list of all violations, if there are any."""
    found = violations(requests)
    assert not found, "\n".join(["requests that Discord does not describe:", *found])


def _is_accepted(problem: str) -> bool:
    return any(pattern.match(problem) for pattern in ACCEPTED)


def _problems(request: RecordedRequest) -> Iterator[str]:
    operation = _operation(request.method, _anonymous(request.template))
    if operation is None:
        yield "unknown route"
        return
    yield from (f"query {name}" for name in request.query.keys() - operation.query)
    if request.body is None:
        return
    if not operation.takes_body:
        yield "takes no body"
        return
    yield from _problems_of_body(operation, msgspec.json.encode(request.body))


@cache  # an app that starts registers the same commands in nearly every test
def _problems_of_body(operation: _Operation, encoded: bytes) -> tuple[str, ...]:
    body = msgspec.json.decode(encoded)
    errors = cast("Iterable[ValidationError]", operation.validator.iter_errors(body))
    found = [f"{error.json_path} {_reason(error)}" for error in errors]
    fields = (as_object(body) or {}).keys() - operation.fields
    return (*found, *(f"field {name} is unknown" for name in sorted(fields)))


def _reason(error: ValidationError) -> str:
    if not error.context:
        return error.message[:200]
    # Of the alternatives that all failed, the one that got furthest tells what is wrong.
    deepest = max(error.context, key=lambda one: len(one.absolute_path))
    return f"{error.validator}: {deepest.json_path} {deepest.message[:200]}"


@cache
def _description() -> Json:
    return cast("Json", msgspec.json.decode(DESCRIPTION.read_bytes()))


@cache
def _paths() -> dict[str, Json]:
    return {_anonymous(path): item for path, item in _description()["paths"].items()}


def _anonymous(path: str) -> str:
    return re.sub(r"\{\w+\}", "{}", path)


@cache
def _operation(method: str, path: str) -> _Operation | None:
    item = _paths().get(path, {})
    described = item.get(method.lower())
    if described is None:
        return None
    parameters = [*item.get("parameters", ()), *described.get("parameters", ())]
    content = described.get("requestBody", {}).get("content", {})
    schema: Json = content.get("application/json", {}).get("schema", {})
    root = {"allOf": [schema], "components": _description()["components"]}
    return _Operation(
        validator=Draft202012Validator(root),
        fields=frozenset(_fields(schema)),
        query=frozenset(str(p["name"]) for p in parameters if p.get("in") == "query"),
        takes_body=bool(content),
    )


def _fields(schema: Json) -> set[str]:
    if "$ref" in schema:
        name = str(schema["$ref"]).rsplit("/", 1)[1]
        return _fields(_description()["components"]["schemas"][name])
    parts = [part for kind in ("allOf", "anyOf", "oneOf") for part in schema.get(kind, ())]
    return set(schema.get("properties", {})).union(*map(_fields, parts))
