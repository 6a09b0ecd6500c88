"""A model on this machine: llama.cpp's OpenAI-compatible server, in a process of its own.

In our own process it would work too, but stopping it there waits half a minute for
running answers, an abort in C++ would take the app down, and computing could not be
given a lower priority than acknowledging. The child gets no secrets (not even in its
environment), and ends when its standard input does: it cannot outlive us.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from companion.domain.models import ModelId
from companion.llm.local_model import LocalModelUnavailable, name_of

HTTP_THREADS: Final = 32
"""llama.cpp holds one per open answer; its own default is one per processor."""
SLOTS: Final = 4
CONTEXT_TOKENS: Final = 4_096
"""For one conversation: reading more takes a processor longer than anybody waits."""
SHARED_TOKENS: Final = 2 * CONTEXT_TOKENS
"""For all slots together; it is what SmolLM2 was trained on, and costs 190 MB."""
LONGEST_ANSWER: Final = 512
"""Tokens, unless asked for more: small models do not always know when to stop."""
NICENESS: Final = 5
START_S: Final = 120.0
STOP_S: Final = 1.0
INHERITED: Final = (
    "PATH",
    "HOME",
    "LANG",
    "SYSTEMROOT",
    "TMPDIR",
    "TEMP",
    "TMP",
    "VIRTUAL_ENV",
    "PYTHONPATH",
    "LD_LIBRARY_PATH",
    "DYLD_LIBRARY_PATH",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalServer:
    """Where it listens and what it offers."""

    base_url: str
    model: ModelId
    context_tokens: int
    pid: int


@asynccontextmanager
async def open_local_server(
    file: Path, *, longest_answer: int = LONGEST_ANSWER
) -> AsyncGenerator[LocalServer]:
    """Run the model in that file until the block ends. Raises `LocalModelUnavailable`.

    `longest_answer` is in tokens, and for requests that do not ask for more.
    """
    model = name_of(file)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", __name__, str(file), model, str(longest_answer)),
        stdin=PIPE,
        stdout=PIPE,
        stderr=DEVNULL,
        env={name: os.environ[name] for name in INHERITED if name in os.environ},
        start_new_session=os.name == "posix",  # Ctrl-C is ours to handle
    )
    try:
        address = await _address(process)
        yield LocalServer(
            base_url=f"{address}/v1",
            model=model,
            context_tokens=CONTEXT_TOKENS,
            pid=process.pid,
        )
    finally:
        await _stop(process)


async def _address(process: Process) -> str:
    assert process.stdout is not None
    try:
        async with asyncio.timeout(START_S):
            line = await process.stdout.readline()
    except TimeoutError as error:
        raise LocalModelUnavailable(reason="not_started") from error
    if not line:
        raise LocalModelUnavailable(reason="not_started")
    return str(json.loads(line))


async def _stop(process: Process) -> None:
    assert process.stdin is not None
    process.stdin.close()
    try:
        async with asyncio.timeout(STOP_S):
            await process.wait()
    except TimeoutError:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def main(file: str, model: str, longest_answer: str) -> None:
    """Serve until standard input ends; the address goes to standard output."""
    # loaded here: only this process needs it, and only the extra `local` brings it (untyped)
    xllamacpp: Any = import_module("xllamacpp")
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    params = xllamacpp.CommonParams()
    params.model.path = file
    params.model_alias = {model}
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.n_threads_http = HTTP_THREADS
    params.n_parallel = SLOTS
    params.kv_unified = True  # the slots share one context's memory
    params.n_ctx = SHARED_TOKENS
    params.fit_params = False
    params.cache_ram_mib = 0
    params.n_predict = int(longest_answer)
    params.sampling.temp = 0.2
    params.sampling.min_p = 0.2
    params.sampling.penalty_repeat = 1.1
    params.warmup = False
    params.ui = False
    params.endpoint_slots = False
    params.verbosity = 0
    server = xllamacpp.Server(params)
    print(json.dumps(server.listening_address), flush=True)  # noqa: T201 — to our parent
    sys.stdin.buffer.read()
    # leaving in the ordinary way would wait for running answers
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
