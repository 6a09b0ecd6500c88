"""What the buttons below an answer do: stop it, have it anew, go on with it, move it, delete it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final, cast

from discord.http import HTTPClient

from companion.bot import thread_words
from companion.bot.answer import Answer, Menu, MenuChoice
from companion.bot.buttons import PRIVATE, Action, Button, Click
from companion.bot.channel_messages import delete_messages
from companion.bot.exchange import Exchange
from companion.bot.headings import asked_another, headed
from companion.bot.replies import Replies
from companion.bot.threads import NoThread, Threads
from companion.domain.actor import MessageId
from companion.domain.conversation import TurnId
from companion.domain.errors import ButtonExpired
from companion.services.container import Services
from companion.services.models import ModelChoice

MAX_CHOICES: Final = 25

Handler = Callable[[Exchange, Click], Awaitable[None]]


class AnswerClicks:
    """Acknowledge, call one service, say what came of it. The services check who clicked."""

    def __init__(
        self, services: Services, replies: Replies, threads: Threads, http: HTTPClient
    ) -> None:
        self._services = services
        self._replies = replies
        self._threads = threads
        self._http = http

    @property
    def handlers(self) -> Mapping[Action, Handler]:
        """Return what handles which button."""
        return {
            Action.STOP: self._stop,
            Action.REGENERATE: self._regenerate,
            Action.OTHER_MODEL: self._other_model,
            Action.CONTINUE: self._continue,
            Action.THREAD: self._thread,
            Action.DELETE: self._delete,
        }

    async def _stop(self, exchange: Exchange, click: Click) -> None:
        turn = turn_of(click)
        await exchange.defer_update()
        await self._services.chat.stop(turn, exchange.actor, exchange.place)

    async def _regenerate(self, exchange: Exchange, click: Click) -> None:
        turn = turn_of(click)
        self._services.chat.knock(exchange.actor, exchange.place)
        await exchange.defer(ephemeral=exchange.on_ephemeral_message)
        await self._again(exchange, turn, click.argument or None)

    async def _other_model(self, exchange: Exchange, click: Click) -> None:
        turn, picked = turn_of(click), picked_in(exchange)
        if picked is None:
            found = self._services.models.suggest(exchange.actor, exchange.place, "")
            menu = model_menu(click, found, "Which model should answer this again?")
            await exchange.reply(menu)
            return
        self._services.chat.knock(exchange.actor, exchange.place)
        # the menu is seen by one person only, the answer by whoever saw the first one
        await exchange.defer(ephemeral=click.argument == PRIVATE)
        line = asked_another(exchange.actor.name, picked)
        await self._again(exchange, turn, picked, line)

    async def _again(
        self, exchange: Exchange, turn: TurnId, model: str | None, line: str = ""
    ) -> None:
        events = self._services.chat.regenerate(
            turn,
            actor=exchange.actor,
            place=exchange.place,
            interaction_id=exchange.id,
            model=model,
            delivery=exchange.delivery,
        )
        await self._replies.render(exchange, headed(events, line))

    async def _continue(self, exchange: Exchange, click: Click) -> None:
        turn = turn_of(click)
        self._services.chat.knock(exchange.actor, exchange.place)
        await exchange.defer(ephemeral=exchange.on_ephemeral_message)
        events = self._services.chat.resume(
            turn,
            actor=exchange.actor,
            place=exchange.place,
            interaction_id=exchange.id,
            delivery=exchange.delivery,
        )
        await self._replies.render(exchange, events)

    async def _thread(self, exchange: Exchange, click: Click) -> None:
        turn = await self._shown_turn(exchange, click)
        if exchange.clicked is None:
            raise ButtonExpired
        await exchange.defer(ephemeral=False)
        try:
            thread = await self._threads.move(
                turn, exchange.actor, exchange.place, exchange.clicked
            )
        except NoThread as error:
            await exchange.reply(Answer(text=thread_words.no_thread(full=error.full)))
            return
        await exchange.reply(Answer(text=thread_words.moved_to(thread)), ephemeral=False)

    async def _delete(self, exchange: Exchange, click: Click) -> None:
        await exchange.defer_update()
        turn = await self._shown_turn(exchange, click)
        shown = await self._services.conversations.remove_turn(turn, exchange.actor, exchange.place)
        await exchange.remove()
        others = [(channel, message) for channel, message in shown if message != exchange.clicked]
        await delete_messages(self._http, others)

    async def _shown_turn(self, exchange: Exchange, click: Click) -> TurnId:
        """Return the turn that the clicked message shows: it may have been answered anew since."""
        turn = turn_of(click)
        if exchange.clicked is None:
            return turn
        return await self._services.conversations.answers_to(MessageId(exchange.clicked)) or turn


def turn_of(click: Click) -> TurnId:
    """Return the turn a button is about."""
    if click.target is None:
        raise ButtonExpired
    return TurnId(click.target)


def picked_in(exchange: Exchange) -> str | None:
    """Return what was picked from a menu; `None` when a button was clicked."""
    values = exchange.data.get("values")
    return str(cast("list[object]", values)[0]) if isinstance(values, list) and values else None


def model_menu(click: Click, found: Sequence[ModelChoice], question: str) -> Answer:
    """Return a menu of models for what the button was about."""
    if not found:
        return Answer(text="I don't know any models yet. Name one with `/ask model:`.")
    menu = Menu(
        custom_id=Button(
            action=click.action, label="", target=click.target, argument=click.argument
        ).custom_id,
        placeholder="Pick a model",
        choices=tuple(
            MenuChoice(label=choice.label, value=choice.id) for choice in found[:MAX_CHOICES]
        ),
    )
    return Answer(text=question, menu=menu)
