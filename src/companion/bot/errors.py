"""From an error to what is said to a person, looked up by class order.

A class without a row in the table takes its parent's.
"""

from __future__ import annotations

from datetime import datetime

from companion.bot.answer import Answer
from companion.bot.buttons import Action, Button, Tone
from companion.bot.error_table import ROWS, Offer
from companion.domain.conversation import TurnId
from companion.domain.errors import CompanionError


def describe(error: CompanionError, now: datetime, turn_id: TurnId | None = None) -> Answer:
    """Return the words for an error; *Retry* is offered only where there is a turn to retry."""
    row = next(ROWS[kind] for kind in type(error).__mro__ if kind in ROWS)
    buttons = (_button(offer, turn_id) for offer in row.offers)
    return Answer(text=row.say(error, now), buttons=tuple(b for b in buttons if b is not None))


def internal(reference: str) -> Answer:
    """Return the words for an error nobody foresaw; the reference finds it in the log."""
    return Answer(
        text="Something went wrong on our side. Please try again; if it keeps happening, "
        f"tell whoever runs this app the reference `{reference}`."
    )


def _button(offer: Offer, turn_id: TurnId | None) -> Button | None:
    if offer is Offer.SET_KEY:
        return Button(action=Action.SET_KEY, label="Set key", tone=Tone.PRIMARY)
    if offer is Offer.CHOOSE_MODEL:
        return Button(action=Action.CHOOSE_MODEL, label="Choose model", target=turn_id)
    if turn_id is None:
        return None
    return Button(action=Action.REGENERATE, label="Retry", target=turn_id)
