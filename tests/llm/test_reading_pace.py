"""A stream is looked at now and then, and nothing of it is lost by that."""

from __future__ import annotations

from companion.domain.models import Credential
from companion.llm.client import Provider
from companion.llm.reading_pace import LONGEST_S, SHORTEST_S, ReadingPace
from companion.ports.llm import TextDelta
from tests.llm.asking import ask
from tests.support.provider_script import Answer
from tests.support.scripted_provider import ScriptedProvider

TOKENS = 100


async def test_tokens_are_taken_many_at_a_time(
    upstream: ScriptedProvider, provider: Provider, credential: Credential
) -> None:
    text = "".join(f"{n:03d} " for n in range(TOKENS))
    upstream.script(Answer(text=text, tokens_per_s=400, chunk=4))
    heard = await ask(provider, credential)
    looks = [event for event in heard.events if isinstance(event, TextDelta)]
    assert heard.text == text
    assert len(looks) < TOKENS / 2
    assert looks[0].text.startswith("000")


def test_pauses_grow_with_the_number_of_streams() -> None:
    pace = ReadingPace()
    assert pace.pause_s == SHORTEST_S
    open_streams = [pace.stream() for _ in range(5000)]
    for stream in open_streams:
        stream.__enter__()
    assert pace.pause_s == LONGEST_S
    for stream in open_streams:
        stream.__exit__(None, None, None)
    assert pace.pause_s == SHORTEST_S
