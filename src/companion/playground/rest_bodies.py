"""Request bodies: JSON, or a form with JSON and files in it."""

from __future__ import annotations

from urllib.parse import parse_qs

import msgspec
from aiohttp import BodyPartReader, web

from companion.playground.api_errors import ApiError, Problem
from companion.playground.calls import UploadedFile
from companion.playground.wire import decode

Body = tuple[object, tuple[UploadedFile, ...]]


async def read_body(request: web.Request) -> Body:
    """Return the JSON and the files of a request. Raises `ApiError` (50109)."""
    if not request.body_exists:
        return None, ()
    if request.content_type == "multipart/form-data":
        return await _read_multipart(request)
    text = await request.read()
    if request.content_type == "application/x-www-form-urlencoded":
        # What clients send that always build a form, and have no file this time.
        form = parse_qs(text.decode(), keep_blank_values=True)
        return _json(form.get("payload_json", [""])[0]), ()
    return _json(text), ()


def _json(text: bytes | str) -> object:
    if not text:
        return None
    try:
        return decode(text)
    except msgspec.DecodeError:
        raise ApiError(Problem.INVALID_JSON) from None


async def _read_multipart(request: web.Request) -> Body:
    body: object = None
    files: list[UploadedFile] = []
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader):
            continue
        content = bytes(await part.read())
        name = part.name or ""
        if name == "payload_json":
            body = _json(content)
        elif name.startswith("files["):
            number = name.removeprefix("files[").removesuffix("]")
            index = int(number) if number.isdigit() else len(files)
            files.append(_uploaded(index, part, content))
    return body, tuple(files)


def _uploaded(index: int, part: BodyPartReader, content: bytes) -> UploadedFile:
    return UploadedFile(
        index=index,
        filename=part.filename or "unnamed",
        content=content,
        content_type=part.headers.get("Content-Type"),
    )
