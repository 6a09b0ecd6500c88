"""Every REST request, for measuring and for checking against Discord's own description."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

_KEPT = 100_000
Scope = Literal["user", "global", "shared"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedRequest:
    """One request: when, what, and how it ended.

    `template` is the path with its parameter names, `code` Discord's error code, `fault`
    the injected fault that decided the answer; `latency_s` is the server's own time.
    """

    at: float
    method: str
    path: str
    template: str
    parameters: Mapping[str, str]
    query: Mapping[str, str]
    body: object = field(repr=False)
    files: tuple[str, ...]
    status: int
    code: int | None
    latency_s: float
    fault: str | None = None
    scope: Scope | None = None


class RequestLog(list[RecordedRequest]):
    """All requests, oldest first; the first half goes when there are very many."""

    def append(self, request: RecordedRequest) -> None:
        """Add one."""
        if len(self) >= _KEPT:
            del self[: _KEPT // 2]
        super().append(request)

    def of(self, method: str, template: str) -> list[RecordedRequest]:
        """Return those of one route."""
        return [r for r in self if r.method == method and r.template == template]

    @property
    def invalid(self) -> int:
        """Return how many count towards Discord's ban: 401, 403, and 429 unless shared."""
        return sum(1 for r in self if r.status in {401, 403, 429} and r.scope != "shared")
