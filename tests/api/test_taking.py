"""A client that takes nothing is given up; one that is slow, or waits for us, is not."""

from __future__ import annotations

import asyncio

import pytest
from starlette.types import Message

from companion.api.taking import parts_for

STALLED_S = 0.1


class Client:
    """Takes what it is sent while `takes` is set."""

    def __init__(self) -> None:
        self.takes = asyncio.Event()
        self.takes.set()
        self.taken: list[bytes] = []

    async def send(self, message: Message) -> None:
        """Take a part."""
        await self.takes.wait()
        self.taken.append(message["body"])


async def test_who_takes_nothing_is_given_up() -> None:
    client = Client()

    with pytest.raises(asyncio.CancelledError):
        async with asyncio.timeout(10), parts_for(client.send, stalled_s=STALLED_S) as send_part:
            await send_part(b"one")
            client.takes.clear()
            await send_part(b"two")

    assert client.taken == [b"one"]
    task = asyncio.current_task()
    assert task is not None
    assert not task.cancelling()


async def test_a_pause_of_ours_is_not_the_clients() -> None:
    client = Client()

    async with parts_for(client.send, stalled_s=STALLED_S) as send_part:
        await send_part(b"one")
        await asyncio.sleep(STALLED_S * 2)
        await send_part(b"two")

    assert client.taken == [b"one", b"two"]


async def test_a_wait_is_counted_from_its_own_beginning() -> None:
    client = Client()

    async with parts_for(client.send, stalled_s=1.0) as send_part:
        await send_part(b"one")
        await asyncio.sleep(0.9)  # the timer of the first part looks while the second waits
        client.takes.clear()
        asyncio.get_running_loop().call_later(0.3, client.takes.set)
        await send_part(b"two")

    assert client.taken == [b"one", b"two"]


async def test_a_timeout_from_inside_stays_one() -> None:
    with pytest.raises(TimeoutError):
        async with parts_for(Client().send):
            raise TimeoutError
