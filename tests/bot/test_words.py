from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from companion.bot.buttons import Action
from companion.bot.words import ENDINGS, LEFT_OUT, PAYERS, ChatWords
from companion.domain.chat import Adaptation, Finished, Queued
from companion.domain.conversation import Finish, TurnId
from companion.domain.errors import StreamCut
from companion.domain.files import FileNote, Measure
from companion.domain.models import ModelId, Payer
from companion.domain.usage import Micros, Usage


class StoppedClock:
    def now(self) -> datetime:
        return datetime(2026, 6, 1, 12, tzinfo=UTC)

    def monotonic(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("nobody waits here")


WORDS = ChatWords(StoppedClock())
WHOLE = Finished(
    turn_id=TurnId(uuid4()),
    model=ModelId("gpt-6-luna"),
    payer=Payer.PERSON,
    finish=Finish.COMPLETE,
    usage=Usage(prompt_tokens=1000, completion_tokens=234),
    cost_micros=Micros(1200),
    seconds=3.41,
)


def test_footer_of_an_ordinary_answer() -> None:
    assert WORDS.footer(WHOLE) == "-# gpt-6-luna · 1,234 tokens · $0.0012 · 3.4 s · your key"


def test_a_place_in_the_queue_and_when_the_turn_comes() -> None:
    place = Queued(turn_id=WHOLE.turn_id, ahead=3, wait_s=8.2)
    assert WORDS.queued(place) == (
        "-# In line: 3 answers ahead of yours. I should start <t:1780315209:R>."
    )
    assert WORDS.queued(replace(place, ahead=0)).startswith("-# You're next in line. ")
    (cancel,) = WORDS.queued_buttons(place)
    assert (cancel.label, cancel.action, cancel.target) == ("Cancel", Action.STOP, WHOLE.turn_id)


def test_estimates_are_marked() -> None:
    usage = Usage(prompt_tokens=10, completion_tokens=2, estimated=True)
    assert "≈12 tokens · ≈$0.0012" in WORDS.footer(replace(WHOLE, usage=usage))


def test_unknown_price_is_left_out() -> None:
    assert "$" not in WORDS.footer(replace(WHOLE, cost_micros=None))


def test_others_who_pay_are_named() -> None:
    assert WORDS.footer(replace(WHOLE, payer=Payer.SERVER)).endswith("this server's key")
    assert WORDS.footer(replace(WHOLE, payer=Payer.OPERATOR)).endswith("shared key")


def test_what_was_left_out_is_said() -> None:
    footer = WORDS.footer(
        replace(WHOLE, adaptations=(Adaptation.TEMPERATURE,), dropped_turns=2)
    ).splitlines()
    assert len(footer) == 3
    assert "temperature" in footer[1]
    assert (
        footer[2] == "-# 2 earlier questions left out: this is more than the model can read at once"
    )
    assert all(line.startswith("-# ") for line in footer)


def test_how_much_of_a_file_was_read_is_said() -> None:
    note = FileNote(name="a.txt", used=12_000, total=40_000)
    footer = WORDS.footer(replace(WHOLE, notes=(note,))).splitlines()
    assert footer[1:] == ["-# Used 12,000 of 40,000 characters of `a.txt`"]


def test_files_that_were_read_in_part_share_a_line() -> None:
    notes = (
        FileNote(name="a.pdf", used=300, total=400, measure=Measure.PAGES),
        FileNote(name="a.pdf", used=12_000, total=40_000),
        FileNote(name="b.txt", used=12_000, total=40_000),
    )
    footer = WORDS.footer(replace(WHOLE, notes=notes)).splitlines()
    assert footer[1:] == ["-# Used 300 of 400 pages of `a.pdf`, and parts of 1 other file"]


def test_longest_footer_fits() -> None:
    notes = tuple(FileNote(name="n" * 200 + str(n), used=10**6, total=10**7) for n in range(11))
    worst = replace(
        WHOLE,
        model=ModelId("m" * 60),
        adaptations=tuple(Adaptation),
        dropped_turns=100,
        notes=notes,
    )
    assert len(WORDS.footer(worst)) <= 650


@pytest.mark.parametrize("finish", [finish for finish in Finish if finish is not Finish.COMPLETE])
def test_every_cut_says_why(finish: Finish) -> None:
    assert ENDINGS[finish] in WORDS.interrupted(replace(WHOLE, finish=finish))


def test_whole_answer_needs_no_excuse() -> None:
    assert WORDS.interrupted(WHOLE) == ""


def test_cause_of_an_interruption_is_told_in_our_words() -> None:
    cut = replace(WHOLE, finish=Finish.INTERRUPTED, cause=StreamCut(reason="idle"))
    assert "went silent" in WORDS.interrupted(cut)


@pytest.mark.parametrize("finish", list(Finish))
def test_continue_is_offered_where_there_is_more(finish: Finish) -> None:
    actions = [button.action for button in WORDS.finished_buttons(replace(WHOLE, finish=finish))]
    assert (Action.CONTINUE in actions) is finish.can_continue
    assert Action.REGENERATE in actions


def test_every_value_has_words() -> None:
    assert set(PAYERS) == set(Payer)
    assert set(LEFT_OUT) == set(Adaptation)
