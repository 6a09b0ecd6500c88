"""The file of a generated key ring: for its owner only, written whole or not at all."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from tempfile import mkstemp
from typing import Final

from companion.db.ring_text import VARIABLE
from companion.domain.errors import ConfigurationError

PRIVATE: Final = 0o600
_OTHERS: Final = 0o077


def read_or_write(path: Path, fresh: str) -> str:
    """Return the ring in the file; write `fresh` into it first when there is no file.

    An existing file is never changed. Raises `ConfigurationError` when it cannot be
    read or written, or when others than its owner can read it.
    """
    try:
        if not path.exists():
            _write_whole(path, fresh)
        if os.name == "posix" and path.stat().st_mode & _OTHERS:
            raise _refused(path, "can be read by others", f"run: chmod 600 {path}")
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        problem = "cannot be read or created"
        raise _refused(path, problem, "check the folder and its owner") from error


def _write_whole(path: Path, text: str) -> None:
    handle, name = mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mode 0600
    draft = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())
        # a link fails when another process was first, and then its ring is the one
        with suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _refused(path: Path, problem: str, fix: str) -> ConfigurationError:
    return ConfigurationError(variable=VARIABLE, problem=f"file {path} {problem}", fix=fix)
