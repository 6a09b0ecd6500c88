"""A reply while it is being written: chat events in, Discord messages out.

The caller's task takes events into a `ReplyDisplay`; a `ReplyWriter` brings Discord up to
date with it in a task of its own, so that a slow Discord never holds up the model.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from companion.bot.buttons import Button
from companion.bot.output_pacing import OutputPacing
from companion.bot.reply_display import ReplyDisplay
from companion.bot.reply_words import ReplyWords
from companion.bot.reply_writer import ReplyWriter, TimeUp
from companion.bot.responder import Responder
from companion.domain.chat import ChatEvent, Delta, Failed, Finished, Queued, Retrying, Started
from companion.domain.conversation import Finish
from companion.domain.errors import CompanionError, Draining
from companion.ports.clock import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyTimings:
    """Seconds: of silence before we say so, for the ending, and for it when we are cancelled."""

    thinking_after_s: float = 2.5
    ending_s: float = 120.0
    cancelled_ending_s: float = 5.0


class ReplyStream:
    """Renders one reply into the messages of one responder.

    `give_up` is called when nothing more of it can be shown, while the events go on.
    """

    def __init__(
        self,
        responder: Responder,
        pacing: OutputPacing,
        *,
        clock: Clock,
        give_up: Callable[[], None] | None = None,
        timings: ReplyTimings | None = None,
    ) -> None:
        self._responder = responder
        self._pacing = pacing
        self._clock = clock
        self._give_up = give_up
        self._timings = timings or ReplyTimings()
        self._display = ReplyDisplay()
        self._settled = 0
        self.delivered = False
        """Whether Discord took all of it; known after `render`."""
        self.refused = False
        """Whether Discord did not accept the text itself; known after `render`."""

    async def render(self, events: AsyncIterator[ChatEvent], words: ReplyWords) -> ChatEvent:
        """Show the events as they come and return the terminal one.

        The final edit goes out whatever happens: on failure after partial text, on an
        exception in `events` (which is raised again), on cancellation (which is, too,
        after a few seconds at most).
        """
        with self._pacing.reply() as pace:
            time_up = TimeUp(text=words.out_of_time(), rest_note=words.rest_in_file())
            writer = ReplyWriter(
                self._display,
                self._responder,
                pace,
                clock=self._clock,
                time_up=time_up,
                give_up=self._give_up,
            )
            writing = asyncio.create_task(writer.run())
            thinking: asyncio.Task[None] | None = None
            terminal: ChatEvent = Failed(error=CompanionError())
            limit_s = self._timings.ending_s
            try:
                async for event in events:
                    if isinstance(event, Finished | Failed):
                        terminal = event
                        break
                    if isinstance(event, Started):
                        thinking = asyncio.create_task(self._say_thinking(event, words, writer))
                    self._take(event, words, writer)
            except asyncio.CancelledError:
                terminal, limit_s = Failed(error=Draining()), self._timings.cancelled_ending_s
                raise
            finally:
                if thinking is not None:
                    thinking.cancel()
                self._end(terminal, words)
                writer.notify(urgent=True)
                await self._finish(writing, limit_s)
                self.delivered = writer.delivered and writing.done() and not writing.cancelled()
                self.refused = writer.refused
        return terminal

    def _take(self, event: ChatEvent, words: ReplyWords, writer: ReplyWriter) -> None:
        display = self._display
        if display.ended:
            return
        match event:
            case Delta():
                display.answer.feed(event.text)
            case Queued():
                display.notice = words.queued(event)
                display.buttons = words.queued_buttons(event)
            case Retrying():
                display.notice = words.waiting(event)
            case Started():
                display.buttons = words.running_buttons(event)
                if display.notice:  # it waited, and the wait is over
                    display.notice = words.thinking(event)
            case Finished() | Failed():
                return
        settled = display.answer.settled
        writer.notify(urgent=settled != self._settled)
        self._settled = settled

    async def _say_thinking(self, started: Started, words: ReplyWords, writer: ReplyWriter) -> None:
        """After a silence, say so, which also brings the buttons."""
        await self._clock.sleep(self._timings.thinking_after_s)
        if not self._display.notice and not self._display.has_text:
            self._display.notice = words.thinking(started)
            writer.notify(urgent=False)

    def _end(self, terminal: ChatEvent, words: ReplyWords) -> None:
        note, buttons = self._ending(terminal, words)
        self._display.end(note, buttons, rest_note=words.rest_in_file())

    def _ending(self, terminal: ChatEvent, words: ReplyWords) -> tuple[str, tuple[Button, ...]]:
        if isinstance(terminal, Failed):
            failure = words.failure(terminal)
            return failure.text, failure.buttons
        assert isinstance(terminal, Finished)
        if not self._display.has_text:
            said = words.empty_answer(terminal)
        elif terminal.finish is Finish.COMPLETE:
            said = ""
        else:
            said = words.interrupted(terminal)
        lines = (said, words.footer(terminal))
        return "\n".join(filter(None, lines)), words.finished_buttons(terminal)

    async def _finish(self, writing: asyncio.Task[None], limit_s: float) -> None:
        """Let the writer finish; a cancellation only shortens the wait, then goes on."""
        cancelled: asyncio.CancelledError | None = None
        while not writing.done():
            try:
                await asyncio.wait({writing}, timeout=limit_s)
                break
            except asyncio.CancelledError as again:
                cancelled, limit_s = again, min(limit_s, self._timings.cancelled_ending_s)
        if not writing.done():
            writing.cancel()
            await asyncio.wait({writing})
        if cancelled is not None:
            raise cancelled
        if not writing.cancelled():
            writing.result()
