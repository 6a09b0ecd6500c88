"""The connection to Redis: each question with its own small timeout, no retries of the library."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from typing import Final, TypeVar, cast
from uuid import uuid4

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError, RedisError

from companion.limits.redis_script import SCRIPT, Deed, Line, Verdict, decoded, encoded

DECISION_S: Final = 0.05
"""How long a decision may take: people wait for it."""
BEAT_S: Final = 0.5
CONNECTIONS: Final = 4
"""One for the questions, which go one after another, one for the beat, and their successors."""
PROCESSES: Final = "{companion}:processes"
GONE_AFTER_S: Final = 10

_BEAT: Final = """
local now = tonumber(redis.call('TIME')[1])
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - tonumber(ARGV[2]))
redis.call('EXPIRE', KEYS[1], ARGV[2])
return redis.call('ZCARD', KEYS[1])
"""

_T = TypeVar("_T")


class RedisAway(Exception):
    """Redis did not answer, or not with what was asked for."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class RedisServer:
    """As much of Redis as the limits need. Everything raises `RedisAway`."""

    def __init__(self, url: str) -> None:
        self._name = uuid4().hex
        pool = BlockingConnectionPool.from_url(  # pyright: ignore[reportUnknownMemberType]
            url,
            max_connections=CONNECTIONS,
            timeout=BEAT_S,
            socket_connect_timeout=BEAT_S,
            socket_timeout=BEAT_S,
            # a kept connection may be dead; for all else, whoever asks has another way
            retry=Retry(NoBackoff(), 1, supported_errors=(ConnectionError,)),
        )
        self._redis = Redis.from_pool(pool)
        self._judge = self._redis.register_script(SCRIPT)
        self._beat = self._redis.register_script(_BEAT)

    async def judge(self, requests: Sequence[tuple[Deed, Sequence[Line]]]) -> list[Verdict]:
        """Decide on all requests, in their order."""
        keys, arguments = encoded(requests)
        answer = await _in_time(self._judge(keys=keys, args=arguments), DECISION_S)
        return decoded(requests, cast("list[bytes]", answer))

    async def beat(self) -> int:
        """Say that this process lives, and return how many do. It is a write, on purpose."""
        answer = await _in_time(
            self._beat(keys=[PROCESSES], args=[self._name, GONE_AFTER_S]), BEAT_S
        )
        return cast("int", answer)

    async def leave(self) -> None:
        """Take this process out of the count."""
        await _in_time(self._redis.zrem(PROCESSES, self._name), BEAT_S)

    async def close(self) -> None:
        """Close the connections."""
        await self._redis.aclose()


async def _in_time(work: Awaitable[_T], seconds: float) -> _T:
    """Wait that long for an answer, and once more if it was us who came late.

    When the event loop was busy, the answer may lie there unread: that is no failure of Redis.
    """
    loop = asyncio.get_running_loop()
    task = asyncio.ensure_future(work)
    task.add_done_callback(_seen)
    try:
        began = loop.time()
        await asyncio.wait({task}, timeout=seconds)
        if not task.done() and loop.time() - began > 1.5 * seconds:
            await asyncio.wait({task}, timeout=seconds)
        if not task.done():
            raise RedisAway("slow")
        return task.result()
    except (RedisError, OSError) as error:
        raise RedisAway(type(error).__name__) from error
    finally:
        task.cancel()  # the library then drops the connection, on which an answer is still due


def _seen(task: asyncio.Future[_T]) -> None:
    """Take note of a failure that nobody waits for any more."""
    if not task.cancelled():
        task.exception()
