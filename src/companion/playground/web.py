"""The playground's page: a small Discord in the browser, on the local Discord's own server.

The page is plain files and one websocket. `/play` carries JSON: the page sends requests
`{op, id, data}` and gets `{re: id, data | error}`; the server sends events
`{seq, type, data}`, numbered without gaps, after `ready` with the whole picture.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Final

from aiohttp import web

from companion.playground.web_files import PageFiles, WaitingUploads
from companion.playground.web_guard import check_origin, disarm_files
from companion.playground.web_session import PlaySession

if TYPE_CHECKING:
    from companion.playground.local_discord import LocalDiscord

_LARGEST_MESSAGE: Final = 256 * 1024
_HEARTBEAT_S: Final = 20.0
_MOST_TABS: Final = 32


def add_page(app: web.Application, discord: LocalDiscord, *, banner: str = "") -> None:
    """Serve the page at `/` and its websocket at `/play`.

    `banner` says in a few words which model answers; the page shows it as it is.
    """
    files = PageFiles.read()
    door = PlayDoor(discord, banner)
    app.router.add_get("/", files.index)
    app.router.add_get("/page/{path:.+}", files.file)
    app.router.add_get("/play", door.play)
    app.router.add_post("/play/files", door.uploads.receive)
    app.on_response_prepare.append(disarm_files)
    app.on_shutdown.append(door.close)


class PlayDoor:
    """All open tabs."""

    def __init__(self, discord: LocalDiscord, banner: str) -> None:
        self._discord = discord
        self._banner = banner
        self._sockets: set[web.WebSocketResponse] = set()
        self.uploads = WaitingUploads()

    async def play(self, request: web.Request) -> web.StreamResponse:
        """Serve one tab's websocket."""
        check_origin(request)
        if len(self._sockets) >= _MOST_TABS:
            raise web.HTTPServiceUnavailable(text="Too many tabs show this playground.")
        socket = web.WebSocketResponse(max_msg_size=_LARGEST_MESSAGE, heartbeat=_HEARTBEAT_S)
        await socket.prepare(request)
        self._sockets.add(socket)
        try:
            await PlaySession(self._discord, socket, self.uploads, self._banner).run()
        finally:
            self._sockets.discard(socket)
            with contextlib.suppress(ConnectionError):
                await socket.close()
        return socket

    async def close(self, _: web.Application) -> None:
        """Close all tabs' connections; the pages try to come back."""
        for socket in list(self._sockets):
            await socket.close(code=1001, message=b"the playground stops")
