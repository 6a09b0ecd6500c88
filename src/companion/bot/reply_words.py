"""What a streamed reply says in its own words; implemented in `companion.bot.words`."""

from __future__ import annotations

from typing import Protocol

from companion.bot.answer import Answer
from companion.bot.buttons import Button
from companion.domain.chat import Failed, Finished, Queued, Retrying, Started


class ReplyWords(Protocol):
    """The texts and buttons around a model's text, all of them ours, never upstream's."""

    def thinking(self, started: Started) -> str:
        """Say that the model is being asked and has not said anything for a while."""
        ...

    def queued(self, queued: Queued) -> str:
        """Say how many are served before, and about how long that takes."""
        ...

    def queued_buttons(self, queued: Queued) -> tuple[Button, ...]:
        """Return the buttons of a reply that waits for its turn: *Cancel*."""
        ...

    def waiting(self, retrying: Retrying) -> str:
        """Say that the provider is busy and when the next try starts."""
        ...

    def running_buttons(self, started: Started) -> tuple[Button, ...]:
        """Return the buttons of a running reply: *Stop*."""
        ...

    def finished_buttons(self, finished: Finished) -> tuple[Button, ...]:
        """Return the buttons of an ended reply: *Regenerate*, *Continue* when cut."""
        ...

    def footer(self, finished: Finished) -> str:
        """Return the small line below the answer (`-# …`), at most 400 characters."""
        ...

    def interrupted(self, finished: Finished) -> str:
        """Say why the answer is not whole; called for every finish but `COMPLETE`. May be empty."""
        ...

    def empty_answer(self, finished: Finished) -> str:
        """Say that the model ended without a word."""
        ...

    def failure(self, failed: Failed) -> Answer:
        """Say what went wrong and what to do. Its menu, if any, is not shown."""
        ...

    def rest_in_file(self) -> str:
        """Say that no more messages fit here and the whole answer is in the attached file."""
        ...

    def out_of_time(self) -> str:
        """Say that Discord lets us write here for 15 minutes only; the answer goes on unseen."""
        ...
