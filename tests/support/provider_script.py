"""What the scripted provider can be told to do, as values."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

GARBAGE = b"data: {not json\n\n"
HUGE_LINE_BYTES = 10_000_000
AUTO: Final = "auto"
"""Usage counted by the provider itself, at `Answer.chunk` characters a token."""


class Fault(StrEnum):
    """How a stream breaks, after `Answer.fault_after` tokens."""

    EOF = "eof"
    STALL = "stall"
    PINGS = "pings"
    ERROR_EVENT = "error_event"
    BAD_JSON = "bad_json"
    WRONG_TYPES = "wrong_types"
    HUGE_LINE = "huge_line"
    RESET = "reset"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer, streamed when the request asks for it.

    `tokens_per_s=None` writes as fast as the socket takes it; `chunk` is the number
    of characters in one token. `usage` is a mapping, raw JSON, or `None` for none.
    `ends` says which of the two terminal marks are sent.
    """

    text: str = "Hello from the scripted provider."
    ttft_s: float = 0.0
    tokens_per_s: float | None = None
    chunk: int = 4
    finish: str | None = "stop"
    usage: Mapping[str, Any] | str | None = AUTO
    done: bool = True
    pings: int = 0
    fault: Fault | None = None
    fault_after: int = 0
    error: Mapping[str, Any] = field(
        default_factory=lambda: {"message": "UPSTREAM TEXT", "type": "server_error", "code": None}
    )

    def tokens(self) -> list[str]:
        return [self.text[i : i + self.chunk] for i in range(0, len(self.text), self.chunk)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """An answer that is not a stream: an error, a redirect, or a page of HTML with 200.

    The body is OpenAI's error shape unless `body` is given.
    """

    status: int
    code: str | None = None
    param: str | None = None
    type: str = "invalid_request_error"
    message: str = "UPSTREAM TEXT"
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes | None = None
    content_type: str = "application/json"
    delay_s: float = 0.0

    def payload(self) -> bytes:
        if self.body is not None:
            return self.body
        error = {
            "message": self.message,
            "type": self.type,
            "param": self.param,
            "code": self.code,
        }
        return json.dumps({"error": error}).encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reset:
    """Drop the connection before any header."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """Take the request and never answer."""


Behaviour = Answer | Status | Reset | Silence
Choice = Behaviour | Callable[[dict[str, Any]], Behaviour]
"""A behaviour, or a function from the request's body to one."""

RATE_LIMITED = Status(status=429, code="rate_limit_exceeded", type="requests")
NO_CREDIT = Status(status=429, code="insufficient_quota", type="insufficient_quota")
WRONG_KEY = Status(status=401, code="invalid_api_key")
MISSING_SCOPES = Status(
    status=401, message="You have insufficient permissions. Missing scopes: model.read"
)
OVERLOADED = Status(status=503, code="server_is_overloaded", type="service_unavailable_error")
HTML_PAGE = Status(status=200, body=b"<html>UPSTREAM TEXT</html>", content_type="text/html")


def unsupported(param: str, code: str = "unsupported_value") -> Status:
    """Return the 400 by which OpenAI says that a field or its value is not for this model."""
    return Status(status=400, code=code, param=param)
