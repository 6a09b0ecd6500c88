"""Hours of ordinary use: does anything grow that should not?

    python -m benchmarks.soak                  # an hour, 5 questions and 2 HTTP calls a second
    python -m benchmarks.soak --minutes 10

People of many servers ask in turn, by command and by mention; a few are new, a few forget their
conversation; programs call over HTTP, and some hang up halfway. The app's memory, files,
threads and tasks are read each half minute; the slope is that of the second half, when caches
and the database's pages are warm.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import re
import statistics
import tempfile
import time
import urllib.request
from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import uvloop
from tests.support.provider_script import Answer
from tests.support.scripted_provider import ScriptedProvider

from benchmarks.app_process import AppProcess, running_app
from benchmarks.asking import By, Seat, seats
from benchmarks.conversations import environment
from benchmarks.http_overhead import Line, Target, body, new_token
from companion.playground.local_discord import LocalDiscord

QUESTIONS_A_S: Final = 5
CALLS_A_S: Final = 2
SERVERS: Final = 10
PEOPLE_EACH: Final = 20
NEW_PERSON_EVERY: Final = 50
NEW_PEOPLE: Final = 1000
FORGET_EVERY: Final = 10
"""Turns after which a person's conversation is cleared."""
READ_EVERY_S: Final = 30.0
SETTLE_S: Final = 20.0
_WORDS: Final = "a soak of many words " * 40
_TASKS: Final = re.compile(rb"^companion_tasks (\S+)$", re.MULTILINE)
_CALLS: Final = re.compile(rb"^companion_provider_calls_total(\{.+\} \d+)", re.MULTILINE)
_RUNNING: Final = re.compile(rb"^companion_replies_running (\S+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The app at one moment."""

    at_s: float
    rss_mib: float
    files: int
    threads: int
    tasks: int
    running: int

    def __str__(self) -> str:
        """Return a row of the table."""
        return (
            f"| {self.at_s / 60:.1f} | {self.rss_mib:.1f} | {self.files} | {self.threads} "
            f"| {self.tasks} | {self.running} |"
        )


@dataclass(frozen=True, slots=True)
class Stage:
    """What stands around the app."""

    discord: LocalDiscord
    model: ScriptedProvider
    began: float = field(default_factory=time.monotonic)


def own_numbers(app: AppProcess) -> bytes:
    """Return what `/metrics` shows."""
    with urllib.request.urlopen(f"{app.health}/metrics", timeout=10) as answer:
        return answer.read()


def read(app: AppProcess, began: float) -> Reading:
    """Look at the app from outside, and at its own numbers."""
    numbers = own_numbers(app)
    return Reading(
        at_s=time.monotonic() - began,
        rss_mib=app.rss_mib(),
        files=app.watched.num_fds(),
        threads=app.watched.num_threads(),
        tasks=round(_number(_TASKS, numbers)),
        running=round(_number(_RUNNING, numbers)),
    )


def slope_mib_per_h(readings: Sequence[Reading]) -> float:
    """Return how fast the memory grows (least squares)."""
    hours = [reading.at_s / 3600 for reading in readings]
    return statistics.linear_regression(hours, [each.rss_mib for each in readings]).slope


class People:
    """Who asks next, and how."""

    def __init__(self, discord: LocalDiscord) -> None:
        self._discord = discord
        self._known = [
            seat
            for number in range(SERVERS)
            for seat in seats(discord, f"s{number}", PEOPLE_EACH, by=By.COMMAND, channels=0)
        ]
        self._in_turn: Iterator[Seat] = itertools.cycle(self._known)
        # in one server, which the app hears of before: each server it knows takes memory
        self._new = seats(discord, "new", NEW_PEOPLE, by=By.COMMAND, channels=0)
        self.asked = 0

    async def ask(self) -> None:
        """Let the next one ask; every so often someone new, and someone who forgets first."""
        self.asked += 1
        seat = next(self._in_turn)
        if self.asked % NEW_PERSON_EVERY == 0:
            seat = self._new.pop()
        turn = self.asked // len(self._known)
        if turn % FORGET_EVERY == FORGET_EVERY - 1:
            await self._discord.invoke(seat.who, seat.where, "clear", {"scope": "here"})
        elif self.asked % 3 == 0:
            text = f"<@{self._discord.application_id}> Question {self.asked}?"
            await self._discord.say(seat.who, seat.where, text)
        else:
            prompt = {"prompt": f"Question {self.asked}?"}
            await self._discord.invoke(seat.who, seat.where, "ask", prompt)


class Calls:
    """Calls over HTTP: whole ones, streams, and streams that are left halfway."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self.made = 0

    async def call(self) -> None:
        """Call once."""
        self.made += 1
        line = await Line.open(self._target)
        if self.made % 2:
            await line.call(self._target.request(body()))
        elif self.made % 10:
            await line.stream(self._target.request(body(stream=True)))
        else:
            line.send(self._target.request(body(stream=True)))
            await asyncio.sleep(1.0)
        line.close()


async def keep_on(
    act: Callable[[], Coroutine[None, None, None]], per_s: float, minutes: float
) -> None:
    """Begin one act after the other at an even pace, and wait for all."""
    began = time.monotonic()
    async with asyncio.TaskGroup() as group:
        for number in range(round(minutes * 60 * per_s)):
            await asyncio.sleep(max(0.0, began + number / per_s - time.monotonic()))
            group.create_task(act())


async def watch(app: AppProcess, stage: Stage, readings: list[Reading]) -> None:
    """Read the app each half minute, until cancelled."""
    while True:
        readings.append(await asyncio.to_thread(read, app, stage.began))
        print(readings[-1], flush=True)
        stage.model.requests.clear()
        stage.discord.requests.clear()
        await asyncio.sleep(READ_EVERY_S)


async def run(minutes: float) -> None:
    """Start everything, use it, and print what grew."""
    with tempfile.TemporaryDirectory() as folder:
        async with LocalDiscord.start() as discord, ScriptedProvider.start(validate=False) as model:
            model.default = lambda _: Answer(text=_WORDS, ttft_s=0.3, tokens_per_s=100.0)
            set_up = environment(discord, model) | {"COMPANION_MAX_STREAMS_PER_USER": "100"}
            async with running_app(set_up, Path(folder)) as app:
                await discord.wait_for_commands(["ask", "clear"])
                token = new_token(set_up, Path(folder))
                port = int(app.health.rpartition(":")[2])
                target = Target("app", port, "/modules/openai/chat/completions", token)
                await _use(app, Stage(discord, model), Calls(target), minutes)


async def _use(app: AppProcess, stage: Stage, calls: Calls, minutes: float) -> None:
    people, readings = People(stage.discord), list[Reading]()
    await asyncio.sleep(SETTLE_S)
    print("| minutes | MiB | files | threads | tasks | replies |\n|--:|--:|--:|--:|--:|--:|")
    watching = asyncio.create_task(watch(app, stage, readings))
    async with asyncio.TaskGroup() as group:
        group.create_task(keep_on(people.ask, QUESTIONS_A_S, minutes))
        group.create_task(keep_on(calls.call, CALLS_A_S, minutes))
    watching.cancel()
    await asyncio.sleep(SETTLE_S)
    rest = await asyncio.to_thread(read, app, stage.began)
    print(f"{rest}\n\n{people.asked} questions, {calls.made} calls; CPU {app.cpu_s():.0f} s")
    for ended in _CALLS.findall(await asyncio.to_thread(own_numbers, app)):
        print("calls to the provider", ended.decode())
    print(f"slope of the second half: {slope_mib_per_h(readings[len(readings) // 2 :]):.2f} MiB/h")


def _number(pattern: re.Pattern[bytes], text: bytes) -> float:
    found = pattern.search(text)
    assert found is not None, "the app shows no such number"
    return float(found[1])


def main() -> None:
    """Parse the arguments and run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--minutes", type=float, default=60.0)
    uvloop.run(run(parser.parse_args().minutes))


if __name__ == "__main__":
    main()
