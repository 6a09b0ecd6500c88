"""Buttons and menus as Discord's components.

No view is kept in memory (`store=False`): a click is routed by its custom id, so
it also works after a restart.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, cast

import discord

from companion.bot.answer import Answer, ChannelMenu, Menu
from companion.bot.buttons import Button, Tone

MOST_CHANNELS: Final = 25

STYLES = {
    Tone.PLAIN: discord.ButtonStyle.secondary,
    Tone.PRIMARY: discord.ButtonStyle.primary,
    Tone.DANGER: discord.ButtonStyle.danger,
}


def view_of(buttons: Sequence[Button], *more: Menu | ChannelMenu | None) -> discord.ui.View | None:
    """Return the view to send along, or `None` when there is nothing to click."""
    menus = [menu for menu in more if menu is not None]
    if not buttons and not menus:
        return None
    view = discord.ui.View(timeout=None, store=False)
    for menu in menus:
        view.add_item(_channels(menu) if isinstance(menu, ChannelMenu) else _select(menu))
    for button in buttons:
        view.add_item(_button(button))
    return view


def components_of(answer: Answer) -> list[dict[str, object]]:
    """Return the same as plain JSON, for a first response."""
    view = view_of(answer.buttons, answer.menu, answer.channels)
    return [] if view is None else view.to_components()  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]


def _button(button: Button) -> discord.ui.Button[discord.ui.View]:
    return discord.ui.Button(
        style=STYLES[button.tone],
        label=button.label,
        custom_id=button.custom_id,
        disabled=button.disabled,
    )


def _select(menu: Menu) -> discord.ui.Select[discord.ui.View]:
    return discord.ui.Select(
        custom_id=menu.custom_id,
        placeholder=menu.placeholder,
        options=[
            discord.SelectOption(label=choice.label, value=choice.value, description=choice.note)
            for choice in menu.choices
        ],
    )


def _channels(menu: ChannelMenu) -> discord.ui.Select[discord.ui.View]:
    return discord.ui.Select(
        discord.ComponentType.channel_select,
        custom_id=menu.custom_id,
        placeholder=menu.placeholder,
        min_values=0,
        max_values=MOST_CHANNELS,
        channel_types=[discord.ChannelType.text],
        default_values=[
            discord.SelectDefaultValue(
                # Discord describes ids as strings; the library passes on what it gets
                id=cast("int", str(channel)),
                type=discord.SelectDefaultValueType.channel,
            )
            for channel in menu.chosen[:MOST_CHANNELS]
        ],
    )
