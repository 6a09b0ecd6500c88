"""Token counts as columns, the same in turns and in the log."""

from __future__ import annotations

from typing import TypedDict

from sqlalchemy.orm import Mapped

from companion.domain.usage import Usage


class WithUsage:
    """A row with the columns of a usage; all null when there is none."""

    prompt_tokens: Mapped[int | None]
    completion_tokens: Mapped[int | None]
    cached_tokens: Mapped[int | None]
    reasoning_tokens: Mapped[int | None]
    usage_estimated: Mapped[bool | None]


class UsageColumns(TypedDict):
    """The values of those columns."""

    prompt_tokens: int | None
    completion_tokens: int | None
    cached_tokens: int | None
    reasoning_tokens: int | None
    usage_estimated: bool | None


def usage_columns(usage: Usage | None) -> UsageColumns:
    """Return the columns' values for a usage."""
    return UsageColumns(
        prompt_tokens=usage and usage.prompt_tokens,
        completion_tokens=usage and usage.completion_tokens,
        cached_tokens=usage and usage.cached_tokens,
        reasoning_tokens=usage and usage.reasoning_tokens,
        usage_estimated=usage and usage.estimated,
    )


def usage_of(row: WithUsage) -> Usage | None:
    """Return the usage that a row holds."""
    if row.prompt_tokens is None or row.completion_tokens is None:
        return None
    return Usage(
        prompt_tokens=row.prompt_tokens,
        completion_tokens=row.completion_tokens,
        cached_tokens=row.cached_tokens or 0,
        reasoning_tokens=row.reasoning_tokens or 0,
        estimated=bool(row.usage_estimated),
    )
