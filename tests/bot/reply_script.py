"""Scripted chat events and plain words for reply tests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from uuid import UUID

from companion.bot.answer import Answer
from companion.bot.buttons import Action, Button
from companion.domain.chat import ChatEvent, Delta, Failed, Finished, Queued, Retrying, Started
from companion.domain.conversation import Finish, TurnId
from companion.domain.errors import ProviderTimedOut
from companion.domain.models import ModelId, Payer
from companion.domain.usage import Usage

TURN = TurnId(UUID(int=7))
STARTED = Started(turn_id=TURN, model=ModelId("m"), payer=Payer.PERSON)
STOP = Button(action=Action.STOP, label="Stop", target=TURN)
CANCEL = Button(action=Action.STOP, label="Cancel", target=TURN)
AGAIN = Button(action=Action.REGENERATE, label="Regenerate", target=TURN)
FAILED = Failed(error=ProviderTimedOut(), turn_id=TURN)
FOOTER = "-# m · 3 tokens"

Step = ChatEvent | float | BaseException


def finished(finish: Finish = Finish.COMPLETE) -> Finished:
    return Finished(
        turn_id=TURN,
        model=ModelId("m"),
        payer=Payer.PERSON,
        finish=finish,
        usage=Usage(prompt_tokens=1, completion_tokens=2),
        cost_micros=None,
        seconds=1.0,
    )


async def script(*steps: Step) -> AsyncIterator[ChatEvent]:
    """Yield the events, sleep through the numbers, raise the exceptions."""
    for step in steps:
        if isinstance(step, float | int):
            await asyncio.sleep(step)
        elif isinstance(step, BaseException):
            raise step
        else:
            yield step


def spoken(text: str, *, per_token_s: float, size: int = 4) -> Iterable[Step]:
    """Return the text as tokens with pauses."""
    for start in range(0, len(text), size):
        yield Delta(text=text[start : start + size])
        yield per_token_s


class PlainWords:
    """Implements `ReplyWords`, recognisably."""

    def thinking(self, started: Started) -> str:
        return "(thinking)"

    def queued(self, queued: Queued) -> str:
        return f"(behind {queued.ahead}, {queued.wait_s:g} s)"

    def queued_buttons(self, queued: Queued) -> tuple[Button, ...]:
        return (CANCEL,)

    def waiting(self, retrying: Retrying) -> str:
        return f"(waiting {retrying.wait_s:g} s)"

    def running_buttons(self, started: Started) -> tuple[Button, ...]:
        return (STOP,)

    def finished_buttons(self, finished: Finished) -> tuple[Button, ...]:
        return (AGAIN,)

    def footer(self, finished: Finished) -> str:
        return FOOTER

    def interrupted(self, finished: Finished) -> str:
        return f"({finished.finish})"

    def empty_answer(self, finished: Finished) -> str:
        return "(nothing)"

    def failure(self, failed: Failed) -> Answer:
        return Answer(text=f"(failed: {failed.error})", buttons=(AGAIN,))

    def rest_in_file(self) -> str:
        return "(rest in file)"

    def out_of_time(self) -> str:
        return "(out of time)"
