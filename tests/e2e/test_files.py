"""Files of every kind, asked about on the local Discord."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from companion.playground.state import Upload
from tests.e2e.conftest import Opener
from tests.e2e.world import World, body, footer, refusal
from tests.support import sample_files as samples
from tests.support.loop_watch import watching
from tests.support.provider_script import WRONG_KEY

MB = 2**20
LONGEST_STALL_S = 0.1
MOST_GROWTH = 50 * MB
TRIES = 3
PATIENCE_S = 40.0
"""More than one file may take."""


def upload(name: str, content: bytes) -> tuple[Upload, ...]:
    return (Upload(filename=name, content=content, content_type=None),)


def parts(world: World) -> list[dict[str, Any]]:
    """The last question as the provider got it."""
    return world.provider.chats[-1].body["messages"][-1]["content"]


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "GIF"])
async def test_a_model_sees_attached_pictures(world: World, form: str) -> None:
    asked = await world.ask("What is it?", uploads=upload("a.bin", samples.picture(form)))
    assert body(asked)
    text, image = parts(world)
    assert "[image: a.bin]" in text["text"]
    assert image["image_url"]["url"].startswith(("data:image/png;", "data:image/jpeg;"))


async def test_a_photo_is_sent_without_its_place(world: World) -> None:
    await world.ask("Where is it?", uploads=upload("a.jpg", samples.photo()))
    assert "CANARY" not in str(world.provider.chats[-1].body)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.pdf", samples.pdf("swordfish")),
        ("a.docx", samples.docx("swordfish")),
        ("message.txt", b"swordfish"),
        ("a.py", "swordfish = '☕'".encode("utf-16")),
    ],
    ids=["pdf", "docx", "paste", "utf-16"],
)
async def test_documents_are_read_along(world: World, name: str, content: bytes) -> None:
    await world.ask("What does it say?", uploads=upload(name, content))
    assert f"[file: {name}]" in world.prompts()[-1][1]
    assert "swordfish" in world.prompts()[-1][1]


async def test_what_was_left_out_of_a_file_is_told_to_model_and_person(world: World) -> None:
    asked = await world.ask("Sum it up.", uploads=upload("long.txt", b"word " * 20_000))
    assert "[file: long.txt, used 48,000 of 100,000 characters]" in world.prompts()[-1][1]
    assert "Used 48,000 of 100,000 characters of `long.txt`" in footer(asked)


async def test_a_voice_message_is_heard_paid_for_and_logged(world: World, database: Path) -> None:
    world.provider.heard = "Meet me at the old bridge."
    asked = await world.ask("Where?", uploads=upload("voice-message.ogg", b"OggS and sound"))
    assert body(asked)
    assert "[speech: voice-message.ogg]\n```\nMeet me at the old bridge." in world.prompts()[-1][1]
    assert world.provider.transcriptions[0].key == world.provider.chats[0].key
    with sqlite3.connect(database) as connection:
        rows = connection.execute(
            "SELECT endpoint, status FROM provider_calls ORDER BY started_at"
        ).fetchall()
    connection.close()
    assert rows == [("audio.transcriptions", "ok"), ("chat.completions", "ok")]


async def test_speech_that_the_provider_refuses_is_told(world: World) -> None:
    world.provider.heard = WRONG_KEY
    asked = await world.ask("Where?", uploads=upload("voice-message.ogg", b"OggS and sound"))
    assert "key" in refusal(asked)
    assert world.provider.chats == []


async def test_hostile_files_at_once_hold_up_nobody(world: World) -> None:
    names = ["a.png", "b.pdf", "c.docx"] * 3
    make = {"a": samples.png_text_bomb(), "b": samples.pdf_bomb(), "c": samples.docx_bomb()}
    await world.ask("Hi.")
    async with watching() as watched:
        asked = [
            await world.start("ask", prompt="Read.", uploads=upload(name, make[name[0]]))
            for name in names
        ]
        harmless = await world.ask("And you?", who="Grace")
        for interaction in asked:
            assert refusal(await world.settled(interaction, timeout=PATIENCE_S))
    assert body(harmless)
    assert watched.growth_bytes < MOST_GROWTH


HOSTILE: list[tuple[str, Callable[[], bytes], str]] = [
    ("huge.png", lambda: samples.png_header(50_000, 50_000), "is 50,000 × 50,000 pixels"),
    ("comment.png", samples.png_text_bomb, "I couldn't read `comment.png`"),
    ("bomb.pdf", samples.pdf_bomb, "too long or too much memory"),
    ("bomb.docx", samples.docx_bomb, "unpacks to far more"),
    ("laughs.docx", samples.docx_of_entities, "unpacks to far more"),
    ("text.png", lambda: b"not a picture", "`text.png` says it is `PNG`"),
    ("empty.txt", lambda: b"", "`empty.txt` is empty"),
    ("11mb.txt", lambda: b"x" * 11 * MB, "`11mb.txt` has 11.0 MB; I can take 10.0 MB"),
    ("10mb.png", lambda: samples.picture() + bytes(10 * MB - 200), ""),
    ("locked.pdf", lambda: samples.pdf("x", password="p"), "protected with a password"),
    ("scan.pdf", lambda: samples.pdf(""), "There is no text in `scan.pdf`"),
    ("table.xlsx", lambda: samples.zipped(b"x", "xl/workbook.xml"), "I can't read `table.xlsx`"),
]


@pytest.mark.parametrize(("name", "make", "said"), HOSTILE, ids=[name for name, _, _ in HOSTILE])
async def test_hostile_files_cost_one_sentence(
    world: World, name: str, make: Callable[[], bytes], said: str
) -> None:
    await costs_one_sentence(world, name, make(), said)


async def test_a_file_that_takes_for_ever_costs_one_sentence(opener: Opener) -> None:
    async with opener(reading_cpu_s=1) as world:
        content = samples.pdf_that_takes_forever()
        await costs_one_sentence(world, "forever.pdf", content, "too long or too much memory")


async def costs_one_sentence(world: World, name: str, content: bytes, said: str) -> None:
    await world.ask("Hi.")  # whatever is loaded once is loaded
    stalls: list[float] = []
    # a busy machine holds up everybody now and then; what we do ourselves shows every time
    while len(stalls) < TRIES and min(stalls, default=1.0) >= LONGEST_STALL_S:
        async with watching() as watched:
            asked = await world.start("ask", prompt="Read it.", uploads=upload(name, content))
            await world.settled(asked, timeout=PATIENCE_S)
        assert said in (refusal(asked) if said else body(asked))
        assert watched.growth_bytes < MOST_GROWTH
        stalls.append(watched.longest_stall_s)
    assert min(stalls) < LONGEST_STALL_S
    assert len(world.provider.chats) == (1 if said else 1 + len(stalls))
