from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.llm.sse import EventReader, LineTooLong

DATA = st.binary(max_size=40).filter(lambda data: not set(data) & set(b"\r\n"))
NOISE = st.sampled_from([b": ping", b"event: message", b"id: 7", b"retry: 100", b"", b"datax"])
LINE_END = st.sampled_from([b"\n", b"\r\n"])


def read(stream: bytes, cuts: list[int]) -> list[bytes]:
    reader = EventReader()
    edges = [0, *sorted(cut % (len(stream) + 1) for cut in cuts), len(stream)]
    events = [event for start, end in pairwise(edges) for event in reader.feed(stream[start:end])]
    return events + reader.end()


@given(
    events=st.lists(st.tuples(DATA, LINE_END, st.lists(NOISE, max_size=3))),
    cuts=st.lists(st.integers(min_value=0), max_size=30),
)
def test_events_are_the_same_wherever_the_stream_is_cut(
    events: list[tuple[bytes, bytes, list[bytes]]], cuts: list[int]
) -> None:
    stream = b"".join(
        b"".join(line + end for line in noise) + b"data: " + data + end + end
        for data, end, noise in events
    )
    assert read(stream, cuts) == [data for data, _, _ in events]


@given(st.binary(max_size=500), st.lists(st.integers(min_value=0), max_size=20))
def test_any_bytes_are_read_the_same_in_one_piece_and_in_many(
    stream: bytes, cuts: list[int]
) -> None:
    assert read(stream, cuts) == read(stream, [])


def test_an_event_of_several_lines_is_joined() -> None:
    assert read(b"data: one\ndata:two\n\n", []) == [b"one\ntwo"]


def test_comments_alone_are_no_events() -> None:
    assert read(b": ping\n\n: ping\n\n", []) == []


def test_a_stream_may_end_right_behind_its_last_line() -> None:
    assert read(b"data: {}\n\ndata: [DONE]", []) == [b"{}", b"[DONE]"]


def test_half_a_line_at_the_end_is_dropped() -> None:
    assert read(b'data: {}\n\ndata: {"cho', []) == [b"{}"]


@pytest.mark.parametrize("line", [b"data: " + b"x" * 200, b"data: x\n" * 200, b"y" * 200])
def test_memory_is_bounded_whatever_comes(line: bytes) -> None:
    reader = EventReader(longest=100)
    with pytest.raises(LineTooLong):
        for byte in line:
            reader.feed(bytes([byte]))
