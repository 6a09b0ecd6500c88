"""The process that reads one file and ends: `python -I -m companion.files.worker KIND CPU_S`.

The file comes over stdin, what was read goes out over stdout. It may take so much
memory and time and no more, can write no file, and knows no secret. Whatever a
library raises here ends the process, which is how its parent learns of it.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
from pathlib import Path
from typing import Final, Protocol, cast

from companion.domain.file_kinds import FileKind
from companion.files import caps
from companion.files.results import Outcome, Result

NICENESS: Final = 10


class _Part(Protocol):
    def read(self, data: bytes, kind: FileKind) -> Result: ...


def limit_ourselves(cpu_s: int = caps.CPU_S) -> None:
    """Take on the limits, as far as this system has them."""
    if hasattr(os, "nice"):
        os.nice(NICENESS)  # those who are answered come before a file that is read
    with contextlib.suppress(OSError):  # Linux: when memory is short, this process goes first
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
    try:
        import resource  # noqa: PLC0415 — Windows has none
    except ImportError:
        return
    for what, most in (
        (resource.RLIMIT_AS, caps.ADDRESS_SPACE_BYTES),
        (resource.RLIMIT_CPU, cpu_s),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        with contextlib.suppress(ValueError, OSError):  # macOS refuses some of them
            resource.setrlimit(what, (most, most))


def main(kind: FileKind, cpu_s: int) -> None:
    """Read stdin as a file of that kind, and write the result to stdout."""
    limit_ourselves(cpu_s)
    data = sys.stdin.buffer.read()
    module = "pictures" if kind.is_picture else kind.name.lower()
    try:
        # only what this kind needs is loaded: it is most of the time that this takes
        part = cast("_Part", importlib.import_module(f"companion.files.{module}"))
        result = part.read(data, kind)
    except MemoryError:
        result = Result(outcome=Outcome.TOO_COMPLEX)
    sys.stdout.buffer.write(result.to_bytes())


if __name__ == "__main__":
    main(FileKind(sys.argv[1]), int(sys.argv[2]))
