"""What is said to a person: text, buttons, perhaps a menu; no framework in it."""

from __future__ import annotations

from dataclasses import dataclass

from companion.bot.buttons import Button

MAX_TEXT = 2000
"""Discord's limit of a message's content, in characters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MenuChoice:
    """One line of a menu; label, value and note at most 100 characters each."""

    label: str
    value: str
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Menu:
    """A menu to pick one thing from; at most 25 choices."""

    custom_id: str
    placeholder: str
    choices: tuple[MenuChoice, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelMenu:
    """A menu of the server's text channels to pick any number from; at most 25 are `chosen`."""

    custom_id: str
    placeholder: str
    chosen: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One message. `text` is at most 2000 characters."""

    text: str
    buttons: tuple[Button, ...] = ()
    menu: Menu | None = None
    channels: ChannelMenu | None = None
