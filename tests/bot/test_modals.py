from __future__ import annotations

from typing import Any

import pytest

from companion.bot.modals import KeyForm, decode_form, key_modal, read_entry
from companion.domain.accounts import KeepFor, KeyScope
from companion.domain.errors import OptionUnknown


def submitted(**values: str | list[str]) -> dict[str, Any]:
    """What Discord sends back: labels around fields."""
    return {
        "custom_id": "x",
        "components": [
            {
                "type": 18,
                "id": number,
                "component": {
                    "type": 3 if isinstance(value, list) else 4,
                    "custom_id": name,
                    "values" if isinstance(value, list) else "value": value,
                },
            }
            for number, (name, value) in enumerate(values.items())
        ],
    }


@pytest.mark.parametrize("scope", list(KeyScope))
async def test_form_says_what_it_is_for_and_who_opened_it(scope: KeyScope) -> None:
    form = KeyForm(scope=scope, opener=11)
    assert decode_form(form.custom_id) == form
    assert len(form.custom_id) <= 100


@pytest.mark.parametrize("custom_id", ["", "x", "cmp1form:key:moon:1", "cmp1form:key:me:ada"])
def test_foreign_form_is_none_of_ours(custom_id: str) -> None:
    assert decode_form(custom_id) is None


async def test_form_asks_for_the_key_and_how_long_to_keep_it() -> None:
    payload: dict[str, Any] = key_modal(KeyForm(scope=KeyScope.ME, opener=1), "There.").to_dict()  # pyright: ignore[reportUnknownMemberType, reportAssignmentType]
    fields = {
        label["component"]["custom_id"]: label["component"]
        for label in payload["components"]
        if "component" in label
    }
    assert set(fields) == {"api_key", "keep_for"}
    assert {option["value"] for option in fields["keep_for"]["options"]} == set(KeepFor)
    assert len(payload["title"]) <= 45


def test_what_was_typed_comes_back() -> None:
    entry = read_entry(submitted(api_key="sk-x", keep_for=["day"]))
    assert (entry.typed, entry.keep_for) == ("sk-x", KeepFor.DAY)
    assert "sk-x" not in repr(entry)


def test_nothing_chosen_keeps_until_removed() -> None:
    assert read_entry(submitted(api_key="sk-x", keep_for=[])).keep_for is KeepFor.UNTIL_REMOVED
    assert read_entry(submitted(api_key="sk-x")).keep_for is KeepFor.UNTIL_REMOVED


def test_plain_action_rows_are_read_too() -> None:
    row = {"type": 1, "components": [{"type": 4, "custom_id": "api_key", "value": "sk-y"}]}
    assert read_entry({"components": [row]}).typed == "sk-y"


@pytest.mark.parametrize("components", [None, "x", [None], [{"component": "x"}], {}])
def test_malformed_form_is_an_empty_one(components: object) -> None:
    assert read_entry({"components": components}).typed == ""


def test_choice_never_offered_is_refused() -> None:
    with pytest.raises(OptionUnknown):
        read_entry(submitted(api_key="sk-x", keep_for=["forever"]))
