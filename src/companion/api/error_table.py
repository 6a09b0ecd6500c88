"""What a program reads of each class of errors: a status, a code, and a sentence.

No row shows upstream text, a class name, or a traceback. A status of 422 becomes 400
in OpenAI's shape, because that is what OpenAI's clients expect of wrong fields.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar, cast

from companion.domain import api_errors as a
from companion.domain import delivery_errors as d
from companion.domain import errors as e
from companion.domain import file_errors as f
from companion.domain import money_errors as m
from companion.domain import queue_errors as q
from companion.domain import server_errors as s

E = TypeVar("E", bound=e.CompanionError)
T = TypeVar("T", int, str)


@dataclass(frozen=True, slots=True)
class Row:
    """What to answer for one class of errors. `param` is the field that is wrong."""

    status: Callable[[e.CompanionError], int]
    say: Callable[[e.CompanionError], str]
    code: str | None
    param: str | None


def _row(
    kind: type[E],
    status: int | Callable[[E], int],
    say: str | Callable[[E], str],
    *,
    code: str | None = None,
    param: str | None = None,
) -> tuple[type[e.CompanionError], Row]:
    return kind, Row(_always(status), _always(say), code, param)


def _always(value: T | Callable[[E], T]) -> Callable[[e.CompanionError], T]:
    if callable(value):
        # rows are found by class, so this only ever sees errors of its own class
        return cast("Callable[[e.CompanionError], T]", value)
    return lambda _error: value


def _of_range(error: e.OptionOutOfRange) -> str:
    low, high = error.minimum, error.maximum
    if low is None and high is None:
        return f"{error.option} has a value of the wrong kind."
    if low is not None and high is not None:
        return f"{error.option} has to be between {low:,g} and {high:,g}."
    return f"{error.option} has to be {low or high:,g} or {'more' if high is None else 'less'}."


def _of_rate(error: e.RateLimited) -> str:
    whose = "The key that pays" if error.scope == "key" else "This user"
    return f"{whose} has asked a lot in a short time. Ask again later."


_SEALED: Final = "Something stored here can't be decrypted. Whoever runs this server must look."
_BUSY: Final = "Too many answers are being made right now. Ask again in a moment."

ROWS: Final = dict(
    (
        _row(e.CompanionError, 500, "Something went wrong on our side.", code="internal_error"),
        _row(e.Refused, 400, "That can't be done. Nothing was sent and nothing was spent."),
        # what was sent in
        _row(e.InvalidInput, 422, "The request can't be used as it is."),
        _row(e.PromptEmpty, 422, "The prompt is empty.", param="prompt"),
        _row(
            e.PromptTooLong,
            422,
            lambda error: (
                f"The prompt has {error.length:,} characters; {error.limit:,} are allowed."
            ),
            param="prompt",
        ),
        _row(e.OptionOutOfRange, 422, _of_range),
        _row(e.OptionUnknown, 422, "There is a field that does not exist."),
        _row(e.OptionMissing, 422, lambda error: f"{error.option} is missing."),
        _row(e.CommandUnknown, 404, "There is no such command."),
        _row(
            e.ModelUnknown,
            404,
            "The key that pays has no such model. See the list of models.",
            code="model_not_found",
            param="model",
        ),
        _row(e.KeyEmpty, 422, "The key is empty."),
        _row(e.KeyMalformed, 422, "No API key looks like this."),
        _row(
            e.SecretInPrompt,
            422,
            "The text seems to hold a password or key, so it was sent nowhere. Take it out.",
            param="prompt",
        ),
        _row(e.FileUnsupported, 422, "Files of this kind can't be read.", param="file"),
        _row(
            e.FileTooLarge,
            413,
            lambda error: f"The file has {error.size:,} bytes; {error.limit:,} are allowed.",
            param="file",
        ),
        _row(e.FileUnreadable, 422, "The file can't be read.", param="file"),
        _row(f.FileEmpty, 422, "The file is empty.", param="file"),
        _row(f.FileMislabelled, 422, "The file is not what its name says it is.", param="file"),
        _row(f.FileProtected, 422, "The file is protected with a password.", param="file"),
        _row(f.FileWithoutText, 422, "There is no text in the file.", param="file"),
        _row(f.FileExpands, 413, "The file unpacks to far more than is allowed.", param="file"),
        _row(f.FileTooComplex, 422, "The file takes too long to read.", param="file"),
        _row(
            f.PictureTooLarge,
            413,
            lambda error: f"The picture has more than {error.limit:,} pixels.",
            param="file",
        ),
        _row(f.SpeechEmpty, 422, "No words were heard in the recording.", param="file"),
        _row(f.SpeechUnavailable, 422, "Recordings can't be read with this key.", param="file"),
        _row(
            f.TooManyFiles,
            413,
            lambda error: f"{error.count} files were sent; {error.limit} are allowed.",
            param="file",
        ),
        _row(
            f.FilesTooLarge,
            413,
            lambda error: f"The files have more than {error.limit:,} bytes together.",
            param="file",
        ),
        _row(
            a.TooManyTokens,
            422,
            lambda error: f"There are {error.limit} tokens in use already. Revoke one first.",
        ),
        _row(
            a.KeyReused,
            422,
            "This Idempotency-Key was used for another request. Take a new one.",
            code="idempotency_key_reused",
        ),
        # keys of the provider
        _row(
            e.KeyUnavailable,
            403,
            "There is no provider key that may pay for this.",
            code="provider_key_unavailable",
        ),
        _row(
            e.KeyMissing,
            403,
            "There is no provider key that may pay for this. Set one with /setkey on Discord, "
            "or ask whoever runs this server.",
            code="provider_key_missing",
        ),
        _row(
            e.KeyRejected,
            403,
            "The provider refused the stored key. Enter a new one with /setkey on Discord.",
            code="provider_key_rejected",
        ),
        _row(
            e.KeyOutOfCredit,
            429,
            "The account of the key that pays has no credit left.",
            code="insufficient_quota",
        ),
        _row(
            e.KeyUnreadable,
            403,
            "The stored provider key no longer opens. Enter it again with /setkey on Discord.",
            code="provider_key_unreadable",
        ),
        _row(m.BudgetRefused, 429, "The budget does not allow this.", code="insufficient_quota"),
        _row(
            m.BudgetSpent,
            429,
            lambda error: (
                "The budget is spent until it resets."
                if not error.left
                else "What is left of the budget is less than this could cost. Ask for fewer "
                "max_tokens, or send less."
            ),
            code="insufficient_quota",
        ),
        _row(
            m.PriceUnknown,
            403,
            "Nobody knows what this model costs, so it can't be used under a budget.",
            code="model_price_unknown",
            param="model",
        ),
        _row(
            q.PayerChanged,
            403,
            "The key that pays changed while this request was waiting. Ask again.",
            code="provider_key_changed",
        ),
        # rights
        _row(e.NotAllowed, 403, "This is not allowed.", code="not_allowed"),
        _row(e.ManagerOnly, 403, "Only people who manage the server may do this."),
        _row(s.NotInServer, 403, "The app is not a member of that server."),
        _row(
            e.NotYours,
            403,
            "This token may not speak for that user_id.",
            code="not_yours",
            param="user_id",
        ),
        _row(
            e.OperatorKeyNotForYou,
            403,
            "The shared provider key is not for this user.",
            code="provider_key_missing",
        ),
        _row(
            a.TokenRejected,
            401,
            "There is no valid token in the Authorization header (Bearer cmp_…).",
            code="invalid_api_key",
        ),
        _row(
            a.ScopeMissing,
            403,
            lambda error: f"This token may not be used for {error.scope}.",
            code="scope_missing",
        ),
        # later
        _row(e.TryLater, 429, "Not now. Ask again later."),
        _row(e.RateLimited, 429, _of_rate, code="rate_limit_exceeded"),
        _row(
            q.Overloaded,
            lambda error: 429 if error.scope == "user" else 503,
            lambda error: (
                f"This user has {error.limit} answers on the way and more waiting. Ask again later."
                if error.scope == "user"
                else _BUSY
            ),
            code="too_many_at_once",
        ),
        _row(e.Draining, 503, "This server is restarting. Ask again in a moment.", code="draining"),
        _row(d.Restarted, 503, "This server restarted. Ask again.", code="restarted"),
        _row(e.AlreadyRunning, 409, "That is being answered right now."),
        _row(f.FilesBusy, 503, "Too many files are being read. Try again in a moment."),
        _row(
            a.RequestRunning,
            409,
            "A request with this Idempotency-Key is being answered right now.",
            code="idempotency_key_in_use",
        ),
        # gone
        _row(e.Gone, 404, "That is not there."),
        _row(e.TurnGone, 404, "That part of the conversation is gone."),
        _row(e.ButtonExpired, 404, "That is over."),
        _row(e.AlreadyAnswered, 409, "That was answered already."),
        _row(a.TokenUnknown, 404, "There is no such token."),
        # the model provider
        _row(e.ProviderError, 502, "The model provider failed.", code="provider_error"),
        _row(
            e.ProviderUnreachable,
            502,
            "The model provider can't be reached.",
            code="provider_unreachable",
        ),
        _row(
            e.ProviderTimedOut,
            504,
            "The model provider took too long.",
            code="provider_timed_out",
        ),
        _row(
            e.ProviderOverloaded,
            503,
            "The model provider has too much to do. Ask again in a moment.",
            code="provider_overloaded",
        ),
        _row(
            e.ProviderDown,
            503,
            "The model provider is down. It is asked again in a moment.",
            code="provider_down",
        ),
        _row(e.ProviderBroken, 502, "The model provider failed.", code="provider_error"),
        _row(
            e.ProviderRateLimited,
            429,
            "The model provider limits the key that pays. Ask again later.",
            code="rate_limit_exceeded",
        ),
        _row(
            e.CreditExhausted,
            429,
            "The account of the key that pays has no credit left.",
            code="insufficient_quota",
        ),
        _row(
            e.CredentialRejected,
            403,  # a 401 would say that the caller's token is bad, a 502 that trying again helps
            "The model provider refused the key that pays.",
            code="provider_key_rejected",
        ),
        _row(
            e.CredentialRestricted,
            403,
            "The key that pays is not allowed to do this.",
            code="provider_key_restricted",
        ),
        _row(
            e.ModelUnavailable,
            404,
            "The key that pays can't use this model.",
            code="model_not_found",
            param="model",
        ),
        _row(
            e.ContextTooLong,
            400,
            "That is more than the model can read at once.",
            code="context_length_exceeded",
        ),
        _row(
            e.ContentRefused,
            400,
            "The provider's safety rules don't allow an answer to that.",
            code="content_policy_violation",
        ),
        _row(
            e.RequestRejected,
            400,
            "The model provider didn't accept this request.",
            code="request_rejected",
        ),
        _row(
            e.RedirectRefused,
            502,
            "The provider's address points elsewhere, so the key was not sent there.",
            code="provider_error",
        ),
        _row(
            e.StreamCut,
            lambda error: 504 if error.reason in {"idle", "too_long"} else 502,
            "The answer stopped early.",
            code="answer_cut",
        ),
        # our side
        _row(e.StorageError, 500, "Something of ours can't be read or written."),
        _row(
            e.StorageUnavailable,
            503,
            "The database can't be used right now. Ask again in a moment.",
            code="storage_unavailable",
        ),
        _row(e.SealError, 500, _SEALED),
        _row(e.UnknownKeyId, 500, _SEALED),
        _row(e.Tampered, 500, _SEALED),
        _row(e.WrongKeyRing, 500, _SEALED),
        _row(e.ConfigurationError, 500, "This server isn't set up correctly."),
    )
)
