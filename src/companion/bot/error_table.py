"""What a person reads of each class of errors: what happened, and what to do next.

No row shows upstream text, a class name, or a traceback.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, TypeVar, cast

from companion.bot.file_words import FILE_WORDS
from companion.bot.money_words import of_spent_budget, of_unknown_price
from companion.bot.wording import count, in_, listed, moment, quoted
from companion.domain import api_errors as a
from companion.domain import delivery_errors as d
from companion.domain import errors as e
from companion.domain import money_errors as m
from companion.domain import queue_errors as q
from companion.domain import server_errors as s

E = TypeVar("E", bound=e.CompanionError)


class Offer(StrEnum):
    """A next step that comes as a button."""

    SET_KEY = "set_key"
    CHOOSE_MODEL = "choose_model"
    RETRY = "retry"


@dataclass(frozen=True, slots=True)
class Row:
    """What to say of one class of errors, and the buttons to go with it."""

    say: Callable[[e.CompanionError, datetime], str]
    offers: tuple[Offer, ...] = ()


def _of_range(error: e.OptionOutOfRange, _: datetime) -> str:
    option, low, high = quoted(error.option), error.minimum, error.maximum
    if low is not None and high is not None:
        return f"{option} has to be between {low:,g} and {high:,g}. Nothing was sent."
    if low is not None:
        return f"{option} has to be {low:,g} or more. Nothing was sent."
    if high is not None:
        return f"{option} has to be {high:,g} or less. Nothing was sent."
    return f"{option} got a value of the wrong kind. Run the command again and fill it in anew."


def _of_unknown_option(error: e.OptionUnknown, _: datetime) -> str:
    there_is = f" You can use {listed(error.offered)}." if error.offered else ""
    return (
        f"I don't know {quoted(error.option)} here.{there_is} If you picked it from the list, "
        "restart Discord: it may be showing an old version of this command."
    )


def _of_unknown_model(error: e.ModelUnknown, _: datetime) -> str:
    meant = f" Did you mean {listed(error.similar, limit=3)}?" if error.similar else ""
    return (
        f"There is no chat model called {quoted(error.model)} for this key.{meant} Nothing was "
        "sent. Ask again with one from the list under `model`, or without it."
    )


def _of_key_shape(error: e.KeyMalformed, _: datetime) -> str:
    why = KEY_FLAWS.get(error.reason, "it isn't shaped like one")
    return (
        f"That doesn't look like an API key: {why}. Nothing was saved, and a key you saved "
        "before is untouched. Copy the whole key again and paste it alone."
    )


def _of_missing_key(error: e.KeyMissing, _: datetime) -> str:
    server = (
        " As you manage this server, you can also set one for everyone here: "
        "`/setkey scope:server`."
        if error.may_set_server_key
        else ""
    )
    return (
        "I need an API key before I can answer. Press *Set key* to add yours: it is stored "
        f"encrypted and pays only for what you ask.{server}"
    )


def _of_rate(error: e.RateLimited, now: datetime) -> str:
    who = {
        "guild": "This server has asked a lot in a short time",
        "key": "This key has been used a lot in a short time",
    }.get(error.scope, "You've asked a lot in a short time")
    return f"{who}. Ask again {in_(error.retry_after_s, now)}."


def _of_overload(error: q.Overloaded, now: datetime) -> str:
    when = f"Ask again {in_(error.retry_after_s, now)}"
    match error.scope:
        case "user":
            running = count(error.limit, "answer")
            return f"You already have {running} on the way and more waiting. {when}."
        case "guild":
            return f"This server has a lot of answers on the way right now. {when}."
        case _:
            return f"A lot of answers are on the way right now. {when}."


def _of_upstream_wait(error: e.ProviderRateLimited | e.ProviderOverloaded, now: datetime) -> str:
    limited = isinstance(error, e.ProviderRateLimited)
    what = (
        "The model provider is limiting this key right now"
        if limited
        else "The model provider has too much to do right now"
    )
    when = in_(error.retry_after_s, now) if error.retry_after_s else "in a minute"
    return f"{what}. Try again {when}."


def _of_cut(error: e.StreamCut, _: datetime) -> str:
    why = CUTS.get(error.reason, "the connection broke")
    return f"The answer stopped early: {why}. What arrived is kept."


KEY_FLAWS: Final = {
    "blank": "there is a blank or a line break in it",
    "too_short": "it is too short",
    "too_long": "it is too long",
    "characters": "it has characters that no key has",
}

CUTS: Final = {
    "eof": "the provider closed the connection",
    "idle": "the provider went silent",
    "too_long": "it took longer than I may wait",
    "garbage": "the provider sent something unreadable",
}


def _row(
    kind: type[E], say: Callable[[E, datetime], str] | str, *offers: Offer
) -> tuple[type[e.CompanionError], Row]:
    if isinstance(say, str):
        text = say
        return kind, Row(lambda _error, _now: text, offers)
    # rows are found by class, so this one only ever sees errors of its own class
    return kind, Row(cast("Callable[[e.CompanionError, datetime], str]", say), offers)


ROWS: Final = dict(
    (
        _row(e.CompanionError, "Something went wrong on our side. Please try again.", Offer.RETRY),
        _row(e.Refused, "That can't be done here. Nothing was sent and nothing was spent."),
        # what was put in
        _row(e.InvalidInput, "I can't use that as it is. Please check it and try again."),
        _row(e.PromptEmpty, "There is nothing to answer yet: write your question in `prompt`."),
        _row(
            e.PromptTooLong,
            lambda error, _: (
                f"That text has {error.length:,} characters; I can take {error.limit:,}. "
                "Shorten it, or attach the long part as a text file."
            ),
        ),
        _row(e.OptionOutOfRange, _of_range),
        _row(e.OptionUnknown, _of_unknown_option),
        _row(
            e.OptionMissing,
            lambda error, _: (
                f"{quoted(error.option)} is missing. Run the command again and fill it in."
            ),
        ),
        _row(
            e.CommandUnknown,
            lambda error, _: (
                f"I don't know the command {quoted(error.command)}. "
                f"You can use {listed(error.offered)}."
            ),
        ),
        _row(e.ModelUnknown, _of_unknown_model, Offer.CHOOSE_MODEL),
        _row(e.KeyEmpty, "The field was empty, so nothing changed.", Offer.SET_KEY),
        _row(e.KeyMalformed, _of_key_shape, Offer.SET_KEY),
        _row(
            e.SecretInPrompt,
            lambda error, _: (
                f"Your text seems to hold a secret ({quoted(error.kind).strip('`')}), so I sent it "
                "nowhere. "
                "Take it out and ask again. If others could see it, revoke it now."
            ),
        ),
        *(_row(kind, say) for kind, say in FILE_WORDS),
        _row(
            a.TooManyTokens,
            lambda error, _: (
                f"You have {error.limit} tokens already. Revoke one with `/token action:revoke` "
                "first."
            ),
        ),
        _row(a.KeyReused, "That key was used for another request already. Take a new one."),
        # keys
        _row(e.KeyUnavailable, "There is no API key I may use for this.", Offer.SET_KEY),
        _row(e.KeyMissing, _of_missing_key, Offer.SET_KEY),
        _row(
            e.KeyRejected,
            lambda error, _: (
                f"The provider refused the API key {quoted(error.hint)}, so I stopped using it. "
                "Press *Set key* to enter one that works."
            ),
            Offer.SET_KEY,
        ),
        _row(
            e.KeyOutOfCredit,
            lambda error, _: (
                f"The account of the API key {quoted(error.hint)} has no credit left. Top it up "
                "at your provider, or set another key. I will try this one again "
                f"{moment(error.until)}."
            ),
            Offer.SET_KEY,
        ),
        _row(
            e.KeyUnreadable,
            "I can no longer decrypt the API key I stored. Please enter it again.",
            Offer.SET_KEY,
        ),
        # budgets
        _row(m.BudgetRefused, "The budget here doesn't allow that.", Offer.SET_KEY),
        _row(m.BudgetSpent, of_spent_budget, Offer.SET_KEY),
        _row(m.PriceUnknown, of_unknown_price, Offer.CHOOSE_MODEL, Offer.SET_KEY),
        _row(
            q.PayerChanged,
            "The API key that pays changed while you were waiting. Please ask again.",
        ),
        # rights
        _row(e.NotAllowed, "You may not do that here."),
        _row(e.ManagerOnly, "Only people who may manage the server can do that, and only in it."),
        _row(
            s.NotInServer,
            "I'm not a member of this server. Someone who manages it has to add me first.",
        ),
        _row(e.NotYours, "That belongs to someone else. Ask your own question with `/ask`."),
        _row(
            e.OperatorKeyNotForYou,
            "The shared API key is not for use here. Press *Set key* to add your own.",
            Offer.SET_KEY,
        ),
        _row(a.TokenRejected, "That token doesn't work. Make a new one with `/token`."),
        _row(
            a.ScopeMissing,
            lambda error, _: f"This token may not be used for {quoted(error.scope)}.",
        ),
        # later
        _row(e.TryLater, lambda error, now: f"Not now. Try again {in_(error.retry_after_s, now)}."),
        _row(e.RateLimited, _of_rate),
        _row(q.Overloaded, _of_overload),
        _row(
            e.Draining, "I'm restarting. Ask again in a minute; nothing you wrote before is lost."
        ),
        _row(
            d.Restarted,
            "I had to restart before I could answer this. Please ask again.",
            Offer.RETRY,
        ),
        _row(e.AlreadyRunning, "That one is already on its way."),
        _row(a.RequestRunning, "That request is being answered right now."),
        # gone
        _row(e.Gone, "That is no longer there."),
        _row(e.TurnGone, "That part of the conversation was cleared. Ask again with `/ask`."),
        _row(e.ButtonExpired, "This button has done its work. Start afresh with `/ask`."),
        _row(e.AlreadyAnswered, "That was answered already."),
        _row(a.TokenUnknown, "You have no such token in use. See yours with `/token action:list`."),
        # the model provider
        _row(e.ProviderError, "The model provider couldn't answer. Try again.", Offer.RETRY),
        _row(
            e.ProviderUnreachable,
            "I couldn't reach the model provider. Try again in a minute.",
            Offer.RETRY,
        ),
        _row(
            e.ProviderTimedOut,
            "The model provider took too long to answer. Try again, or pick a faster model.",
            Offer.RETRY,
            Offer.CHOOSE_MODEL,
        ),
        _row(
            e.ProviderDown,
            lambda error, now: (
                "The model provider is down right now. "
                f"Try again {in_(error.retry_after_s, now)}; I keep looking whether it is back."
            ),
            Offer.RETRY,
        ),
        _row(e.ProviderOverloaded, _of_upstream_wait, Offer.RETRY),
        _row(e.ProviderRateLimited, _of_upstream_wait, Offer.RETRY),
        _row(
            e.ProviderBroken,
            "The model provider had an error of its own. Try again in a minute.",
            Offer.RETRY,
        ),
        _row(
            e.CreditExhausted,
            "The account of this API key has no credit left, or has reached its spending limit. "
            "Top it up at your provider, or set another key.",
            Offer.SET_KEY,
            Offer.RETRY,
        ),
        _row(
            e.CredentialRejected,
            "The provider doesn't accept this API key. It may be mistyped or revoked: copy it "
            "again, or create a new one.",
            Offer.SET_KEY,
            Offer.RETRY,
        ),
        _row(
            e.CredentialRestricted,
            "This API key works, but isn't allowed to do this. Give it the permission for model "
            "requests at your provider, or set another key.",
            Offer.SET_KEY,
            Offer.RETRY,
        ),
        _row(
            e.ModelUnavailable,
            lambda error, _: f"This API key can't use {quoted(error.model)}. Pick another model.",
            Offer.CHOOSE_MODEL,
        ),
        _row(
            e.ContextTooLong,
            "That is more than the model can read at once. Ask something shorter, attach less, "
            "or start afresh with `/clear`.",
            Offer.CHOOSE_MODEL,
        ),
        _row(
            e.ContentRefused,
            "The provider's safety rules don't allow an answer to that. Try to ask differently.",
        ),
        _row(
            e.RequestRejected,
            "The provider didn't accept this request. Try another model, or ask without the "
            "extra options.",
            Offer.CHOOSE_MODEL,
            Offer.RETRY,
        ),
        _row(
            e.RedirectRefused,
            "The provider's address points somewhere else, so I didn't send your key there. "
            "Whoever runs this app has to check its settings.",
        ),
        _row(e.StreamCut, _of_cut, Offer.RETRY),
        # our side
        _row(
            e.StorageError,
            "I couldn't save or read something on our side. Please try again.",
            Offer.RETRY,
        ),
        _row(
            e.StorageUnavailable,
            "My memory isn't reachable right now, so I stopped before doing anything. "
            "Try again in a minute.",
            Offer.RETRY,
        ),
        _row(
            e.SealError, "Something I stored can't be decrypted. Whoever runs this app must look."
        ),
        _row(
            e.UnknownKeyId,
            "Something I stored can't be decrypted any more. Whoever runs this app must look.",
        ),
        _row(
            e.Tampered,
            "Something I stored was changed from outside, so I won't use it. "
            "Whoever runs this app must look.",
        ),
        _row(
            e.WrongKeyRing,
            "I was started with the wrong encryption keys. Whoever runs this app must look.",
        ),
        _row(
            e.ConfigurationError,
            "This app isn't set up correctly. Whoever runs it has to check its settings.",
        ),
    )
)
