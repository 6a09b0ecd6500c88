"""The form for a server's budgets, and what comes back from it.

The button carries what is set now, so that the form opens at once and filled in.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Final

import discord

from companion.bot.answer import Answer
from companion.bot.buttons import Action, Button
from companion.bot.modals import PREFIX, typed_text
from companion.bot.wording import MICROS, money
from companion.domain.errors import OptionOutOfRange
from companion.domain.money import Caps
from companion.domain.usage import Micros

DAY_FIELD: Final = "person_day"
MONTH_FIELD: Final = "server_month"
MOST_DOLLARS: Final = 100_000
LONGEST_TYPED: Final = 20


def packed(caps: Caps) -> str:
    """Return the caps as a button's argument."""
    return ",".join("" if cap is None else str(cap) for cap in (caps.person_day, caps.server_month))


def packed_caps(argument: str) -> Caps:
    """Return the caps of a button; what is no number is no cap, for it is only shown."""
    day, _, month = argument.partition(",")
    return Caps(person_day=_unpacked(day), server_month=_unpacked(month))


def modal(caps: Caps) -> discord.ui.DesignerModal:
    """Return the form, filled in."""
    return discord.ui.DesignerModal(
        _field(DAY_FIELD, "Each person, a day, in US dollars", caps.person_day),
        _field(MONTH_FIELD, "All together, a month, in US dollars", caps.server_month),
        title="Budgets of the server's API key",
        custom_id=f"{PREFIX}:budgets",
        store=False,
    )


def read(data: Mapping[str, object]) -> Caps:
    """Return what was typed; raises `OptionOutOfRange` for what is no amount."""
    return Caps(person_day=_amount(data, DAY_FIELD), server_month=_amount(data, MONTH_FIELD))


def said(caps: Caps) -> str:
    """Say what may be spent."""
    day, month = caps.person_day, caps.server_month
    each = "no limit" if day is None else f"{money(day)} a day"
    everyone = "no limit" if month is None else f"{money(month)} a month"
    return f"Each person: {each}. All together: {everyone}. (Days and months are UTC's.)"


def no_amount(caps: Caps) -> Answer:
    """Say what a budget looks like, and offer the form again, filled in with what is set."""
    return Answer(
        text="**That is no amount of money, so nothing was saved.** Write each budget in US "
        f"dollars, from 0 to {MOST_DOLLARS:,}, such as `5` or `0.50`; empty means no limit.",
        buttons=(button(caps),),
    )


def button(caps: Caps) -> Button:
    """Return the button that opens the form."""
    return Button(action=Action.BUDGETS, label="Budgets", argument=packed(caps))


def _field(name: str, label: str, cap: Micros | None) -> discord.ui.Label[discord.ui.DesignerModal]:
    return discord.ui.Label(
        label,
        discord.ui.InputText(
            style=discord.InputTextStyle.short,
            custom_id=name,
            value=None if cap is None else f"{cap / MICROS:.6f}".rstrip("0").rstrip("."),
            placeholder="0.50",
            required=False,
            max_length=LONGEST_TYPED,
        ),
        description="Leave it empty for no limit.",
    )


def _amount(data: Mapping[str, object], field: str) -> Micros | None:
    typed = typed_text(data, field).strip().removeprefix("$").strip().replace(",", ".")
    if not typed:
        return None
    try:
        dollars = Decimal(typed)
    except InvalidOperation:
        dollars = Decimal("NaN")
    if not dollars.is_finite() or not 0 <= dollars <= MOST_DOLLARS:
        raise OptionOutOfRange(option="budget", minimum=0, maximum=MOST_DOLLARS)
    return Micros(int(dollars * MICROS))


def _unpacked(digits: str) -> Micros | None:
    return Micros(int(digits)) if digits.isascii() and digits.isdigit() else None
