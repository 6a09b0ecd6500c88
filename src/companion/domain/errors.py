"""Everything that can go wrong, as typed values that carry data and no words.

Each door owns one table from these classes to words or status codes, looked up
by class order, so a subclass without a row falls back to its parent's.

    CompanionError
    ├── Refused                 nothing was sent, nothing was spent
    │   ├── InvalidInput        PromptEmpty PromptTooLong OptionOutOfRange OptionUnknown
    │   │                       OptionMissing CommandUnknown ModelUnknown KeyEmpty
    │   │                       KeyMalformed SecretInPrompt
    │   │                       FileUnsupported FileTooLarge FileUnreadable (more: file_errors)
    │   ├── BudgetRefused       see money_errors
    │   ├── KeyUnavailable      KeyMissing KeyRejected KeyOutOfCredit KeyUnreadable
    │   ├── NotAllowed          ManagerOnly NotYours OperatorKeyNotForYou (more: server_errors)
    │   ├── TryLater            RateLimited Draining AlreadyRunning (more: queue_errors)
    │   └── Gone                TurnGone ButtonExpired AlreadyAnswered
    ├── ProviderError           the model provider failed
    │   ├── ProviderUnreachable ProviderTimedOut ProviderOverloaded ProviderBroken
    │   ├── ProviderDown
    │   ├── ProviderRateLimited CreditExhausted
    │   ├── CredentialRejected CredentialRestricted
    │   ├── ModelUnavailable ContextTooLong ContentRefused RequestRejected
    │   └── RedirectRefused StreamCut
    ├── StorageError            StorageUnavailable
    │   └── SealError           UnknownKeyId Tampered WrongKeyRing
    └── ConfigurationError
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar


@dataclass(kw_only=True, eq=False)
class CompanionError(Exception):
    """The root. Catch it at a door's edge, and nowhere else."""

    code: ClassVar[str] = "error"

    def __init_subclass__(cls) -> None:
        cls.code = "".join(f"_{c.lower()}" if c.isupper() else c for c in cls.__name__).lstrip("_")

    def __str__(self) -> str:
        return self.code


class Refused(CompanionError):
    """We said no before anything was sent or spent."""


# Bad input


class InvalidInput(Refused):
    """What was sent in cannot be used."""


class PromptEmpty(InvalidInput):
    """There is nothing to answer."""


@dataclass(kw_only=True, eq=False)
class PromptTooLong(InvalidInput):
    """The prompt has more characters than allowed."""

    length: int
    limit: int


@dataclass(kw_only=True, eq=False)
class OptionOutOfRange(InvalidInput):
    """An option's value is of the wrong type or outside `minimum`–`maximum` (`None`: open end)."""

    option: str
    minimum: float | None
    maximum: float | None


@dataclass(kw_only=True, eq=False)
class OptionUnknown(InvalidInput):
    """An option or choice that was never offered. `offered` is what there is."""

    option: str
    offered: tuple[str, ...] = ()


@dataclass(kw_only=True, eq=False)
class CommandUnknown(InvalidInput):
    """A command that is not registered (any more). `offered` is what there is."""

    command: str
    offered: tuple[str, ...] = ()


@dataclass(kw_only=True, eq=False)
class OptionMissing(InvalidInput):
    """A required option did not come."""

    option: str


@dataclass(kw_only=True, eq=False)
class ModelUnknown(InvalidInput):
    """This key has no such chat model. `similar` is what may have been meant."""

    model: str
    similar: tuple[str, ...] = ()


class KeyEmpty(InvalidInput):
    """No key was typed."""


@dataclass(kw_only=True, eq=False)
class KeyMalformed(InvalidInput):
    """No key can look like this (blanks inside, too short, too long); `reason` is a code."""

    reason: str


@dataclass(kw_only=True, eq=False)
class SecretInPrompt(InvalidInput):
    """The text holds a credential of this `kind` and was not sent anywhere."""

    kind: str


@dataclass(kw_only=True, eq=False)
class FileUnsupported(InvalidInput):
    """A file of a kind we cannot read. `supported` names the kinds we can."""

    name: str
    supported: tuple[str, ...]


@dataclass(kw_only=True, eq=False)
class FileTooLarge(InvalidInput):
    """A file over the limit, in bytes."""

    name: str
    size: int
    limit: int


@dataclass(kw_only=True, eq=False)
class FileUnreadable(InvalidInput):
    """A file that could not be fetched or decoded."""

    name: str


# Keys


class KeyUnavailable(Refused):
    """There is no key that may pay for this."""


@dataclass(kw_only=True, eq=False)
class KeyMissing(KeyUnavailable):
    """No person, server or operator key applies here."""

    may_set_server_key: bool = False


@dataclass(kw_only=True, eq=False)
class KeyRejected(KeyUnavailable):
    """The provider refused the stored key; it stays disabled until it is entered again."""

    hint: str


@dataclass(kw_only=True, eq=False)
class KeyOutOfCredit(KeyUnavailable):
    """The key's account has no credit; we ask again after `until` (UTC)."""

    hint: str
    until: datetime


class KeyUnreadable(KeyUnavailable):
    """A stored key no longer decrypts (moved row, other endpoint, lost master key)."""


# Permission


class NotAllowed(Refused):
    """This person may not do this here. `rule` names what decided."""

    rule: ClassVar[str] = "policy"


class ManagerOnly(NotAllowed):
    """Only people who may manage the server can do this."""

    rule: ClassVar[str] = "manage_guild"


class NotYours(NotAllowed):
    """The button or answer belongs to someone else."""

    rule: ClassVar[str] = "owner"


class OperatorKeyNotForYou(NotAllowed):
    """The operator's key is not for this person or server."""

    rule: ClassVar[str] = "operator_key"


# Come back later


@dataclass(kw_only=True, eq=False)
class TryLater(Refused):
    """Not now; `retry_after_s` seconds is when it makes sense again."""

    retry_after_s: float = 1.0


@dataclass(kw_only=True, eq=False)
class RateLimited(TryLater):
    """A bucket is empty. `scope` is `user`, `guild` or `key`."""

    scope: str


class Draining(TryLater):
    """The process is stopping; another one will answer soon."""


class AlreadyRunning(TryLater):
    """The same turn is being answered right now."""


# Gone


class Gone(Refused):
    """What this refers to is no longer there."""


class TurnGone(Gone):
    """The turn was cleared."""


class ButtonExpired(Gone):
    """The button's work is over (the reply has ended), or no such button was ever offered."""


class AlreadyAnswered(Gone):
    """The same interaction was delivered before."""


# The model provider


@dataclass(kw_only=True, eq=False)
class ProviderError(CompanionError):
    """The provider failed. Its text is never kept; what is a code or a number is.

    `upstream_type` and `upstream_param` are as OpenAI's errors have them.
    """

    status: int | None = None
    upstream_code: str | None = None
    upstream_type: str | None = None
    upstream_param: str | None = None
    request_id: str | None = None


class ProviderUnreachable(ProviderError):
    """No connection (DNS, TCP, TLS), or it broke before the answer began."""


class ProviderTimedOut(ProviderError):
    """Connected, but no event within the time allowed."""


@dataclass(kw_only=True, eq=False)
class ProviderOverloaded(ProviderError):
    """503, or `server_is_overloaded`."""

    retry_after_s: float | None = None


@dataclass(kw_only=True, eq=False)
class ProviderDown(ProviderError):
    """So many requests failed just now that nothing is sent for `retry_after_s` seconds."""

    retry_after_s: float


class ProviderBroken(ProviderError):
    """A server error, or an answer that is not what the protocol says."""


@dataclass(kw_only=True, eq=False)
class ProviderRateLimited(ProviderError):
    """429 that passes by itself; `retry_after_s` as the provider said, when it did."""

    retry_after_s: float | None = None


class CreditExhausted(ProviderError):
    """429 that does not pass by itself: no credit, or a spend limit."""


class CredentialRejected(ProviderError):
    """401: the key is wrong or revoked."""


class CredentialRestricted(ProviderError):
    """401 or 403: the key is right, but lacks the scope for this."""


@dataclass(kw_only=True, eq=False)
class ModelUnavailable(ProviderError):
    """404: no such model for this key."""

    model: str


class ContextTooLong(ProviderError):
    """The conversation does not fit the model's window."""


class ContentRefused(ProviderError):
    """The provider's safety system refused the prompt or the answer."""


class RequestRejected(ProviderError):
    """Another 4xx: the request as such is not accepted."""


class RedirectRefused(ProviderError):
    """A 3xx answer; following it would carry the key elsewhere."""


@dataclass(kw_only=True, eq=False)
class StreamCut(ProviderError):
    """The stream ended or failed after its first token, without a terminal event.

    `reason` is one of `eof`, `idle`, `too_long`, `error`, `garbage`.
    """

    reason: str


# Storage


class StorageError(CompanionError):
    """Something of ours could not be read or written."""


@dataclass(kw_only=True, eq=False)
class StorageUnavailable(StorageError):
    """The database does not answer, is full, or is read-only; `reason` is a code for the log."""

    reason: str = "unreachable"


class SealError(StorageError):
    """A sealed value does not open."""


@dataclass(kw_only=True, eq=False)
class UnknownKeyId(SealError):
    """Sealed under an encryption key that the ring does not hold."""

    key_id: str


class Tampered(SealError):
    """Changed, cut, moved to another row, owner, purpose or endpoint."""


class WrongKeyRing(SealError):
    """The database was sealed under another ring."""


@dataclass(kw_only=True, eq=False)
class ConfigurationError(CompanionError):
    """A setting is missing or wrong. The shell prints it as one sentence and exits with 2."""

    variable: str
    problem: str
    fix: str
