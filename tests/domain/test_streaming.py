from __future__ import annotations

import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.domain.graphemes import inside_cluster
from companion.domain.splitting import first_visible, length
from companion.domain.streaming import AnswerParts, Part
from tests.domain.model_text import (
    CLUSTERS,
    cut_into,
    ends_inside_block,
    texts,
    without_added_lines,
)

LIMIT = 2000
SIZES = st.lists(st.integers(1, 400), min_size=1, max_size=6)
NOTES = st.sampled_from(["", "-# model · 12 tokens", "Cut short.\n-# " + "n" * 380])


def fed(text: str, sizes: list[int] | None = None) -> AnswerParts:
    answer = AnswerParts()
    for delta in cut_into(text, sizes or [4]):
        answer.feed(delta)
    return answer


def shown(text: str, note: str = "", sizes: list[int] | None = None) -> tuple[Part, ...]:
    answer = fed(text, sizes)
    answer.flush(note)
    return answer.parts


def sendable(text: str) -> str:
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")


@given(texts(), SIZES, NOTES)
def test_bodies_joined_are_the_text(text: str, sizes: list[int], note: str) -> None:
    parts = shown(text, note, sizes)
    joined = "".join(part.body for part in parts)
    assert joined == (sendable(text) if first_visible(text) is not None else "")


@given(texts(), SIZES, NOTES)
def test_every_part_is_one_that_discord_takes(text: str, sizes: list[int], note: str) -> None:
    for part in shown(text, note, sizes):
        assert length(part.content) <= LIMIT
        assert first_visible(part.content) is not None


@given(texts(), NOTES)
def test_no_part_leaves_a_code_block_open(text: str, note: str) -> None:
    assert not any(ends_inside_block(part.content) for part in shown(text, note))


@given(texts(), SIZES)
def test_settled_parts_never_change_while_text_comes(text: str, sizes: list[int]) -> None:
    answer = AnswerParts()
    settled: list[str] = []
    for delta in cut_into(text, sizes):
        answer.feed(delta)
        contents = [part.content for part in answer.parts]
        assert contents[: len(settled)] == settled
        assert answer.count == len(contents)
        assert all(length(content) <= LIMIT for content in contents)
        settled = contents[: answer.settled]
    answer.flush("-# footer")
    assert [part.content for part in answer.parts][: len(settled)] == settled


@given(texts(), st.integers(0, 30))
def test_cut_in_between_loses_nothing(text: str, after: int) -> None:
    answer = AnswerParts()
    for number, delta in enumerate(cut_into(text, [97])):
        answer.feed(delta)
        if number == after:
            answer.cut()
    answer.flush()
    assert not any(ends_inside_block(part.content) for part in answer.parts)
    kept = "".join(part.body for part in answer.parts)
    assert sendable(text).startswith(kept)
    assert first_visible(sendable(text)[len(kept) :]) is None


@pytest.mark.parametrize("cluster", CLUSTERS, ids=ascii)
@pytest.mark.parametrize("offset", range(4))
def test_no_cut_inside_what_a_reader_sees_as_one(cluster: str, offset: int) -> None:
    text = "." * offset + (cluster + "x") * 1500
    parts = shown(text)
    end = 0
    for part in parts:
        end += len(part.body)
        assert not inside_cluster(text, end)
    assert len(parts) > 1


@pytest.mark.parametrize("marker", ["```", "~~~", "````", "~~~~~"])
def test_code_block_is_reopened_with_its_language(marker: str) -> None:
    code = "".join(f"line {number} of the code\n" for number in range(300))
    parts = shown(f"Here:\n{marker}python\n{code}{marker}\nDone.")
    for left, right in pairwise(parts):
        assert left.content.endswith(f"\n{marker}")
        assert right.content.startswith(f"{marker}python\nline ")
    assert parts[-1].content.endswith(f"{marker}\nDone.")


def test_block_in_a_quote_is_reopened_in_a_quote() -> None:
    code = "".join(f"> line {number} of the code\n" for number in range(200))
    parts = shown(f"> ```js\n{code}> ```\nDone.")
    assert parts[0].content.endswith("\n> ```")
    assert parts[1].content.startswith("> ```js\n> line ")


def test_sixty_thousand_characters_with_long_blocks_read_as_written() -> None:
    code = "".join(f"    row_{number} = compute({number})\n" for number in range(160))
    text = "".join(
        f"## Step {step}\n\nSome words before.\n\n```python\n{code}```\n\n" for step in range(11)
    )[:60_000]
    contents = [part.content for part in shown(text, sizes=[3, 5, 4])]
    assert without_added_lines(contents).removesuffix("\n```") == text
    assert len(contents) < 60


def test_short_block_is_not_torn_apart_when_it_fits_the_next_message() -> None:
    block = "```sql\n" + "SELECT 1;\n" * 60 + "```\n"
    parts = shown("A sentence of prose. " * 80 + "\n" + block)
    assert parts[1].content == block


def test_paragraphs_are_preferred_then_lines_then_sentences_then_words() -> None:
    paragraph = "word " * 280 + "\n\n"
    assert shown(paragraph * 2)[0].body == paragraph
    line = "word " * 280 + "\n"
    assert shown(line * 2)[0].body == line
    sentence = "word " * 290 + "end. "
    assert shown(sentence + "word " * 290)[0].body == sentence
    assert shown("longword " * 400)[0].body.endswith("longword ")


@pytest.mark.parametrize(
    "whole",
    [
        "https://example.com/a/long/path?with=query&and=more",
        "`inline code with blanks in it`",
        "[a link with words](https://example.com/x)",
        "<a:dance:123456789012345678>",
    ],
)
@pytest.mark.parametrize("before", range(1946, 2000))
def test_links_and_inline_code_stay_whole(whole: str, before: int) -> None:
    # no blank stands before it, so the words give no place to cut
    text = "x" * before + "," + whole + "y" * 400
    assert any(whole in part.body for part in shown(text))


def test_blanks_alone_never_make_a_message() -> None:
    assert shown("\n" * 5000 + " \u200b\u2060 ") == ()
    parts = shown("a" + " " * 9000 + "b")
    assert all(first_visible(part.body) is not None for part in parts)
    assert "".join(part.body for part in parts).split() == ["a", "b"]


def test_first_token_is_shown_even_when_it_could_open_a_block() -> None:
    answer = fed("```")
    assert answer.parts[0].body == "```"
    answer.feed("py\nx")
    assert [part.content for part in answer.parts] == ["```py\nx\n```"]


def test_unfinished_fence_is_held_back_until_it_is_known() -> None:
    answer = fed("Look:\n``")
    assert answer.parts[0].content == "Look:\n"
    answer.feed("`c\nint x;\n")
    assert answer.parts[0].content == "Look:\n```c\nint x;\n```"


def test_note_stands_below_the_text_and_behind_a_closed_block() -> None:
    (part,) = shown("```py\nprint()", "-# footer")
    assert part.content == "```py\nprint()\n```\n-# footer"
    assert shown("", "-# footer")[0].content == "-# footer"


def test_surrogates_in_two_deltas_are_joined_and_lone_ones_replaced() -> None:
    answer = AnswerParts()
    for delta in ("a\ud83d", "\ude00b", "\udc00c", "\0", "\ud83d"):
        answer.feed(delta)
    answer.flush()
    assert (
        answer.parts[0].body == "a😀b\N{REPLACEMENT CHARACTER}c" + "\N{REPLACEMENT CHARACTER}" * 2
    )
    assert answer.text == answer.parts[0].body


def test_no_code_unit_is_counted_twice_or_not_at_all() -> None:
    assert length("😀") == 2
    assert all(length(part.content) <= LIMIT for part in shown("😀" * 5000, "-# f", [1]))


@given(texts(), st.integers(0, 3), NOTES)
def test_answer_can_end_in_an_earlier_part(text: str, index: int, note: str) -> None:
    answer = fed("words of prose. " * 300 + text)
    index = min(index, answer.settled - 1)
    answer.end_in(index, note)
    parts = answer.parts
    assert len(parts) == index + 1
    assert length(parts[-1].content) <= LIMIT
    assert parts[-1].content.endswith(note)
    assert answer.text.startswith("".join(part.body for part in parts))


def test_feeding_a_long_answer_costs_little() -> None:
    text = ("Some words of prose. " * 20 + "\n\n```py\n" + "x = 1\n" * 90 + "```\n\n") * 62
    deltas = cut_into(text[:60_000], [4])
    started = time.process_time()
    answer = AnswerParts()
    for delta in deltas:
        answer.feed(delta)
    answer.flush()
    # 22 ms where this was written; a re-split per delta would take many seconds
    assert time.process_time() - started < 0.5
