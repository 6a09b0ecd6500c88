"""What can be made to go wrong, so that tests see how the app takes it.

A rule applies to the next `times` requests of its route (`"*"` matches any), after
`after` of them went well. REST rules are looked up here; what concerns the gateway
or one interaction is done at once by `LocalDiscord.faults`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from companion.playground.api_errors import ApiError, Problem
from companion.playground.wire import JsonObject

CALLBACK = "/interactions/{interaction_id}/{interaction_token}/callback"
ORIGINAL = "/webhooks/{webhook_id}/{webhook_token}/messages/@original"


class FaultKind(StrEnum):
    """How a request goes wrong."""

    ANSWER = "answer"
    HANG = "hang"
    LOSE_ANSWER = "lose_answer"
    HANG_AFTER = "hang_after"
    RESET = "reset"
    DELAY = "delay"


@dataclass(slots=True, kw_only=True)
class Fault:
    """One rule. `status`, `body`, `headers` and `html` are the answer of kind `ANSWER`."""

    kind: FaultKind
    method: str = "*"
    template: str = "*"
    times: int = 1
    after: int = 0
    delay_s: float = 0.0
    status: int = 500
    body: JsonObject | None = None
    html: str | None = None
    headers: dict[str, str] = field(default_factory=dict[str, str])

    def matches(self, method: str, template: str) -> bool:
        """Say whether it is about that route."""
        return self.method in {"*", method} and self.template in {"*", template}


class RestFaults:
    """Rules for REST requests, in the order they were made."""

    def __init__(self) -> None:
        self._rules: list[Fault] = []

    def add(self, fault: Fault) -> Fault:
        """Add a rule; `times` of the returned one counts down."""
        self._rules.append(fault)
        return fault

    def clear(self) -> None:
        """Drop all rules."""
        self._rules.clear()

    def next_for(self, method: str, template: str) -> Fault | None:
        """Return the rule for this request, and count it."""
        for fault in self._rules:
            if not fault.matches(method, template):
                continue
            if fault.after > 0:
                fault.after -= 1
                continue
            fault.times -= 1
            if fault.times <= 0:
                self._rules.remove(fault)
            return fault
        return None

    # -- the usual ones --------------------------------------------------------------

    def fail(
        self,
        method: str,
        template: str,
        problem: Problem | int = 500,
        *,
        times: int = 1,
        after: int = 0,
        delay_s: float = 0.0,
    ) -> Fault:
        """Refuse with one of Discord's errors, or a bare status."""
        status, body = problem, None
        if isinstance(problem, Problem):
            status, body = problem.status, ApiError(problem).body()
        return self.add(
            Fault(
                kind=FaultKind.ANSWER,
                method=method,
                template=template,
                status=int(status if not isinstance(status, Problem) else status.status),
                body=body,
                times=times,
                after=after,
                delay_s=delay_s,
            )
        )

    def fail_callback(
        self, how: int | Problem | FaultKind = 500, *, times: int = 1, after: int = 0
    ) -> Fault:
        """Break interaction callbacks: a status, an error, or `HANG`, `LOSE_ANSWER`, `RESET`."""
        if isinstance(how, FaultKind):
            return self.break_off(how, "POST", CALLBACK, times=times, after=after)
        return self.fail("POST", CALLBACK, how, times=times, after=after)

    def break_off(
        self, kind: FaultKind, method: str, template: str, *, times: int = 1, after: int = 0
    ) -> Fault:
        """Never answer (`HANG`, or done: `HANG_AFTER`) or cut (`RESET`, or done: `LOSE_ANSWER`)."""
        return self.add(
            Fault(kind=kind, method=method, template=template, times=times, after=after)
        )

    def delay(self, method: str, template: str, seconds: float, *, times: int = 1) -> Fault:
        """Answer properly, but late."""
        return self.add(
            Fault(
                kind=FaultKind.DELAY,
                method=method,
                template=template,
                delay_s=seconds,
                times=times,
            )
        )

    def shared_limit(
        self, method: str, template: str, retry_after_s: float = 1337.0, *, times: int = 1
    ) -> Fault:
        """Refuse with a 429 of scope `shared`: a limit used up by others."""
        return self.add(
            Fault(
                kind=FaultKind.ANSWER,
                method=method,
                template=template,
                status=429,
                body={
                    "message": "The resource is being rate limited.",
                    "retry_after": retry_after_s,
                    "global": False,
                },
                headers={
                    "Retry-After": str(int(retry_after_s)),
                    "X-RateLimit-Scope": "shared",
                    "X-RateLimit-Limit": "10",
                    "X-RateLimit-Remaining": "0",
                    "X-RateLimit-Reset-After": str(retry_after_s),
                },
                times=times,
            )
        )

    def cloudflare_ban(self, retry_after_s: int = 600, *, times: int = 1_000_000) -> Fault:
        """Refuse everything with Cloudflare's page: a 429 in HTML, without `Via`."""
        return self.add(
            Fault(
                kind=FaultKind.ANSWER,
                status=429,
                html="<!doctype html><title>Access denied</title>"
                "<h1>Error 1015</h1><p>You are being rate limited</p>",
                headers={"Retry-After": str(retry_after_s)},
                times=times,
            )
        )
