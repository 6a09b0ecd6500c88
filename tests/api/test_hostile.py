"""Clients that mean no good, while others are served."""

from __future__ import annotations

import asyncio
import gzip
import io
import json
import os
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest

from companion.api.connections import Connections
from companion.db.keyring import KeyRing
from tests.api.world import World, open_world, raw
from tests.support.provider_script import Answer
from tests.support.waiting import until

MIB = 1024 * 1024


@pytest.fixture
async def world(database: Path, ring: KeyRing) -> AsyncGenerator[World]:
    connections = Connections(head_s=1.0, body_grace_s=1.0)
    async with open_world(database, ring, connections=connections) as opened:
        yield opened


@asynccontextmanager
async def others_are_served(world: World) -> AsyncGenerator[None]:
    """Ask all the time; every answer has to come, and soon. Memory stays where it was."""
    process = psutil.Process(os.getpid())
    before = process.memory_info().rss
    worst, stop = 0.0, asyncio.Event()

    async def keep_asking() -> None:
        nonlocal worst
        while not stop.is_set():
            began = time.monotonic()
            status, _, _ = await world.ask("ada")
            assert status == 200
            worst = max(worst, time.monotonic() - began)
            await asyncio.sleep(0.02)

    asking = asyncio.create_task(keep_asking())
    await asyncio.sleep(0.1)
    yield
    stop.set()
    await asking
    assert worst < 2.0
    assert process.memory_info().rss - before < 100 * MIB


def head(path: str = "/openai-completion", **more: str) -> bytes:
    headers = {"Host": "x", "Content-Type": "application/json", **more}
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return f"POST {path} HTTP/1.1\r\n{lines}\r\n".encode()


def status_of(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1]) if answer else 0


async def test_a_hundred_hang_ups_end_upstream_within_two_seconds(world: World) -> None:
    body = json.dumps({"user_id": "eve", "prompt": "Why?"}).encode()
    length = {"Content_Length": str(len(body)), "Authorization": f"Bearer {world.act_as}"}
    world.provider.default = Answer(text="word " * 2000, tokens_per_s=20)
    writers = [(await asyncio.open_connection("127.0.0.1", world.port))[1] for _ in range(100)]
    for number, writer in enumerate(writers):
        own = body.replace(b"eve", f"{number:03}".encode())
        writer.write(head(**length) + own)
    seen = world.provider
    await until(lambda: sum(bool(chat.first_token_at) for chat in seen.chats) == 100, within_s=20)
    began = time.monotonic()
    for writer in writers:
        writer.close()
    await until(lambda: all(chat.hung_up_at for chat in seen.chats), within_s=20)
    assert max(chat.hung_up_at or 0 for chat in seen.chats) - began < 2.0
    world.provider.default = Answer()
    assert (await world.ask("ada"))[0] == 200


async def test_a_hundred_slow_lorises_are_sent_away(world: World) -> None:
    async with others_are_served(world):
        slow = [b"POST /openai-completion HTTP/1.1\r\nX-Slow: "] * 50
        slow += [head(Content_Length="1000") + b"{"] * 50
        answers = await asyncio.gather(*(raw(world.port, data, wait_s=8) for data in slow))
    assert {status_of(answer) for answer in answers} == {408}
    assert all(b'{"error":' in answer for answer in answers)


async def test_a_silent_connection_is_closed(world: World) -> None:
    assert await raw(world.port, b"") == b""


async def test_a_drip_of_bytes_does_not_help(world: World) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", world.port)
    began = time.monotonic()
    writer.write(b"GET / HTTP/1.1\r\n")
    async with asyncio.timeout(6):
        while not reader.at_eof():
            writer.write(b"X-Drip: 1\r\n")
            answer = asyncio.create_task(reader.read(1000))
            done, _ = await asyncio.wait({answer}, timeout=0.2)
            if done:
                break
            answer.cancel()
    assert time.monotonic() - began < 3.0
    writer.close()


async def test_a_gigabyte_is_refused_unread(world: World) -> None:
    async with others_are_served(world):
        answer = await raw(world.port, head(Content_Length=str(1024 * MIB)) + b"x" * 1000)
    assert status_of(answer) == 413


async def test_a_gigabyte_in_chunks_is_cut_off(world: World) -> None:
    sent = 0
    async with others_are_served(world):
        _, writer = await asyncio.open_connection("127.0.0.1", world.port)
        authorization = f"Bearer {world.act_as}"
        writer.write(head(Transfer_Encoding="chunked", Authorization=authorization))
        piece = b"%x\r\n" % (64 * 1024) + b"x" * (64 * 1024) + b"\r\n"
        try:
            async with asyncio.timeout(10):
                while sent < 1024 * MIB:
                    writer.write(piece)
                    await writer.drain()
                    sent += 64 * 1024
        except ConnectionError:
            pass
        writer.close()
    assert sent < 64 * MIB


async def test_a_body_a_little_too_large_gets_its_answer(world: World) -> None:
    status, body, _ = await world.send(
        "POST", "/openai-completion", world.act_as, data=io.BytesIO(b"x" * (2 * MIB))
    )
    assert (status, body.keys()) == (413, {"error"})


@pytest.mark.parametrize("unit", [b"[", b'{"a":'])
async def test_deep_json_is_refused_cheaply(world: World, unit: bytes) -> None:
    data = unit * 100_000
    began = time.monotonic()
    headers = {"Content-Type": "application/json"}
    status, body, _ = await world.send(
        "POST", "/openai-completion", world.act_as, data=data, headers=headers
    )
    assert (status, body.keys()) == (400, {"error"})
    assert time.monotonic() - began < 0.5


@pytest.mark.parametrize("name", ["X-{}", "X"])
async def test_ten_thousand_headers_are_refused(world: World, name: str) -> None:
    many = "".join(f"{name.format(number)}: y\r\n" for number in range(10_000))
    async with others_are_served(world):
        data = f"GET /livez HTTP/1.1\r\nHost: x\r\n{many}\r\n".encode()
        answer = await raw(world.port, data)
    assert status_of(answer) == 431
    assert b'{"error":' in answer


@pytest.mark.parametrize("start", [b"GET /livez HTTP/1.1\r\nX-Long: ", b"GET /"])
async def test_a_line_that_never_ends_is_refused(world: World, start: bytes) -> None:
    async with others_are_served(world):
        answer = await raw(world.port, start + b"x" * 40_000)
    assert status_of(answer) == 431


async def test_a_request_begun_too_early_does_not_end_the_answer_before_it(world: World) -> None:
    world.provider.default = Answer(text="word " * 60, tokens_per_s=30)  # longer than a head may
    body = json.dumps({"user_id": "ada", "prompt": "Why?"}).encode()
    length = {"Content_Length": str(len(body)), "Authorization": f"Bearer {world.act_as}"}
    answer = await raw(world.port, head(**length) + body + b"GET /livez HTT", wait_s=10)
    assert status_of(answer) == 200
    assert b"word word" in answer


async def test_a_gzip_bomb_is_not_opened(world: World) -> None:
    bomb = gzip.compress(b"0" * (50 * MIB))
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    status, _, _ = await world.send(
        "POST", "/openai-completion", world.act_as, data=bomb, headers=headers
    )
    assert status == 415


async def test_no_http_gets_an_answer_in_json(world: World) -> None:
    answer = await raw(world.port, b"\x16\x03\x01\x02\x00nonsense\r\n\r\n")
    assert status_of(answer) == 400
    assert b"x-request-id" in answer.lower()


async def test_one_address_does_not_take_every_connection(database: Path, ring: KeyRing) -> None:
    few = Connections(most_per_address=5)
    async with open_world(database, ring, connections=few) as world:
        opened = [await asyncio.open_connection("127.0.0.1", world.port) for _ in range(5)]
        await asyncio.sleep(0.1)
        answer = await raw(world.port, b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
        assert status_of(answer) == 503
        for _, writer in opened:
            writer.close()
        await asyncio.sleep(0.1)
        assert (await world.send("GET", "/livez"))[0] == 200
