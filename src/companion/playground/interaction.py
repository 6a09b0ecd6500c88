"""One interaction: what a person did, and what the app made of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self

from companion.playground.state import Channel, Message, Person
from companion.playground.vocabulary import CallbackKind, InteractionKind
from companion.playground.wire import JsonObject


class InteractionState(StrEnum):
    """What the person sees of an interaction."""

    WAITING = "waiting"
    THINKING = "thinking"
    ANSWERED = "answered"
    MODAL = "modal"
    CHOICES = "choices"
    UPDATED = "updated"
    FAILED = "failed"


class InteractionFailed(AssertionError):
    """The app did not answer an interaction as one waited for."""


@dataclass(slots=True, kw_only=True, eq=False)
class Interaction:
    """An interaction and everything the app answered to it.

    `modal` is the modal the app opened, `choices` what it suggested for an
    autocompletion, `original` the message of its answer (also while it is thinking),
    `error` what the person reads when it failed.
    """

    id: int
    token: str
    kind: InteractionKind
    person: Person
    channel: Channel
    data: JsonObject
    created_at: float
    install: str = "guild"
    source: Message | None = None
    from_modal: Interaction | None = None
    state: InteractionState = InteractionState.WAITING
    acknowledged_at: float | None = None
    response_type: CallbackKind | None = None
    ephemeral: bool = False
    modal: JsonObject | None = None
    choices: list[JsonObject] | None = None
    original: Message | None = None
    original_deleted: bool = False
    followups: list[Message] = field(default_factory=list[Message])
    followups_sent: int = 0
    error: str | None = None
    webhook_gone: bool = False
    expired: bool = False
    _waiters: list[asyncio.Future[None]] = field(default_factory=list["asyncio.Future[None]"])

    @property
    def name(self) -> str:
        """Return the command's name or the component's custom id."""
        return str(self.data.get("name") or self.data.get("custom_id") or "")

    @property
    def failed(self) -> bool:
        """Say whether the person saw a failure instead of an answer."""
        return self.state is InteractionState.FAILED

    @property
    def messages(self) -> list[Message]:
        """Return the original answer and all follow-ups that still exist."""
        return [*([self.original] if self.original else []), *self.followups]

    @property
    def text(self) -> str:
        """Return the texts of all its messages, in order."""
        return "\n".join(message.text for message in self.messages if message.text)

    def note_change(self) -> None:
        """Wake those who wait for something to happen to it."""
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    async def _next_change(self) -> None:
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        await waiter

    async def until(self, predicate: Callable[[Self], bool], timeout: float = 5.0) -> Self:  # noqa: ASYNC109
        """Return once `predicate` holds.

        Raises `InteractionFailed` when the person sees a failure, or after `timeout` seconds.
        """
        try:
            async with asyncio.timeout(timeout):
                while not predicate(self):
                    if self.failed:
                        raise InteractionFailed(f"{self!s}: {self.error}")
                    await self._next_change()
        except TimeoutError:
            raise InteractionFailed(f"{self!s}: still {self.state} after {timeout} s") from None
        return self

    async def acknowledged(self, timeout: float = 5.0) -> Self:  # noqa: ASYNC109
        """Return once the app acknowledged it."""
        return await self.until(lambda seen: seen.acknowledged_at is not None, timeout)

    async def answered(self, timeout: float = 5.0) -> Self:  # noqa: ASYNC109
        """Return once something is shown: a message that is not thinking, a modal, choices."""
        return await self.until(lambda seen: seen.has_answer, timeout)

    @property
    def has_answer(self) -> bool:
        """Say whether the app has shown something."""
        if self.modal is not None or self.choices is not None:
            return True
        return any(not message.thinking for message in self.messages)

    def __str__(self) -> str:
        return f"interaction {self.name!r} of {self.person.display_name}"
