"""The rules of message components ("Component Reference", Discord's documents).

Legacy messages hold up to five rows of buttons or one select each; messages with the
Components V2 flag hold up to 40 components of more kinds, and 4000 characters.
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
from companion.playground.state import flatten, text_displays
from companion.playground.vocabulary import ComponentKind
from companion.playground.wire import JsonObject, as_list, as_object, objects

_ROWS = 5
_BUTTONS = 5
_OPTIONS = 25
_V2_COMPONENTS = 40
_V2_TEXT = 4000
_GALLERY = 10
_SECTION_TEXTS = 3
_LINK, _PREMIUM = 5, 6
_SELECTS = frozenset(
    {
        ComponentKind.STRING_SELECT,
        ComponentKind.USER_SELECT,
        ComponentKind.ROLE_SELECT,
        ComponentKind.MENTIONABLE_SELECT,
        ComponentKind.CHANNEL_SELECT,
    }
)
_TOP_LEVEL_V2 = frozenset(
    {
        ComponentKind.ACTION_ROW,
        ComponentKind.SECTION,
        ComponentKind.TEXT_DISPLAY,
        ComponentKind.MEDIA_GALLERY,
        ComponentKind.FILE,
        ComponentKind.SEPARATOR,
        ComponentKind.CONTAINER,
    }
)


def check_message_components(value: object, errors: FormErrors, *, v2: bool) -> list[JsonObject]:
    """Return components as Discord stores them; what is wrong goes to `errors`."""
    if value is None:
        return []
    if as_list(value) is None:
        message = "Only iterables may be used in a ListType"
        errors.add(("components",), "LIST_TYPE_CONVERT", message)
        return []
    components = objects(value)
    _check_amounts(components, errors, v2=v2)
    allowed = _TOP_LEVEL_V2 if v2 else frozenset({ComponentKind.ACTION_ROW})
    for index, component in enumerate(components):
        _check(component, ("components", index), errors, allowed)
    check_unique_ids(components, errors)
    return _numbered(components)


def _check_amounts(components: list[JsonObject], errors: FormErrors, *, v2: bool) -> None:
    if not v2:
        if len(components) > _ROWS:
            errors.too_long(("components",), _ROWS)
        return
    if len(flatten(components)) > _V2_COMPONENTS:
        message = f"The total number of components must be {_V2_COMPONENTS} or fewer."
        errors.add(("components",), "COMPONENT_MAX_TOTAL_COMPONENTS_EXCEEDED", message)
    if sum(map(len, text_displays(components))) > _V2_TEXT:
        message = f"The total displayable text size exceeds {_V2_TEXT} characters."
        errors.add(("components",), "COMPONENT_DISPLAYABLE_TEXT_SIZE_EXCEEDED", message)


def _check(
    component: JsonObject, path: Path, errors: FormErrors, allowed: frozenset[ComponentKind]
) -> None:
    kind = kind_of(component)
    if kind is None or kind not in allowed:
        numbers = ", ".join(str(int(one)) for one in sorted(allowed))
        message = f'Value of field "type" must be one of ({numbers},).'
        errors.add((*path, "type"), "UNION_TYPE_CHOICES", message)
        return
    if kind is ComponentKind.ACTION_ROW:
        _check_row(component, path, errors)
    elif kind is ComponentKind.BUTTON:
        _check_button(component, path, errors)
    elif kind in _SELECTS:
        check_select(component, path, errors)
    else:
        _check_v2(kind, component, path, errors)


def _check_v2(kind: ComponentKind, component: JsonObject, path: Path, errors: FormErrors) -> None:
    if kind is ComponentKind.TEXT_DISPLAY:
        check_text(component, "content", path, errors, low=1, high=_V2_TEXT, required=True)
    elif kind is ComponentKind.CONTAINER:
        inside = _TOP_LEVEL_V2 - {ComponentKind.CONTAINER}
        _check_children(component, path, errors, inside, low=1, high=_V2_COMPONENTS)
    elif kind is ComponentKind.SECTION:
        texts = frozenset({ComponentKind.TEXT_DISPLAY})
        _check_children(component, path, errors, texts, low=1, high=_SECTION_TEXTS)
        accessory = as_object(component.get("accessory"))
        if accessory is None:
            errors.required((*path, "accessory"))
        else:
            kinds = frozenset({ComponentKind.BUTTON, ComponentKind.THUMBNAIL})
            _check(accessory, (*path, "accessory"), errors, kinds)
    elif kind is ComponentKind.MEDIA_GALLERY:
        if not 1 <= len(objects(component.get("items"))) <= _GALLERY:
            errors.bad_length((*path, "items"), 1, _GALLERY)
    elif kind in {ComponentKind.FILE, ComponentKind.THUMBNAIL}:
        name = "file" if kind is ComponentKind.FILE else "media"
        if not (as_object(component.get(name)) or {}).get("url"):
            errors.required((*path, name, "url"))


def _check_children(
    component: JsonObject,
    path: Path,
    errors: FormErrors,
    allowed: frozenset[ComponentKind],
    *,
    low: int,
    high: int,
) -> None:
    children = objects(component.get("components"))
    if not low <= len(children) <= high:
        errors.bad_length((*path, "components"), low, high)
    for index, child in enumerate(children):
        _check(child, (*path, "components", index), errors, allowed)


def _check_row(component: JsonObject, path: Path, errors: FormErrors) -> None:
    children = objects(component.get("components"))
    kinds = {kind_of(child) for child in children}
    is_select_row = bool(kinds & _SELECTS)
    inside = _SELECTS if is_select_row else frozenset({ComponentKind.BUTTON})
    high = 1 if is_select_row else _BUTTONS
    _check_children(component, path, errors, inside, low=1, high=high)


def _check_button(component: JsonObject, path: Path, errors: FormErrors) -> None:
    style = number(component.get("style"))
    if style is None or not 1 <= style <= _PREMIUM:
        errors.choices((*path, "style"), "(1, 2, 3, 4, 5, 6)")
        return
    check_text(component, "label", path, errors, low=0, high=80)
    if style == _LINK:
        check_text(component, "url", path, errors, low=1, high=512, required=True)
    elif style != _PREMIUM:
        check_text(component, "custom_id", path, errors, low=1, high=100, required=True)
    if style in {_LINK, _PREMIUM} and component.get("custom_id"):
        message = "A custom id and url cannot both be specified"
        errors.add(
            (*path, "custom_id"), "BUTTON_COMPONENT_CUSTOM_ID_URL_MUTUALLY_EXCLUSIVE", message
        )
    if style != _PREMIUM and not component.get("label") and not component.get("emoji"):
        message = "A button must have a label or an emoji"
        errors.add(path, "BUTTON_COMPONENT_INVALID", message)


def check_select(component: JsonObject, path: Path, errors: FormErrors) -> None:
    """Check a select menu, in a message or a modal."""
    check_text(component, "custom_id", path, errors, low=1, high=100, required=True)
    check_text(component, "placeholder", path, errors, low=0, high=150)
    options = objects(component.get("options"))
    if kind_of(component) is ComponentKind.STRING_SELECT:
        _check_options(options, path, errors)
    low = number(component.get("min_values", 1))
    high = number(component.get("max_values", 1))
    if low is None or not 0 <= low <= _OPTIONS:
        errors.choices((*path, "min_values"), f"0 to {_OPTIONS}")
    if high is None or not 1 <= high <= _OPTIONS:
        errors.choices((*path, "max_values"), f"1 to {_OPTIONS}")
    elif options and high > len(options):
        message = "The max_values cannot be greater than the number of options."
        errors.add((*path, "max_values"), "SELECT_COMPONENT_MAX_VALUES_TOO_LARGE", message)


def _check_options(options: list[JsonObject], path: Path, errors: FormErrors) -> None:
    if not 1 <= len(options) <= _OPTIONS:
        errors.bad_length((*path, "options"), 1, _OPTIONS)
    seen: set[object] = set()
    for index, option in enumerate(options):
        place = (*path, "options", index)
        for name in ("label", "value"):
            check_text(option, name, place, errors, low=1, high=100, required=True)
        check_text(option, "description", place, errors, low=0, high=100)
        if option.get("value") in seen:
            message = "The specified option value is already used"
            errors.add((*place, "value"), "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED", message)
        seen.add(option.get("value"))


def _numbered(components: list[JsonObject]) -> list[JsonObject]:
    taken = {component.get("id") for component in flatten(components)}
    following = 1
    for component in flatten(components):
        while following in taken:
            following += 1
        if not component.get("id"):
            component["id"] = following
            taken.add(following)
    return components
