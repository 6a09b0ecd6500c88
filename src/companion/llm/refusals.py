"""What an error answer of a provider means, from its status, code and fields.

A known code decides, else the status. OpenAI's documents “Error codes” and “Rate
limits”; other endpoints use the same statuses and few of the codes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from companion.domain.errors import (
    ContentRefused,
    ContextTooLong,
    CredentialRejected,
    CredentialRestricted,
    CreditExhausted,
    ModelUnavailable,
    ProviderBroken,
    ProviderError,
    ProviderOverloaded,
    ProviderRateLimited,
    RedirectRefused,
    RequestRejected,
)
from companion.llm.chunks import ErrorBody

BILLING: Final = frozenset(
    {
        "insufficient_quota",
        "credit_balance_exhausted",
        "organization_spend_limit_exceeded",
        "project_spend_limit_exceeded",
        "organization_usage_limit_exceeded",
        "billing_hard_limit_reached",
        "billing_not_active",
    }
)
"""429s that do not pass by themselves; never retried."""

_BY_CODE: Final[dict[str, type[ProviderError]]] = {
    **dict.fromkeys(BILLING, CreditExhausted),
    **dict.fromkeys(("rate_limit_exceeded", "slow_down"), ProviderRateLimited),
    **dict.fromkeys(("server_is_overloaded", "overloaded_error"), ProviderOverloaded),
    **dict.fromkeys(("context_length_exceeded", "string_above_max_length"), ContextTooLong),
    **dict.fromkeys(
        ("content_policy_violation", "content_filter", "moderation_blocked", "invalid_prompt"),
        ContentRefused,
    ),
    "model_not_found": ModelUnavailable,
    "server_error": ProviderBroken,
}
_BY_STATUS: Final[dict[int, type[ProviderError]]] = {
    401: CredentialRejected,
    402: CreditExhausted,
    403: CredentialRestricted,
    404: ModelUnavailable,
    408: ProviderBroken,
    409: ProviderBroken,
    429: ProviderRateLimited,
    503: ProviderOverloaded,
    529: ProviderOverloaded,
}
_BY_TYPE: Final = BILLING | {"server_error", "overloaded_error"}
_UNSUPPORTED_CODES: Final = frozenset(
    {"unsupported_value", "unsupported_parameter", "unknown_parameter"}
)
_UNSUPPORTED_WORDS: Final = re.compile(
    r"unsupported|not supported|does not support|unrecogni[sz]ed|unknown|extra (?:inputs|fields)"
    r"|not permitted|must be verified"
)
OPTIONAL_FIELDS: Final = (
    "stream_options",
    "stream",
    "temperature",
    "max_completion_tokens",
    "max_tokens",
    "store",
    "safety_identifier",
)
"""Fields of a chat request that can be left out; longer names before their parts."""

SYSTEM_ROLE: Final = "system"
_CODE: Final = re.compile(r"[\w.:-]{1,64}")
_NAME: Final = re.compile(r"[\w.:\[\]-]{1,100}")


@dataclass(kw_only=True, eq=False)
class FieldRefused(RequestRejected):
    """This model, or this key, does not take a field that can be left out: see `adaptation`."""

    field: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """What is known of an error answer. `status` is `None` for an error inside a stream."""

    body: ErrorBody
    model: str
    status: int | None = None
    request_id: str | None = None
    wait_s: float | None = None

    @property
    def code(self) -> str | None:
        """Return the code; some billing refusals carry it as their type."""
        body = self.body
        said = body.type if body.type in _BY_TYPE else body.code
        return said if isinstance(said, str) and _CODE.fullmatch(said) else None

    def as_error(self) -> ProviderError:
        """Return our error for it. The provider's words stay behind."""
        error = self._error()
        error.status, error.upstream_code = self.status, self.code
        error.upstream_type, error.upstream_param = _name(self.body.type), _name(self.body.param)
        error.request_id = self.request_id
        return error

    def _error(self) -> ProviderError:
        kind = _BY_CODE.get(self.code or "") or self._by_status()
        if kind is ModelUnavailable:
            return ModelUnavailable(model=self.model)
        if kind is ProviderRateLimited:
            return ProviderRateLimited(retry_after_s=self.wait_s)
        if kind is ProviderOverloaded:
            return ProviderOverloaded(retry_after_s=self.wait_s)
        field = self._refused_field() if kind is RequestRejected else None
        return FieldRefused(field=field) if field else kind()

    def _by_status(self) -> type[ProviderError]:
        status = self.status or 500
        words = self._words()
        if status == 401 and ("scope" in words or "insufficient permissions" in words):  # noqa: PLR2004
            return CredentialRestricted
        if status in {400, 413, 422} and re.search(r"context (?:length|size|window)", words):
            return ContextTooLong
        if 300 <= status < 400:  # noqa: PLR2004
            return RedirectRefused
        fallback = ProviderBroken if status >= 500 else RequestRejected  # noqa: PLR2004
        return _BY_STATUS.get(status, fallback)

    def _refused_field(self) -> str | None:
        words = self._words()
        if self.code not in _UNSUPPORTED_CODES and not _UNSUPPORTED_WORDS.search(words):
            return None
        param = self.body.param or ""
        if param.endswith("role") or (not param and "system" in words and "role" in words):
            return SYSTEM_ROLE
        if param:
            name = param.split(".")[0]
            return name if name in OPTIONAL_FIELDS else None
        return next((name for name in OPTIONAL_FIELDS if name in words), None)

    def _words(self) -> str:
        return (self.body.message or "").lower()


def _name(text: str | None) -> str | None:
    """Return a type or a field's name; anything longer or else would be words."""
    return text if text and _NAME.fullmatch(text) else None
