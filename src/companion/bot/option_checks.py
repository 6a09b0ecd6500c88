"""What came in, against what was offered.

Discord checks options in its own client. What arrives here may still be anything: an
old client, a replay, a forged call. The library drops unknown options silently and
checks no type, range or choice, so this runs before a callback does.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from companion.bot.command_shapes import CommandShape, OptionKind, OptionShape
from companion.domain.errors import (
    OptionMissing,
    OptionOutOfRange,
    OptionUnknown,
    PromptEmpty,
    PromptTooLong,
)


def check_options(
    shape: CommandShape, given: Sequence[Mapping[str, object]], attachments: frozenset[str]
) -> None:
    """Raise an `InvalidInput` unless each option was offered and has a value it may have.

    `attachments` are the ids of the files that came along.
    """
    for item in given:
        option = shape.find(str(item.get("name")))
        if option is None:
            offered = tuple(option.name for option in shape.options)
            raise OptionUnknown(option=str(item.get("name")), offered=offered)
        _check(option, item.get("value"), attachments)
    names = {item.get("name") for item in given}
    for option in shape.options:
        if option.required and option.name not in names:
            raise OptionMissing(option=option.name)


def _check(option: OptionShape, value: object, attachments: frozenset[str]) -> None:
    if not _is_of_kind(option.kind, value):
        is_number = option.kind in {OptionKind.INTEGER, OptionKind.NUMBER}
        raise OptionOutOfRange(
            option=option.name,
            minimum=option.minimum if is_number else None,
            maximum=option.maximum if is_number else None,
        )
    if option.kind is OptionKind.ATTACHMENT and value not in attachments:
        raise OptionMissing(option=option.name)
    if option.choices and value not in option.choices:
        raise OptionUnknown(option=f"{option.name}:{value}", offered=option.choices)
    if isinstance(value, str):
        _check_length(option, value)
    elif isinstance(value, int | float) and not _within(option, value):
        raise OptionOutOfRange(option=option.name, minimum=option.minimum, maximum=option.maximum)


def _is_of_kind(kind: OptionKind, value: object) -> bool:
    if kind is OptionKind.BOOLEAN:
        return isinstance(value, bool)
    if kind is OptionKind.INTEGER:
        return isinstance(value, int) and not isinstance(value, bool)
    if kind is OptionKind.NUMBER:
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, str)


def _check_length(option: OptionShape, value: str) -> None:
    if option.maximum is not None and len(value) > option.maximum:
        raise PromptTooLong(length=len(value), limit=int(option.maximum))
    if option.minimum is not None and len(value) < option.minimum:
        raise PromptEmpty


def _within(option: OptionShape, value: float) -> bool:
    low = -math.inf if option.minimum is None else option.minimum
    high = math.inf if option.maximum is None else option.maximum
    # NaN compares false with everything, and so is outside
    return low <= value <= high
