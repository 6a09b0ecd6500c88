"""Percentiles, and a table one can read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil, isnan
from typing import cast


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that `share` of all values do not exceed."""
    ordered = sorted(value for value in values if not isnan(value))
    return ordered[max(0, ceil(share * len(ordered)) - 1)] if ordered else float("nan")


def spread(values: Sequence[float]) -> dict[str, float]:
    """Return p50, p95, p99 and the largest, in milliseconds."""
    return {
        name: round(percentile(values, share) * 1000, 1)
        for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99), ("max", 1.0))
    }


def short(figures: Mapping[str, float]) -> str:
    """Return a spread on one line: median / 95 % / 99 % / largest."""
    return " / ".join(f"{figures[name]:.0f}" for name in ("p50", "p95", "p99", "max"))


def table(rows: Sequence[Mapping[str, object]]) -> str:
    """Return a Markdown table of rows with the same keys."""
    names = list(rows[0])
    lines = ["| " + " | ".join(names) + " |", "|" + "---|" * len(names)]
    lines += ["| " + " | ".join(_cell(row[name]) for name in names) + " |" for row in rows]
    return "\n".join(lines)


def _cell(value: object) -> str:
    return short(cast("dict[str, float]", value)) if isinstance(value, dict) else str(value)
