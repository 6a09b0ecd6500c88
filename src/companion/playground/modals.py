"""The rules of modals, and what a submitted one looks like.

Both forms exist: rows with one text input each, and labels (type 18) that hold one
field of any kind, next to plain text displays.
"""

from __future__ import annotations

from companion.playground.api_errors import FormErrors
from companion.playground.component_fields import (
    Path,
    check_text,
    check_unique_ids,
    kind_of,
    number,
)
from companion.playground.components import check_select
from companion.playground.vocabulary import ComponentKind
from companion.playground.wire import JsonObject, as_object, objects

_COMPONENTS = 5
_INPUT_MAX = 4000
_CHOICE_FIELDS = {ComponentKind.RADIO_GROUP: (2, 10), ComponentKind.CHECKBOX_GROUP: (1, 10)}
_SELECTS = frozenset(ComponentKind(kind) for kind in (3, 5, 6, 7, 8))
_LABELLED = _SELECTS | {
    ComponentKind.TEXT_INPUT,
    ComponentKind.FILE_UPLOAD,
    ComponentKind.RADIO_GROUP,
    ComponentKind.CHECKBOX_GROUP,
    ComponentKind.CHECKBOX,
}


def check_modal(data: JsonObject) -> JsonObject:
    """Return a modal that may be shown. Raises `ApiError` (50035)."""
    errors = FormErrors()
    check_text(data, "title", ("data",), errors, low=1, high=45, required=True)
    check_text(data, "custom_id", ("data",), errors, low=1, high=100, required=True)
    components = objects(data.get("components"))
    if not 1 <= len(components) <= _COMPONENTS:
        errors.bad_length(("data", "components"), 1, _COMPONENTS)
    for index, component in enumerate(components):
        _check(component, ("data", "components", index), errors)
    check_unique_ids(components, errors)
    errors.raise_if_any()
    for index, component in enumerate(components, start=1):
        component.setdefault("id", index)
    return data


def _check(component: JsonObject, path: Path, errors: FormErrors) -> None:
    kind = kind_of(component)
    if kind is ComponentKind.ACTION_ROW:
        _check_row(component, path, errors)
    elif kind is ComponentKind.LABEL:
        _check_label(component, path, errors)
    elif kind is ComponentKind.TEXT_DISPLAY:
        check_text(component, "content", path, errors, low=1, high=4000, required=True)
    else:
        message = 'Value of field "type" must be one of (1, 10, 18).'
        errors.add((*path, "type"), "UNION_TYPE_CHOICES", message)


def _check_row(component: JsonObject, path: Path, errors: FormErrors) -> None:
    children = objects(component.get("components"))
    if len(children) != 1:
        errors.bad_length((*path, "components"), 1, 1)
    for index, child in enumerate(children):
        place = (*path, "components", index)
        if kind_of(child) is not ComponentKind.TEXT_INPUT:
            message = 'Value of field "type" must be one of (4,).'
            errors.add((*place, "type"), "UNION_TYPE_CHOICES", message)
            continue
        check_text(child, "label", place, errors, low=1, high=45, required=True)
        _check_input(child, place, errors)


def _check_label(component: JsonObject, path: Path, errors: FormErrors) -> None:
    check_text(component, "label", path, errors, low=1, high=45, required=True)
    check_text(component, "description", path, errors, low=0, high=100)
    field = as_object(component.get("component")) or {}
    place = (*path, "component")
    kind = kind_of(field)
    if kind not in _LABELLED:
        message = f'Value of field "type" must be one of {tuple(sorted(map(int, _LABELLED)))}.'
        errors.add((*place, "type"), "UNION_TYPE_CHOICES", message)
    elif kind is ComponentKind.TEXT_INPUT:
        if field.get("label") is not None:
            message = "A text input inside of a label cannot have a label of its own."
            errors.add((*place, "label"), "BASE_TYPE_MUST_BE_NULL", message)
        _check_input(field, place, errors)
    elif kind in _SELECTS:
        check_select(field, place, errors)
    else:
        _check_choice_field(field, place, errors)


def _check_input(field: JsonObject, path: Path, errors: FormErrors) -> None:
    check_text(field, "custom_id", path, errors, low=1, high=100, required=True)
    check_text(field, "placeholder", path, errors, low=0, high=100)
    check_text(field, "value", path, errors, low=0, high=_INPUT_MAX)
    if number(field.get("style")) not in {1, 2}:
        errors.choices((*path, "style"), "(1, 2)")
    for name, low in (("min_length", 0), ("max_length", 1)):
        bound = field.get(name)
        length = number(bound)
        if bound is not None and (length is None or not low <= length <= _INPUT_MAX):
            message = f"int value should be between {low} and {_INPUT_MAX}."
            errors.add((*path, name), "NUMBER_TYPE_RANGE", message)


def _check_choice_field(field: JsonObject, path: Path, errors: FormErrors) -> None:
    check_text(field, "custom_id", path, errors, low=1, high=100, required=True)
    kind = kind_of(field)
    low, high = _CHOICE_FIELDS.get(kind or ComponentKind.CHECKBOX, (0, 25))
    options = objects(field.get("options"))
    if not low <= len(options) <= high:
        errors.bad_length((*path, "options"), low, high)


def submitted(modal: JsonObject, values: dict[str, str | list[str]]) -> JsonObject:
    """Return the data of a submitted modal: the fields' values by custom id, or their defaults."""
    return {
        "custom_id": modal["custom_id"],
        "components": [_filled(component, values) for component in modal["components"]],
        "resolved": {},
    }


def _filled(component: JsonObject, values: dict[str, str | list[str]]) -> JsonObject:
    shell: JsonObject = {"type": component["type"], "id": component.get("id", 0)}
    if kind_of(component) is ComponentKind.ACTION_ROW:
        return shell | {"components": [_value(c, values) for c in component["components"]]}
    if kind_of(component) is ComponentKind.LABEL:
        return shell | {"component": _value(component["component"], values)}
    return shell


def _value(field: JsonObject, values: dict[str, str | list[str]]) -> JsonObject:
    custom_id = field["custom_id"]
    given = values.get(custom_id)
    answer: JsonObject = {
        "type": field["type"],
        "id": field.get("id", 0),
        "custom_id": custom_id,
    }
    match kind_of(field):
        case ComponentKind.TEXT_INPUT:
            return answer | {"value": field.get("value") or "" if given is None else given}
        case ComponentKind.RADIO_GROUP:
            return answer | {"value": given if given is not None else _defaults(field)[:1] or None}
        case ComponentKind.CHECKBOX:
            return answer | {"value": given in {"true", "True"}}
        case _:
            chosen = _defaults(field) if given is None else given
            return answer | {"values": [chosen] if isinstance(chosen, str) else list(chosen)}


def _defaults(field: JsonObject) -> list[str]:
    return [str(o["value"]) for o in objects(field.get("options")) if o.get("default")]
