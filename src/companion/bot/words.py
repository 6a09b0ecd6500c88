"""What the app says around a model's answer."""

from __future__ import annotations

from companion.bot.answer import Answer
from companion.bot.buttons import PRIVATE, Action, Button, Tone
from companion.bot.errors import describe
from companion.bot.file_words import noted
from companion.bot.money_words import nearly_spent
from companion.bot.wording import count, in_, money, quoted
from companion.domain.actor import Place, PlaceKind
from companion.domain.chat import Adaptation, Failed, Finished, Queued, Retrying, Started
from companion.domain.conversation import Finish
from companion.domain.errors import CompanionError, Draining
from companion.domain.models import Payer
from companion.ports.clock import Clock

PAYERS = {
    Payer.PERSON: "your key",
    Payer.SERVER: "this server's key",
    Payer.OPERATOR: "shared key",
}

LEFT_OUT = {
    Adaptation.STREAMING: "came in one piece (no streaming with this key or model)",
    Adaptation.TEMPERATURE: "without `temperature` (this model takes none)",
    Adaptation.MAX_TOKENS: "without `max_tokens` (this model takes none)",
    Adaptation.SYSTEM_ROLE: "instructions sent as part of the question",
    Adaptation.USAGE: "tokens estimated (the provider reported none)",
}

ENDINGS = {
    Finish.LENGTH: "The answer reached its length limit. Press *Continue* for the rest.",
    Finish.FILTERED: "The provider's safety rules ended the answer here.",
    Finish.STOPPED: "Stopped.",
    Finish.INTERRUPTED: "The answer was interrupted. Press *Continue* to pick it up.",
    Finish.FAILED: "The answer failed.",
}

SILENCED = "Only you see this: the server lets apps from outside answer privately only"


class ChatWords:
    """The words of one process: implements `companion.bot.reply_words.ReplyWords`."""

    def __init__(
        self,
        clock: Clock,
        *,
        extra_notes: tuple[str, ...] = (),
        threads: bool = False,
        private: bool = False,
    ) -> None:
        self._clock = clock
        self._extra_notes = extra_notes
        self._threads = threads
        self._private = private

    def where(self, place: Place, *, private: bool, notes: tuple[str, ...] = ()) -> ChatWords:
        """Return the words for an answer in that place, with more notes below it."""
        threads = place.kind is PlaceKind.CHANNEL and not place.user_install_only and not private
        return ChatWords(self._clock, extra_notes=notes, threads=threads, private=private)

    def thinking(self, started: Started) -> str:
        """Say that the model is being asked and has not said anything for a while."""
        return f"-# {started.model} is thinking…"

    def queued(self, queued: Queued) -> str:
        """Say how many are served before, and about when the turn comes."""
        ahead = f"In line: {count(queued.ahead, 'answer')} ahead of yours"
        line = ahead if queued.ahead else "You're next in line"
        return f"-# {line}. I should start {in_(queued.wait_s, self._clock.now())}."

    def queued_buttons(self, queued: Queued) -> tuple[Button, ...]:
        """Return *Cancel*."""
        return (Button(action=Action.STOP, label="Cancel", target=queued.turn_id),)

    def waiting(self, retrying: Retrying) -> str:
        """Say that the provider is busy and when the next try starts."""
        when = in_(retrying.wait_s, self._clock.now())
        return f"-# The model provider is busy. I'll try again {when}."

    def running_buttons(self, started: Started) -> tuple[Button, ...]:
        """Return *Stop*."""
        return (Button(action=Action.STOP, label="Stop", target=started.turn_id),)

    def finished_buttons(self, finished: Finished) -> tuple[Button, ...]:
        """Return what can be done with the answer: five buttons at most, one row."""
        turn = finished.turn_id
        more = Button(action=Action.CONTINUE, label="Continue", target=turn, tone=Tone.PRIMARY)
        thread = Button(action=Action.THREAD, label="Thread", target=turn)
        return (
            *((more,) if finished.finish.can_continue else ()),
            Button(action=Action.REGENERATE, label="Regenerate", target=turn),
            Button(
                action=Action.OTHER_MODEL,
                label="Other model",
                target=turn,
                argument=PRIVATE if self._private else "",
            ),
            *((thread,) if self._threads else ()),
            Button(action=Action.DELETE, label="Delete", target=turn),
        )

    def footer(self, finished: Finished) -> str:
        """Return model, tokens, cost, seconds and payer, and what was left out."""
        about = "≈" if finished.usage.estimated else ""
        facts = [finished.model, f"{about}{count(finished.usage.total_tokens, 'token')}"]
        if finished.cost_micros is not None:
            facts.append(f"{about}{money(finished.cost_micros)}")
        facts += [f"{finished.seconds:.1f} s", PAYERS[finished.payer]]
        notes = [*_notes(finished), *self._extra_notes]
        return "\n".join(f"-# {line}" for line in (" · ".join(facts), *notes))

    def interrupted(self, finished: Finished) -> str:
        """Say why the answer is not whole; empty when it is."""
        if isinstance(finished.cause, Draining):
            return "-# ⚠ I had to restart in the middle of this. Press *Continue* to pick it up."
        if isinstance(finished.cause, CompanionError):
            said = describe(finished.cause, self._clock.now()).text
            return f"-# ⚠ {said}"
        ending = ENDINGS.get(finished.finish)
        return f"-# ⚠ {ending}" if ending else ""

    def empty_answer(self, finished: Finished) -> str:
        """Say that the model ended without a word."""
        if finished.finish is Finish.STOPPED:
            return "Stopped before the first word."
        return f"{quoted(finished.model)} had nothing to say. Press *Regenerate*, or ask again."

    def failure(self, failed: Failed) -> Answer:
        """Say what went wrong and what to do."""
        return describe(failed.error, self._clock.now(), failed.turn_id)

    def blocked(self) -> Answer:
        """Say that Discord did not accept the answer's text."""
        return Answer(
            text="Discord didn't let me show this answer: a rule of this server, or Discord's own "
            "filter, blocked its text. Ask in other words, or ask me in a direct message."
        )

    def rest_in_file(self) -> str:
        """Say where the rest is when no more messages fit."""
        return "-# No more messages fit here: the whole answer is in the attached file."

    def out_of_time(self) -> str:
        """Say that Discord lets us write here for 15 minutes only."""
        return (
            "-# Discord lets me write to one answer for 15 minutes only, and they are over. "
            "Ask me to continue with `/ask`."
        )


def _notes(finished: Finished) -> list[str]:
    notes = [LEFT_OUT[adaptation] for adaptation in finished.adaptations]
    if finished.dropped_turns:
        left_out = count(finished.dropped_turns, "earlier question")
        notes.append(f"{left_out} left out: this is more than the model can read at once")
    if finished.notes:
        notes.append(noted(finished.notes))
    notes += map(nearly_spent, finished.nearly_spent)
    return [note[0].upper() + note[1:] for note in notes]
