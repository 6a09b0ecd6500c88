"""What is done to the app's database, to Redis and to its disk."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tests.db.postgres import postgres_server
from tests.support.redis_process import redis_process

from companion.db.keyring import KeyRing

DISK_MIB = 24


class Server(Protocol):
    """A server that can be disturbed."""

    def start(self) -> None: ...
    def stop(self) -> None: ...
    def send(self, number: signal.Signals) -> None: ...


class Disk:
    """A small disk of its own, which is filled to the last byte."""

    def __init__(self, folder: Path) -> None:
        self._ballast = folder / "ballast"

    def stop(self) -> None:
        with self._ballast.open("wb", buffering=0) as file:
            block = b"\0" * 65536
            try:
                while file.write(block):
                    pass
            except OSError:
                return

    def start(self) -> None:
        self._ballast.unlink()

    def send(self, number: signal.Signals) -> None:
        raise NotImplementedError


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What the app stands on, and the settings that say so."""

    server: Server
    environment: dict[str, str]
    data: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that goes wrong, and is mended."""

    name: str
    ground: Callable[[Path], AbstractContextManager[Ground]]
    begin: Callable[[Ground], None]
    end: Callable[[Ground], None]
    lasts: bool = True


@contextmanager
def _postgres(data: Path) -> Generator[Ground]:
    with postgres_server() as server:
        environment = {
            "DATABASE_URL": server.url("companion"),
            "COMPANION_KEYRING": KeyRing.new_entry("k1"),
        }
        yield Ground(server=server, environment=environment, data=data)


@contextmanager
def _redis(data: Path) -> Generator[Ground]:
    with redis_process() as server:
        yield Ground(server=server, environment={"REDIS_URL": server.url}, data=data)


@contextmanager
def _small_disk(data: Path) -> Generator[Ground]:
    """Mount a small disk for the data; only root may."""
    options = ["-t", "tmpfs", "-o", f"size={DISK_MIB}m", "tmpfs", str(data)]
    subprocess.run(["/bin/mount", *options], check=True)
    try:
        yield Ground(server=Disk(data), environment={}, data=data)
    finally:
        subprocess.run(["/bin/umount", "-l", str(data)], check=True)


def _stop(ground: Ground) -> None:
    ground.server.stop()


def _start(ground: Ground) -> None:
    ground.server.start()


def _freeze(ground: Ground) -> None:
    ground.server.send(signal.SIGSTOP)


def _thaw(ground: Ground) -> None:
    ground.server.send(signal.SIGCONT)


def _restart(ground: Ground) -> None:
    ground.server.stop()
    ground.server.start()


def _nothing(_ground: Ground) -> None:
    return


_ALL = [
    *(
        Fault(name=f"{name} {kind}", ground=ground, begin=begin, end=end, lasts=lasts)
        for name, ground in (("postgres", _postgres), ("redis", _redis))
        for kind, begin, end, lasts in (
            ("stop", _stop, _start, True),
            ("freeze", _freeze, _thaw, True),
            ("restart", _restart, _nothing, False),
        )
    ),
    Fault(name="disk full", ground=_small_disk, begin=_stop, end=_start),
]
FAULTS = {fault.name: fault for fault in _ALL}
