"""A REST request as its handler sees it, and the answer it gives.

Handlers are plain functions: the whole world is in memory, so nothing waits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from companion.playground.api_errors import ApiError, FormErrors, Problem
from companion.playground.wire import JsonBody, JsonObject, as_int, as_object


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadedFile:
    """One part of a multipart body: `index` is n in `files[n]`."""

    index: int
    filename: str
    content: bytes = field(repr=False)
    content_type: str | None


@dataclass(slots=True, kw_only=True)
class Call:
    """One request: path parameters, query, parsed body, files."""

    method: str
    template: str
    parameters: Mapping[str, str]
    query: Mapping[str, str]
    body: object = None
    files: tuple[UploadedFile, ...] = ()

    def id(self, name: str) -> int:
        """Return a path parameter that is a snowflake. Raises `ApiError` (50035) otherwise."""
        value = as_int(self.parameters[name])
        if value is None:
            errors = FormErrors()
            text = self.parameters[name]
            errors.add((name,), "NUMBER_TYPE_COERCE", f'Value "{text}" is not snowflake.')
            errors.raise_if_any()
            raise AssertionError
        return value

    def json(self) -> JsonObject:
        """Return the body, an object; empty when there is none."""
        if self.body is None:
            return {}
        body = as_object(self.body)
        if body is None:
            raise ApiError(Problem.INVALID_FORM_BODY, errors=_NOT_AN_OBJECT)
        return body

    def flag(self, name: str) -> bool:
        """Return a boolean of the query."""
        return self.query.get(name, "").lower() in {"true", "1"}

    def number(self, name: str, default: int, *, low: int, high: int) -> int:
        """Return a number of the query within bounds. Raises `ApiError` (50035) otherwise."""
        text = self.query.get(name)
        if text is None:
            return default
        value = as_int(text)
        if value is not None and low <= value <= high:
            return value
        errors = FormErrors()
        code = "NUMBER_TYPE_MAX" if value is not None and value > high else "NUMBER_TYPE_MIN"
        errors.add((name,), code, f"int value should be between {low} and {high}.")
        errors.raise_if_any()
        raise AssertionError


_NOT_AN_OBJECT: JsonObject = {
    "_errors": [
        {"code": "MODEL_TYPE_CONVERT", "message": "Only dictionaries may be used in a ModelType"}
    ]
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer: JSON, or nothing (204)."""

    status: int = 200
    body: JsonBody | None = None


NO_CONTENT = Reply(status=204)

Handler = Callable[[Call], Reply]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A method and a path template, and who answers it."""

    method: str
    template: str
    handler: Handler


def route(method: str, template: str, handler: Handler) -> Route:
    """Return a route."""
    return Route(method=method, template=template, handler=handler)
