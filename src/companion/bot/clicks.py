"""What a click on one of our buttons or menus does.

Routed by custom id alone, so buttons work after a restart. The id gives no right:
the services check whoever clicked (`NotYours`, `ManagerOnly`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from companion.bot import key_words
from companion.bot.answer import Answer
from companion.bot.answer_clicks import AnswerClicks, model_menu, picked_in
from companion.bot.buttons import Action, Button, Click, Tone, decode
from companion.bot.exchange import Exchange
from companion.bot.forms import KeyForms
from companion.bot.replies import Replies
from companion.bot.settings_panel import SettingsPanel
from companion.bot.wording import count, quoted
from companion.domain.accounts import KeyScope
from companion.domain.errors import ButtonExpired
from companion.services.container import Services

MENU_QUESTION: Final = "Which model should answer you from now on?"
MAX_CUSTOM_ID: Final = 100


class Clicks:
    """Handles clicks: acknowledge, call one service, say what came of it."""

    def __init__(
        self,
        services: Services,
        replies: Replies,
        forms: KeyForms,
        *,
        answers: AnswerClicks,
        panel: SettingsPanel,
    ) -> None:
        self._services = services
        self._replies = replies
        self._forms = forms
        self._handlers: dict[Action, Callable[[Exchange, Click], Awaitable[None]]] = {
            **answers.handlers,
            Action.CHAT_CHANNELS: lambda exchange, _: panel.choose(exchange),
            Action.BUDGETS: panel.ask_budgets,
            Action.SET_KEY: self._set_key,
            Action.REMOVE_KEY: self._remove_key,
            Action.CHOOSE_MODEL: self._choose_model,
            Action.CONFIRM_CLEAR: self._confirm_clear,
            Action.CANCEL: self._cancel,
        }

    async def handle(self, exchange: Exchange) -> None:
        """Do what the clicked button says; raises `CompanionError` and `Unacknowledged`."""
        click = decode(str(exchange.data.get("custom_id", "")))
        if click is None:
            raise ButtonExpired
        await self._handlers[click.action](exchange, click)

    async def _set_key(self, exchange: Exchange, click: Click) -> None:
        await self._forms.open(exchange, _scope(click))

    async def _remove_key(self, exchange: Exchange, click: Click) -> None:
        scope = _scope(click)
        await exchange.defer(ephemeral=True)
        was_there = await self._services.accounts.remove_key(exchange.actor, exchange.place, scope)
        await exchange.reply(key_words.removed(scope, was_there=was_there))

    async def _choose_model(self, exchange: Exchange, click: Click) -> None:
        picked = picked_in(exchange)
        if picked is None:
            found = self._services.models.suggest(exchange.actor, exchange.place, "")
            await exchange.reply(model_menu(click, found, MENU_QUESTION))
            return
        await exchange.defer_update()
        await self._services.models.choose(exchange.actor, exchange.place, picked)
        await exchange.replace(_chosen(picked, click))

    async def _confirm_clear(self, exchange: Exchange, _: Click) -> None:
        await exchange.defer_update()
        forgotten = await self._services.conversations.clear_everywhere(exchange.actor)
        await exchange.replace(
            Answer(text=f"Done. I forgot everything you asked me: {count(forgotten, 'question')}.")
        )

    async def _cancel(self, exchange: Exchange, _: Click) -> None:
        await exchange.defer_update()
        await exchange.replace(Answer(text="Nothing was cleared."))


def _scope(click: Click) -> KeyScope:
    return KeyScope.SERVER if click.argument == KeyScope.SERVER else KeyScope.ME


def _chosen(model: str, click: Click) -> Answer:
    text = (
        f"{quoted(model)} answers you from now on. Choose another for one question with `model:`."
    )
    if click.target is None:
        return Answer(text=text)
    retry = Button(
        action=Action.REGENERATE,
        label="Retry",
        target=click.target,
        argument=model,
        tone=Tone.PRIMARY,
    )
    if len(retry.custom_id) > MAX_CUSTOM_ID:
        # the choice is saved, so a retry without its name uses it too
        retry = Button(action=Action.REGENERATE, label="Retry", target=click.target)
    return Answer(text=text, buttons=(retry,))
