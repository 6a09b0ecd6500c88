"""Checks shared by all kinds of components."""

from __future__ import annotations

from companion.playground.api_errors import FormErrors
from companion.playground.state import flatten
from companion.playground.vocabulary import ComponentKind
from companion.playground.wire import JsonObject

Path = tuple[str | int, ...]


def kind_of(component: JsonObject) -> ComponentKind | None:
    """Return a component's kind, if it is one."""
    value = number(component.get("type"))
    known = value is not None and value in ComponentKind.__members__.values()
    return ComponentKind(value) if known else None


def number(value: object) -> int | None:
    """Return a whole number."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def check_text(
    holder: JsonObject,
    name: str,
    path: Path,
    errors: FormErrors,
    *,
    low: int,
    high: int,
    required: bool = False,
) -> None:
    """Note a text that is missing, no text, or of a wrong length."""
    text = holder.get(name)
    if text is None:
        if required:
            errors.required((*path, name))
    elif not isinstance(text, str):
        errors.add((*path, name), "STRING_TYPE_CONVERT", "Could not interpret as string.")
    elif not low <= len(text) <= high:
        errors.bad_length((*path, name), low, high)


def check_unique_ids(components: list[JsonObject], errors: FormErrors) -> None:
    """Note custom ids that are used twice."""
    seen: set[str] = set()
    for component in flatten(components):
        custom_id = component.get("custom_id")
        if not isinstance(custom_id, str):
            continue
        if custom_id in seen:
            message = "Component custom id cannot be duplicated"
            errors.add(("components",), "COMPONENT_CUSTOM_ID_DUPLICATED", message)
        seen.add(custom_id)
