"""The form for an API key, and what comes back from it.

The form is not kept in memory: its custom id says what it is for and who opened it.
That id gives no right. Whoever submits it must be the person named in it, and a
server's key is saved only for someone who may manage the server at that moment.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, cast

import discord

from companion.domain.accounts import KeepFor, KeyScope
from companion.domain.errors import OptionUnknown

PREFIX: Final = "cmp1form"
KEY_FIELD: Final = "api_key"
KEEP_FIELD: Final = "keep_for"

KEEP_LABELS: Final = {
    KeepFor.UNTIL_REMOVED: ("Until I remove it", None),
    KeepFor.MONTH: ("30 days", None),
    KeepFor.DAY: ("24 hours", None),
    KeepFor.SESSION: ("This session", "In memory only: gone when the app restarts"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyForm:
    """A form that was shown: for whose key, opened by whom (a Discord user id)."""

    scope: KeyScope
    opener: int

    @property
    def custom_id(self) -> str:
        """Return the id that Discord sends back with what was typed."""
        return f"{PREFIX}:key:{self.scope}:{self.opener}"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyEntry:
    """What was typed and chosen in the form."""

    typed: str
    keep_for: KeepFor

    def __repr__(self) -> str:
        return "KeyEntry(…)"


def key_modal(form: KeyForm, key_page: str) -> discord.ui.DesignerModal:
    """Return the form; `key_page` says where one gets a key."""
    whose = "Your API key" if form.scope is KeyScope.ME else "The server's API key"
    pays = (
        "It pays only for what **you** ask."
        if form.scope is KeyScope.ME
        else "It pays for **everyone in this server** who has no key of their own."
    )
    return discord.ui.DesignerModal(
        discord.ui.Label(
            "API key",
            discord.ui.InputText(
                style=discord.InputTextStyle.short,
                custom_id=KEY_FIELD,
                placeholder="sk-…",
                required=False,
            ),
            description="Stored encrypted. Leave it empty to see or remove the key I have.",
        ),
        discord.ui.Label("Keep it for", _keep_select()),
        discord.ui.TextDisplay(f"{pays}\n-# {key_page}"),
        title=whose,
        custom_id=form.custom_id,
        store=False,
    )


def decode_form(custom_id: str) -> KeyForm | None:
    """Return what a form was for, or `None` when it is none of ours."""
    parts = custom_id.split(":")
    if len(parts) != 4 or parts[:2] != [PREFIX, "key"]:  # noqa: PLR2004
        return None
    try:
        return KeyForm(scope=KeyScope(parts[2]), opener=int(parts[3]))
    except ValueError:
        return None


def kind_of(custom_id: str) -> str:
    """Return what kind of form it was; empty when it is none of ours."""
    prefix, _, rest = custom_id.partition(":")
    return rest.partition(":")[0] if prefix == PREFIX else ""


def read_entry(data: Mapping[str, object]) -> KeyEntry:
    """Return what was typed and chosen; raises `OptionUnknown` for a choice never offered."""
    fields = dict(_fields(data.get("components")))
    chosen = fields.get(KEEP_FIELD) or KeepFor.UNTIL_REMOVED
    offered = tuple(keep.value for keep in KEEP_LABELS)
    if chosen not in offered:
        raise OptionUnknown(option=f"{KEEP_FIELD}:{chosen}", offered=offered)
    return KeyEntry(typed=fields.get(KEY_FIELD, ""), keep_for=KeepFor(chosen))


def typed_text(data: Mapping[str, object], field: str) -> str:
    """Return what was typed into one field of a form; empty when it is not there."""
    return dict(_fields(data.get("components"))).get(field, "")


def _keep_select() -> discord.ui.Select[discord.ui.View]:
    return discord.ui.Select(
        custom_id=KEEP_FIELD,
        required=False,
        options=[
            discord.SelectOption(
                label=label,
                value=keep.value,
                description=note,
                default=keep is KeepFor.UNTIL_REMOVED,
            )
            for keep, (label, note) in KEEP_LABELS.items()
        ],
    )


def _fields(components: object) -> Iterator[tuple[str, str]]:
    """Walk labels (`component`) and action rows (`components`) alike."""
    if not isinstance(components, list):
        return
    for item in cast("list[object]", components):
        if not isinstance(item, dict):
            continue
        node = cast("dict[str, object]", item)
        custom_id, values = node.get("custom_id"), node.get("values")
        value = node.get("value")
        if isinstance(values, list) and values:
            value = cast("list[object]", values)[0]
        if isinstance(custom_id, str) and isinstance(value, str):
            yield custom_id, value
        yield from _fields([node.get("component")])
        yield from _fields(node.get("components"))
