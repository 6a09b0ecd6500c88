"""The rules of autocompletion results and option choices."""

from __future__ import annotations

from companion.playground.api_errors import FormErrors
from companion.playground.component_fields import Path, check_text
from companion.playground.interaction import Interaction
from companion.playground.vocabulary import OptionKind
from companion.playground.wire import JsonObject, as_list, as_object, objects

CHOICES = 25
_NAME = 100
_VALUE = 100


def check_choices(value: object, interaction: Interaction) -> list[JsonObject]:
    """Return suggestions for the focused option. Raises `ApiError` (50035)."""
    errors = FormErrors()
    path: Path = ("data", "choices")
    if as_list(value) is None:
        errors.required(path)
    focused = _focused(objects(interaction.data.get("options")))
    kind = OptionKind(focused["type"]) if focused else OptionKind.STRING
    check_choice_list(as_list(value) or [], kind, path, errors)
    errors.raise_if_any()
    return objects(value)


def _focused(options: list[JsonObject]) -> JsonObject | None:
    for option in options:
        if option.get("focused"):
            return option
        found = _focused(objects(option.get("options")))
        if found is not None:
            return found
    return None


def check_choice_list(
    choices: list[object], kind: OptionKind, path: Path, errors: FormErrors
) -> None:
    """Note what is wrong with a list of choices."""
    if len(choices) > CHOICES:
        errors.too_long(path, CHOICES)
    for index, item in enumerate(choices):
        choice = as_object(item) or {}
        check_text(choice, "name", (*path, index), errors, low=1, high=_NAME, required=True)
        _check_value(choice.get("value"), kind, (*path, index, "value"), errors)


def _check_value(value: object, kind: OptionKind, path: Path, errors: FormErrors) -> None:
    if value is None:
        errors.required(path)
    elif kind is OptionKind.STRING:
        if not isinstance(value, str):
            errors.add(path, "STRING_TYPE_CONVERT", "Could not interpret as string.")
        elif not 1 <= len(value) <= _VALUE:
            errors.bad_length(path, 1, _VALUE)
    elif isinstance(value, bool) or not isinstance(value, int | float):
        errors.add(path, "NUMBER_TYPE_COERCE", f'Value "{value}" is not a number.')
