from __future__ import annotations

import pytest

from companion.playground.api_errors import ApiError, FormErrors
from companion.playground.components import check_message_components
from companion.playground.modals import check_modal, submitted
from companion.playground.wire import JsonObject


def button(**fields: object) -> JsonObject:
    return {"type": 2, "style": 1, "label": "Go", "custom_id": "go"} | fields


def row(*components: JsonObject) -> JsonObject:
    return {"type": 1, "components": list(components)}


def select(count: int = 1, **fields: object) -> JsonObject:
    options = [{"label": f"L{n}", "value": f"v{n}"} for n in range(count)]
    return {"type": 3, "custom_id": "pick", "options": options} | fields


def text(content: str = "x") -> JsonObject:
    return {"type": 10, "content": content}


def has_errors(components: list[JsonObject], *, v2: bool = False) -> bool:
    errors = FormErrors()
    check_message_components(components, errors, v2=v2)
    return bool(errors)


@pytest.mark.parametrize(
    "components",
    [
        [row(*(button(custom_id=f"b{r}{n}") for n in range(5))) for r in range(5)],
        [row(button(style=5, url="https://example.org", custom_id=None))],
        [row(button(label=None, emoji={"name": "👍"}))],
        [row(select(25))],
        [row({"type": 5, "custom_id": "who", "max_values": 25})],
    ],
)
def test_allowed_components_pass(components: list[JsonObject]):
    assert not has_errors(components)


@pytest.mark.parametrize(
    "components",
    [
        [row(button(custom_id=f"b{n}")) for n in range(6)],
        [row(*(button(custom_id=f"b{n}") for n in range(6)))],
        [row()],
        [button()],
        [row(button(label="x" * 81))],
        [row(button(custom_id="x" * 101))],
        [row(button(custom_id=""))],
        [row(button(custom_id=None))],
        [row(button(style=7))],
        [row(button(label=None))],
        [row(button(style=5))],
        [row(button(style=5, url="https://example.org"))],
        [row(button(), button())],
        [row(select(26))],
        [row(select(0))],
        [row(select(2, max_values=3))],
        [row(select(1, placeholder="x" * 151))],
        [row(select(), button())],
        [row(select(options=[{"label": "a", "value": "v"}, {"label": "b", "value": "v"}]))],
        [row(select(options=[{"label": "x" * 101, "value": "v"}]))],
        [text()],
    ],
)
def test_components_beyond_the_rules_are_refused(components: list[JsonObject]):
    assert has_errors(components)


@pytest.mark.parametrize(
    "components",
    [
        [text("x" * 4000)],
        [text() for _ in range(40)],
        [{"type": 17, "components": [text(), row(button())]}],
        [{"type": 9, "components": [text()], "accessory": button()}],
        [{"type": 12, "items": [{"media": {"url": "https://example.org/a.png"}}]}],
        [{"type": 14}],
    ],
)
def test_allowed_v2_components_pass(components: list[JsonObject]):
    assert not has_errors(components, v2=True)


@pytest.mark.parametrize(
    "components",
    [
        [text("x" * 4001)],
        [text("x" * 2001), text("x" * 2000)],
        [text() for _ in range(41)],
        [text("")],
        [{"type": 17, "components": [{"type": 17, "components": [text()]}]}],
        [{"type": 9, "components": [text()]}],
        [{"type": 9, "components": [text()] * 4, "accessory": button()}],
        [{"type": 12, "items": []}],
        [{"type": 13, "file": {}}],
        [button()],
    ],
)
def test_v2_components_beyond_the_rules_are_refused(components: list[JsonObject]):
    assert has_errors(components, v2=True)


# -- modals ------------------------------------------------------------------------------


def text_input(**fields: object) -> JsonObject:
    return {"type": 4, "custom_id": "key", "style": 1, "label": "Key"} | fields


def label(component: JsonObject, **fields: object) -> JsonObject:
    return {"type": 18, "label": "Key", "component": component} | fields


def modal(*components: JsonObject, **fields: object) -> JsonObject:
    return {"title": "T", "custom_id": "m", "components": list(components)} | fields


PLAIN_INPUT: JsonObject = {"type": 4, "custom_id": "key", "style": 1}


@pytest.mark.parametrize(
    "good",
    [
        modal(row(text_input(max_length=4000, value="x" * 4000))),
        modal(*(row(text_input(custom_id=f"i{n}")) for n in range(5))),
        modal(text(), label(PLAIN_INPUT), label(select(3))),
        modal(row(text_input()), title="x" * 45),
    ],
)
def test_allowed_modal_passes(good: JsonObject):
    assert check_modal(good) is good


@pytest.mark.parametrize(
    "bad",
    [
        modal(),
        modal(row(text_input()), title="x" * 46),
        modal(row(text_input()), title=""),
        modal(row(text_input()), custom_id="x" * 101),
        modal(*(row(text_input(custom_id=f"i{n}")) for n in range(6))),
        modal(row(text_input(), text_input(custom_id="b"))),
        modal(row(text_input(label="x" * 46))),
        modal(row(text_input(label=None))),
        modal(row(text_input(max_length=4001))),
        modal(row(text_input(value="x" * 4001))),
        modal(row(text_input(style=3))),
        modal(row(text_input()), row(text_input())),
        modal(row(button())),
        modal(text_input()),
        modal(label(text_input())),
        modal(label(button())),
        modal(label(PLAIN_INPUT, label="x" * 46)),
        modal(label(PLAIN_INPUT, description="x" * 101)),
        modal(label(select(26))),
    ],
)
def test_modal_beyond_the_rules_is_refused(bad: JsonObject):
    with pytest.raises(ApiError) as refused:
        check_modal(bad)
    assert refused.value.problem.code == 50035


def test_submitted_rows_have_the_legacy_shape():
    data = submitted(check_modal(modal(row(text_input(value="old")))), {"key": "new"})
    [sent] = data["components"]
    assert (sent["type"], sent["components"][0]["value"]) == (1, "new")


def test_submitted_labels_have_the_newer_shape():
    options = [{"label": "A", "value": "a", "default": True}, {"label": "B", "value": "b"}]
    shown = check_modal(modal(text(), label(PLAIN_INPUT), label(select(options=options))))
    displayed, typed, picked = submitted(shown, {"key": "typed"})["components"]
    assert displayed == {"type": 10, "id": 1}
    assert (typed["type"], typed["component"]["value"]) == (18, "typed")
    assert picked["component"]["values"] == ["a"]
