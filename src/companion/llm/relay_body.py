"""Bodies of requests that are sent on: JSON put together anew, files read in pieces."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from secrets import token_hex
from typing import Final

import msgspec

from companion.llm.connection import Message
from companion.llm.transport import as_body
from companion.ports.relay import Fields, Form

_JSON: Final = (("Content-Type", "application/json"),)
_NAMES: Final = str.maketrans({'"': "%22", "\r": "%0D", "\n": "%0A"})
_END: Final = b"\r\n"


def json_message(*objects: Fields) -> Message:
    """Return the fields of all objects as one; their values go on byte for byte."""
    fields = [
        msgspec.json.encode(name) + b":" + value
        for fields in objects
        for name, value in fields.items()
    ]
    return Message(body=as_body(b"{" + b",".join(fields) + b"}"), headers=_JSON)


def form_message(form: Form) -> Message:
    """Return a multipart body of known length, whose files are read while it is sent."""
    boundary = token_hex(16)
    heads = [_field_head(boundary, name) + value.encode() for name, value in form.fields]
    files = [
        (_file_head(boundary, file.name, file.filename, file.content_type), file)
        for file in form.files
    ]
    tail = f"--{boundary}--\r\n".encode()
    length = sum(len(head) + len(_END) for head in heads) + len(tail)
    length += sum(len(head) + file.size + len(_END) for head, file in files)

    async def pieces() -> AsyncGenerator[bytes]:
        for head in heads:
            yield head + _END
        for head, file in files:
            yield head
            async for piece in file.pieces():
                yield piece
            yield _END
        yield tail

    described = f"multipart/form-data; boundary={boundary}"
    return Message(
        body=pieces(), headers=(("Content-Type", described), ("Content-Length", str(length)))
    )


def _field_head(boundary: str, name: str) -> bytes:
    return (
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name.translate(_NAMES)}"\r\n\r\n'
    ).encode()


def _file_head(boundary: str, name: str, filename: str, content_type: str) -> bytes:
    kind = content_type if content_type.isprintable() else "application/octet-stream"
    return (
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name.translate(_NAMES)}"; '
        f'filename="{filename.translate(_NAMES)}"\r\nContent-Type: {kind}\r\n\r\n'
    ).encode()
