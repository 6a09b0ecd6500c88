from __future__ import annotations

import asyncio
import os
import sys
import textwrap
from pathlib import Path

import psutil
import pytest

from companion.domain.file_errors import FilesBusy
from companion.domain.file_kinds import FileKind
from companion.files import caps, processes
from companion.files.processes import ReaderFailed, ReadingProcesses
from companion.files.results import Outcome, Result, parse
from companion.files.worker import NICENESS
from tests.support import sample_files as samples


def children() -> list[psutil.Process]:
    return [
        child
        for child in psutil.Process().children(recursive=True)
        if "companion.files.worker" in " ".join(_command(child))
    ]


def _command(child: psutil.Process) -> list[str]:
    try:
        return child.cmdline()
    except psutil.NoSuchProcess:
        return []


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program that runs instead of the worker; what it prints is the result."""
    program = tmp_path / "worker.py"
    launcher = tmp_path / "python"
    launcher.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{program}"\n')
    launcher.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(launcher))
    return program


async def test_a_file_that_takes_too_long_is_given_up_and_its_process_killed() -> None:
    running = ReadingProcesses(wall_s=0.6)
    with pytest.raises(ReaderFailed) as failed:
        await running.run(FileKind.PDF, samples.pdf_that_takes_forever(400_000))
    assert failed.value.exhausted
    assert children() == []


async def test_a_question_taken_back_kills_the_process() -> None:
    running = ReadingProcesses()
    reading = asyncio.create_task(
        running.run(FileKind.PDF, samples.pdf_that_takes_forever(400_000))
    )
    async with asyncio.timeout(5):
        while not children():  # noqa: ASYNC110  nobody announces it
            await asyncio.sleep(0.01)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert children() == []
    assert parse(await running.run(FileKind.PNG, samples.picture())).outcome is Outcome.IMAGE


async def test_two_are_read_at_once_and_a_long_queue_is_refused() -> None:
    running = ReadingProcesses()
    allowed = processes.AT_ONCE + processes.WAITING
    waiting = [
        asyncio.create_task(running.run(FileKind.PNG, samples.picture())) for _ in range(allowed)
    ]
    await asyncio.sleep(0)
    with pytest.raises(FilesBusy):
        await running.run(FileKind.PNG, samples.picture())
    most = 0
    while not all(task.done() for task in waiting):
        most = max(most, len(children()))
        await asyncio.sleep(0.01)
    assert most <= processes.AT_ONCE
    assert all(parse(task.result()).outcome is Outcome.IMAGE for task in waiting)


async def test_a_result_that_does_not_end_is_cut_off(stand_in: Path) -> None:
    stand_in.write_text("import sys\nwhile True: sys.stdout.write('x' * 65536)\n")
    with pytest.raises(ReaderFailed):
        await ReadingProcesses(wall_s=10).run(FileKind.PNG, b"data")


async def test_a_process_that_never_reads_is_given_up(stand_in: Path) -> None:
    stand_in.write_text("import time\ntime.sleep(60)\n")
    with pytest.raises(ReaderFailed):
        await ReadingProcesses(wall_s=0.5).run(FileKind.PNG, bytes(2**20))


async def test_the_process_knows_none_of_our_secrets(
    stand_in: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary")
    stand_in.write_text("import os\nprint(sorted(os.environ))\n")
    said = (await ReadingProcesses().run(FileKind.PNG, b"data")).decode()
    assert "OPENAI_API_KEY" not in said
    assert "DISCORD_TOKEN" not in said


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such limits: they were NOT tried")
async def test_the_process_may_take_no_more_than_its_share(stand_in: Path, tmp_path: Path) -> None:
    stand_in.write_text(
        textwrap.dedent(
            f"""
            import os, resource
            from pathlib import Path
            from companion.files.worker import limit_ourselves
            limit_ourselves()
            try:
                bytearray({caps.ADDRESS_SPACE_BYTES})
            except MemoryError:
                print("no memory")
            try:
                with open({str(tmp_path / "written")!r}, "wb", buffering=0) as file:
                    file.write(b"x")
            except OSError:
                print("no file")
            print(resource.getrlimit(resource.RLIMIT_CPU)[0])
            print("nice", os.nice(0))
            if Path("/proc/self/oom_score_adj").exists():
                print("oom", Path("/proc/self/oom_score_adj").read_text().strip())
            """
        )
    )
    said = (await ReadingProcesses().run(FileKind.PNG, b"data")).decode().split("\n")
    assert "no file" in said
    assert str(caps.CPU_S) in said
    assert sys.platform != "linux" or {"no memory", "oom 1000"} <= set(said)
    assert f"nice {min(os.nice(0) + NICENESS, 19)}" in said


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"no json\n",
        b"[]\n",
        b'{"outcome": "invented"}\n',
        b'{"outcome": "image", "width": -1}\n',
        b'{"outcome": "text", "pages": "many"}\n',
        b'{"outcome": "text"}' + b" " * 2000 + b"\n",
    ],
)
def test_an_answer_that_is_none_is_not_believed(sent: bytes) -> None:
    with pytest.raises(ValueError):
        parse(sent)


def test_a_result_survives_the_pipe() -> None:
    result = Result(
        outcome=Outcome.TEXT, contents=b"two\nlines", characters=9, pages=3, pages_read=1
    )
    assert parse(result.to_bytes()) == result
