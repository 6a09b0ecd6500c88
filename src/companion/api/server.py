"""Serves the HTTP door inside our own event loop; signals and logs stay ours."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Final

import uvicorn
from starlette.types import ASGIApp

from companion.api.connections import Connections, protocol_for
from companion.domain.errors import ConfigurationError

GRACE_S: Final = 3
KEEP_ALIVE_S: Final = 5
BACKLOG: Final = 128
TICK_S: Final = 1.0


class _Server(uvicorn.Server):
    """A server that leaves the process's signal handlers alone, and rests while nobody calls."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._ended = asyncio.Event()

    def end(self) -> None:
        """Take no more connections, and let `serve` return."""
        self.should_exit = True
        self._ended.set()

    async def main_loop(self) -> None:
        """Keep the date of the answers right until the end, which uvicorn would poll for."""
        while not await self.on_tick(0):
            with suppress(TimeoutError):
                await asyncio.wait_for(self._ended.wait(), TICK_S)

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


@asynccontextmanager
async def serving(
    app: ASGIApp, *, host: str, port: int, connections: Connections | None = None
) -> AsyncGenerator[str]:
    """Serve until the block ends, then let open requests finish for a moment.

    Yields the origin (`http://127.0.0.1:8080`). Raises `ConfigurationError` when the
    address cannot be had.
    """
    listener = _listen(host, port)
    server = _Server(
        uvicorn.Config(
            app,
            loop="none",
            http=protocol_for(connections or Connections()),
            lifespan="off",
            ws="none",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=GRACE_S,
        )
    )
    running = asyncio.create_task(server.serve(sockets=[listener]), name="http-server")
    try:
        name = f"[{host}]" if ":" in host else host
        yield f"http://{name}:{listener.getsockname()[1]}"
    finally:
        server.end()
        await running
        listener.close()


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise _refused("COMPANION_HTTP_HOST", "is no address of this machine") from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise _refused("COMPANION_HTTP_PORT", f"is {port}, which cannot be had there") from error
    return listener


def _refused(variable: str, problem: str) -> ConfigurationError:
    return ConfigurationError(
        variable=variable,
        problem=problem,
        fix="end the program that listens there, or choose another one",
    )
