"""The page's own files, and the uploads that wait to be sent."""

from __future__ import annotations

import hashlib
import mimetypes
import secrets
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

from companion.playground.message_drafts import FILE_SIZE_LIMIT
from companion.playground.state import Upload
from companion.playground.web_guard import MARK, check_host, check_origin, page_headers

_FOLDER = Path(__file__).parent / "page"
_TYPES = {".js": "text/javascript", ".css": "text/css", ".html": "text/html"}
_MOST_WAITING = 40
_LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class PageFile:
    """One file of the page with its entity tag."""

    body: bytes = field(repr=False)
    content_type: str
    tag: str


class PageFiles:
    """All files of the page, read once."""

    def __init__(self, files: Mapping[str, PageFile]) -> None:
        self._files = files

    @classmethod
    def read(cls) -> PageFiles:
        """Read them from the installed package."""
        found = (path for path in _FOLDER.rglob("*") if path.is_file())
        return cls({path.relative_to(_FOLDER).as_posix(): _page_file(path) for path in found})

    async def index(self, request: web.Request) -> web.Response:
        """Serve the page."""
        return self._serve(request, "index.html")

    async def file(self, request: web.Request) -> web.Response:
        """Serve one of its files."""
        return self._serve(request, request.match_info["path"])

    def _serve(self, request: web.Request, name: str) -> web.Response:
        check_host(request)
        file = self._files.get(name)
        if file is None:
            raise web.HTTPNotFound(text="There is no such file.")
        headers = {**page_headers(request), "ETag": f'"{file.tag}"'}
        if any(tag.value in {file.tag, "*"} for tag in request.if_none_match or ()):
            return web.Response(status=304, headers=headers)
        charset = "utf-8" if file.content_type.startswith("text/") else None
        return web.Response(
            body=file.body, content_type=file.content_type, charset=charset, headers=headers
        )


def _page_file(path: Path) -> PageFile:
    body = path.read_bytes()
    guessed = _TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0]
    return PageFile(
        body=body,
        content_type=guessed or "application/octet-stream",
        tag=hashlib.sha256(body).hexdigest()[:20],
    )


class WaitingUploads:
    """Files that a person chose but did not send yet; the oldest make room for new ones."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[str, Upload] = OrderedDict()

    async def receive(self, request: web.Request) -> web.Response:
        """Take one file as a request's body and answer with its ticket."""
        check_origin(request)
        if MARK not in request.headers:
            raise web.HTTPForbidden(text="Only the playground's own page may do this.")
        content = await _capped(request)
        if content is None:
            return web.json_response(
                {"error": "The file is too large: 10 MB is the most."}, status=413
            )
        ticket = secrets.token_urlsafe(12)
        name = request.query.get("name", "")[:_LONGEST_NAME] or "file"
        self._waiting[ticket] = Upload(
            filename=name.replace("/", "_").replace("\\", "_"),
            content=content,
            content_type=request.headers.get("Content-Type"),
        )
        while len(self._waiting) > _MOST_WAITING:
            self._waiting.popitem(last=False)
        return web.json_response({"file": ticket})

    def take(self, ticket: str) -> Upload:
        """Return a waiting file, once. Raises `LookupError`."""
        try:
            return self._waiting.pop(ticket)
        except KeyError:
            raise LookupError("The attached file is gone. Attach it again.") from None


async def _capped(request: web.Request) -> bytes | None:
    """Return the body, or `None` once it is larger than a file may be."""
    content = bytearray()
    async for chunk in request.content.iter_chunked(65536):
        content += chunk
        if len(content) > FILE_SIZE_LIMIT:
            return None
    return bytes(content)
