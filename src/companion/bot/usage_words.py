"""What a person reads of what was used: a table that lines up, and the budgets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from companion.bot.answer import Answer
from companion.bot.money_words import OF_WHOM
from companion.bot.wording import count, moment, money
from companion.domain.errors import OptionUnknown
from companion.domain.money import Spending
from companion.domain.usage import Micros, ModelUse
from companion.services.spending import Period, Report

MOST_MODELS: Final = 12
LONGEST_NAME: Final = 24

TITLES: Final = {
    Period.DAY: "today",
    Period.WEEK: "in the last seven days",
    Period.MONTH: "this month",
}
_HEAD: Final = ("model", "requests", "tokens", "cost")


def period_of(typed: str | None) -> Period:
    """Return the period that was chosen, this month when none was; raises `OptionUnknown`."""
    offered = tuple(period.value for period in Period)
    if typed is not None and typed not in offered:
        raise OptionUnknown(option=f"period:{typed}", offered=offered)
    return Period(typed or Period.MONTH)


def of_person(report: Report, period: Period) -> Answer:
    """Show what the reader used."""
    return _answer("What you used", "You used nothing", report, period)


def of_server(report: Report, period: Period) -> Answer:
    """Show what was used in a server, whoever paid."""
    return _answer("What was used in this server", "Nothing was used here", report, period)


def _answer(title: str, nothing: str, report: Report, period: Period) -> Answer:
    when = TITLES[period]
    if report.uses:
        lines = [f"**{title} {when}**", "```", *_table(report.uses), "```"]
        lines += _notes(report.uses)
    else:
        lines = [f"{nothing} {when}."]
    lines += map(_budget, report.budgets)
    return Answer(text="\n".join(lines))


def _table(uses: Sequence[ModelUse]) -> list[str]:
    shown = [*uses[:MOST_MODELS], *_together("others", uses[MOST_MODELS:])]
    if len(uses) > 1:
        shown += _together("total", uses)
    rows = [_HEAD, *map(_cells, shown)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    return [
        "  ".join((row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:]))) for row in rows
    ]


def _cells(use: ModelUse) -> tuple[str, str, str, str]:
    about = "≈" if use.estimated else ""
    if use.unpriced == use.requests:
        cost = "unknown"
    else:
        cost = f"{about}{money(use.cost_micros)}{' + ?' if use.unpriced else ''}"
    name = "".join(char for char in use.model if char.isprintable() and char != "`")
    return name[:LONGEST_NAME], f"{use.requests:,}", f"{about}{use.tokens:,}", cost


def _together(name: str, uses: Sequence[ModelUse]) -> list[ModelUse]:
    if not uses:
        return []
    return [
        ModelUse(
            model=name,
            requests=sum(use.requests for use in uses),
            tokens=sum(use.tokens for use in uses),
            cost_micros=Micros(sum(use.cost_micros for use in uses)),
            estimated=sum(use.estimated for use in uses),
            unpriced=sum(use.unpriced for use in uses),
        )
    ]


def _notes(uses: Sequence[ModelUse]) -> list[str]:
    estimated, unpriced = sum(u.estimated for u in uses), sum(u.unpriced for u in uses)
    notes: list[str] = []
    if estimated:
        notes.append(f"-# ≈ {count(estimated, 'request')} estimated: the provider did not count.")
    if unpriced:
        notes.append(f"-# For {count(unpriced, 'request')} I don't know the price.")
    return notes


def _budget(spending: Spending) -> str:
    budget = spending.budget
    held = f", {money(spending.held)} held for answers on the way" if spending.held else ""
    return (
        f"{OF_WHOM[budget.scope]}: {money(spending.spent)} of {money(budget.limit)} spent{held}, "
        f"a new one {moment(budget.resets_at)}."
    )
