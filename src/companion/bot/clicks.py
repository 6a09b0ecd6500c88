"""What a click on one of our buttons or menus does.

Routed by custom id alone, so buttons work after a restart. The id gives no right:
the services check whoever clicked (`NotYours`, `ManagerOnly`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, cast

from companion.bot import key_words
from companion.bot.answer import Answer, Menu, MenuChoice
from companion.bot.buttons import Action, Button, Click, Tone, decode
from companion.bot.exchange import Exchange
from companion.bot.forms import KeyForms
from companion.bot.replies import Replies
from companion.bot.wording import count, quoted
from companion.domain.accounts import KeyScope
from companion.domain.conversation import TurnId
from companion.domain.errors import ButtonExpired
from companion.services.container import Services

MAX_CHOICES: Final = 25
MAX_CUSTOM_ID: Final = 100


class Clicks:
    """Handles clicks: acknowledge, call one service, say what came of it."""

    def __init__(self, services: Services, replies: Replies, forms: KeyForms) -> None:
        self._services = services
        self._replies = replies
        self._forms = forms
        self._handlers: dict[Action, Callable[[Exchange, Click], Awaitable[None]]] = {
            Action.STOP: self._stop,
            Action.REGENERATE: self._regenerate,
            Action.CONTINUE: self._continue,
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

    async def _stop(self, exchange: Exchange, click: Click) -> None:
        turn = _turn(click)
        await exchange.defer_update()
        await self._services.chat.stop(turn, exchange.actor, exchange.place)

    async def _regenerate(self, exchange: Exchange, click: Click) -> None:
        turn = _turn(click)
        await exchange.defer(ephemeral=exchange.on_ephemeral_message)
        events = self._services.chat.regenerate(
            turn,
            actor=exchange.actor,
            place=exchange.place,
            interaction_id=exchange.id,
            model=click.argument or None,
        )
        await self._replies.render(exchange, events)

    async def _continue(self, exchange: Exchange, click: Click) -> None:
        turn = _turn(click)
        await exchange.defer(ephemeral=exchange.on_ephemeral_message)
        events = self._services.chat.resume(
            turn, actor=exchange.actor, place=exchange.place, interaction_id=exchange.id
        )
        await self._replies.render(exchange, events)

    async def _set_key(self, exchange: Exchange, click: Click) -> None:
        await self._forms.open(exchange, _scope(click))

    async def _remove_key(self, exchange: Exchange, click: Click) -> None:
        scope = _scope(click)
        await exchange.defer(ephemeral=True)
        was_there = await self._services.accounts.remove_key(exchange.actor, exchange.place, scope)
        await exchange.reply(key_words.removed(scope, was_there=was_there))

    async def _choose_model(self, exchange: Exchange, click: Click) -> None:
        picked = _picked(exchange)
        if picked is None:
            await exchange.reply(self._model_menu(exchange, click))
            return
        await exchange.defer_update()
        await self._services.models.choose(exchange.actor, exchange.place, picked)
        await exchange.replace(_chosen(picked, click))

    def _model_menu(self, exchange: Exchange, click: Click) -> Answer:
        found = self._services.models.suggest(exchange.actor, exchange.place, "")[:MAX_CHOICES]
        if not found:
            return Answer(text="I don't know any models yet. Name one with `/ask model:`.")
        menu = Menu(
            custom_id=Button(action=click.action, label="", target=click.target).custom_id,
            placeholder="Pick a model",
            choices=tuple(MenuChoice(label=choice.label, value=choice.id) for choice in found),
        )
        return Answer(text="Which model should answer you from now on?", menu=menu)

    async def _confirm_clear(self, exchange: Exchange, _: Click) -> None:
        await exchange.defer_update()
        forgotten = await self._services.conversations.clear_everywhere(exchange.actor)
        await exchange.replace(
            Answer(text=f"Done. I forgot everything you asked me: {count(forgotten, 'turn')}.")
        )

    async def _cancel(self, exchange: Exchange, _: Click) -> None:
        await exchange.defer_update()
        await exchange.replace(Answer(text="Nothing was cleared."))


def _turn(click: Click) -> TurnId:
    if click.target is None:
        raise ButtonExpired
    return TurnId(click.target)


def _scope(click: Click) -> KeyScope:
    return KeyScope.SERVER if click.argument == KeyScope.SERVER else KeyScope.ME


def _picked(exchange: Exchange) -> str | None:
    values = exchange.data.get("values")
    return str(cast("list[object]", values)[0]) if isinstance(values, list) and values else None


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
