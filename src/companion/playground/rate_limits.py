"""Discord's rate limits: buckets by route and place, and one global one for bot tokens.

"Rate Limits" in Discord's documents. The sizes are not documented; these are what
apps observe. A bucket is a window: it opens with the first request and is full
again when it ends.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from companion.playground.calls import Call
from companion.playground.wire import JsonObject, as_object


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """So many requests in so many seconds."""

    requests: int
    per_s: float


_FIVE = Limit(requests=5, per_s=5.0)


@dataclass(slots=True, kw_only=True)
class LimitSizes:
    """All sizes; a test may change them at any time, `None` switches one off."""

    everything: Limit | None = field(default_factory=lambda: Limit(requests=50, per_s=1.0))
    message_create: Limit | None = _FIVE
    message_edit: Limit | None = _FIVE
    message_delete: Limit | None = _FIVE
    typing: Limit | None = _FIVE
    webhook: Limit | None = _FIVE
    reaction: Limit | None = field(default_factory=lambda: Limit(requests=4, per_s=1.0))
    rename: Limit | None = field(default_factory=lambda: Limit(requests=2, per_s=600.0))
    other: Limit | None = field(default_factory=lambda: Limit(requests=30, per_s=1.0))


@dataclass(slots=True)
class _Window:
    limit: Limit
    ends_at: float
    left: int

    @classmethod
    def opened(cls, limit: Limit, now: float) -> _Window:
        return cls(limit, now + limit.per_s, limit.requests)

    def is_over(self, limit: Limit, now: float) -> bool:
        return now >= self.ends_at or self.limit is not limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether a request may pass; `retry_after_s` when not; headers in any case."""

    headers: Mapping[str, str]
    retry_after_s: float | None = None
    everywhere: bool = False

    def body(self) -> JsonObject:
        """Return the JSON of a refusal."""
        return {
            "message": "You are being rate limited.",
            "retry_after": round(self.retry_after_s or 0.0, 3),
            "global": self.everywhere,
        }


class RateLimits:
    """Windows of all buckets. Windows that ended are forgotten now and then."""

    def __init__(self) -> None:
        self.sizes = LimitSizes()
        self.hits = 0
        self.global_hits = 0
        self._windows: dict[tuple[str, str], _Window] = {}
        self._global: _Window | None = None

    def take(self, call: Call, now: float, *, with_bot_token: bool) -> Verdict:
        """Count a request. Interactions and webhooks are outside of the global limit."""
        family, place = bucket_of(call)
        if with_bot_token and family not in {"webhook", "callback"}:
            refused = self._take_global(now)
            if refused is not None:
                return refused
        limit = None if family == "callback" else self._size(family)
        if limit is None:
            return Verdict(headers={})
        return self._take_bucket(family, place, limit, now)

    def _size(self, family: str) -> Limit | None:
        size: Limit | None = getattr(self.sizes, family)
        return size

    def _take_global(self, now: float) -> Verdict | None:
        limit = self.sizes.everything
        if limit is None:
            return None
        window = self._global
        if window is None or window.is_over(limit, now):
            window = self._global = _Window.opened(limit, now)
        if window.left > 0:
            window.left -= 1
            return None
        self.hits += 1
        self.global_hits += 1
        wait = window.ends_at - now
        headers = {
            "Retry-After": f"{max(1, round(wait))}",
            "X-RateLimit-Global": "true",
            "X-RateLimit-Scope": "global",
        }
        return Verdict(headers=headers, retry_after_s=wait, everywhere=True)

    def _take_bucket(self, family: str, place: str, limit: Limit, now: float) -> Verdict:
        window = self._windows.get((family, place))
        if window is None or window.is_over(limit, now):
            self._forget_ended(now)
            window = self._windows[family, place] = _Window.opened(limit, now)
        wait = window.ends_at - now
        passed = window.left > 0
        window.left = max(0, window.left - 1)
        headers = {
            "X-RateLimit-Limit": str(limit.requests),
            "X-RateLimit-Remaining": str(window.left),
            "X-RateLimit-Reset": f"{window.ends_at:.3f}",
            "X-RateLimit-Reset-After": f"{wait:.3f}",
            "X-RateLimit-Bucket": f"{zlib.crc32(family.encode()):08x}",
        }
        if passed:
            return Verdict(headers=headers)
        self.hits += 1
        headers |= {"Retry-After": f"{max(1, round(wait))}", "X-RateLimit-Scope": "user"}
        return Verdict(headers=headers, retry_after_s=wait)

    def _forget_ended(self, now: float) -> None:
        if len(self._windows) < 1000:  # noqa: PLR2004
            return
        self._windows = {k: w for k, w in self._windows.items() if w.ends_at > now}


_FAMILIES = {
    ("POST", "/channels/{channel_id}/messages"): "message_create",
    ("PATCH", "/channels/{channel_id}/messages/{message_id}"): "message_edit",
    ("DELETE", "/channels/{channel_id}/messages/{message_id}"): "message_delete",
    ("POST", "/channels/{channel_id}/typing"): "typing",
}


def bucket_of(call: Call) -> tuple[str, str]:
    """Return the bucket of a request: its family, and the place that has one of its own."""
    if call.template.startswith("/interactions/"):
        return "callback", ""
    if call.template.startswith("/webhooks/"):
        # Sending, changing, reading and deleting count apart, each per token.
        return "webhook", f"{call.method} {call.parameters.get('webhook_token', '')}"
    place = call.parameters.get("channel_id") or call.parameters.get("guild_id") or ""
    family = _FAMILIES.get((call.method, call.template))
    if family is not None:
        return family, place
    if "/reactions/" in call.template:
        return "reaction", place
    body = as_object(call.body) or {}
    if call.method == "PATCH" and call.template == "/channels/{channel_id}" and "name" in body:
        return "rename", place
    return "other", f"{call.method} {call.template} {place}"
