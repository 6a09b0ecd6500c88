"""Reading what a client sends: JSON whose values stay bytes, files that never lie in memory.

Who pays, where it goes and which headers go along is ours to say, so fields that would are
refused. All others go on unread.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from dataclasses import dataclass
from itertools import chain
from typing import Final

import msgspec
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request

from companion.api.errors import Problem
from companion.domain.models import ModelId
from companion.ports.relay import Form, Upload

LARGEST_FORM: Final = 64 * 2**20
"""Bytes of all files of one request: a few pictures, or OpenAI's largest recording twice."""
LARGEST_FIELD: Final = 256 * 1024
MOST_FILES: Final = 20
MOST_FIELDS: Final = 100
OURS: Final = frozenset(
    {
        "api_base",
        "api_key",
        "api_type",
        "api_version",
        "base_url",
        "custom_llm_provider",
        "extra_body",
        "extra_headers",
        "extra_query",
        "headers",
        "organization",
        "payer",
        "project",
    }
)
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_LONGEST_MODEL: Final = 200
_PIECE: Final = 128 * 1024
_decode: Final = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode_text: Final = msgspec.json.Decoder(str).decode


async def read_json(request: Request) -> dict[str, bytes]:
    """Return the fields of a JSON object, values undecoded; raises `Problem`."""
    try:
        fields = _decode(await request.body())
    except (msgspec.DecodeError, RecursionError):
        raise Problem(400, "The body is no JSON object.", code="invalid_json") from None
    _refuse_ours(fields.keys())
    return {name: bytes(value) for name, value in fields.items()}


def model_of(fields: dict[str, bytes], default: ModelId | None = None) -> ModelId:
    """Return the model that is asked for; raises `Problem`."""
    if "model" not in fields and default is not None:
        return default
    try:
        return _checked_model(_decode_text(fields.get("model", b"null")))
    except msgspec.DecodeError:
        raise _no_model() from None


def text_of(fields: dict[str, bytes], name: str, default: str | None = None) -> str:
    """Return a field that has to be a text; raises `Problem`."""
    if name not in fields and default is not None:
        return default
    try:
        return _decode_text(fields.get(name, b"null"))
    except msgspec.DecodeError:
        raise Problem(400, f"{name} has to be a text.", param=name) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadForm:
    """A multipart body that was read: its files lie on disk until it is closed."""

    form: Form
    model: ModelId
    streams: bool
    data: FormData

    def value(self, name: str) -> str | None:
        """Return a field's value."""
        return next((value for key, value in self.form.fields if key == name), None)


async def read_form(request: Request, file: str, default_model: ModelId | None = None) -> ReadForm:
    """Read a multipart body, files to disk; raises `Problem`. Close its `data`.

    `file` names the field that has to be a file.
    """
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise Problem(415, "The body has to be multipart/form-data.")
    parser = MultiPartParser(
        request.headers,
        _bounded(request),
        max_files=MOST_FILES,
        max_fields=MOST_FIELDS,
        max_part_size=LARGEST_FIELD,
    )
    try:
        data = await parser.parse()
    except MultiPartException:
        raise Problem(400, "The multipart body can't be read.") from None
    except ClientDisconnect:
        raise Problem(400, "The body ended early.") from None
    try:
        return _checked_form(data, file, default_model)
    except Problem:
        await data.close()
        raise


def _checked_form(data: FormData, file: str, default_model: ModelId | None) -> ReadForm:
    items = data.multi_items()
    fields = tuple((name, value) for name, value in items if isinstance(value, str))
    files = tuple(
        SpooledUpload(name, value) for name, value in items if isinstance(value, UploadFile)
    )
    names = {name.removesuffix("[]") for name, _ in items}
    _refuse_ours(names)
    heads = ((each.filename, each.content_type) for each in files)
    _refuse_controls([*names, *chain.from_iterable(heads)])
    if file not in {each.name.removesuffix("[]") for each in files}:
        raise Problem(400, f"{file} is missing: it has to be a file.", param=file)
    values = dict(fields)
    default = default_model or ""
    return ReadForm(
        form=Form(fields=fields, files=files),
        model=_checked_model(values.get("model", default)),
        streams=values.get("stream") == "true",
        data=data,
    )


class SpooledUpload(Upload):
    """A file of a form, in a temporary file on disk once it is larger than 1 MiB."""

    def __init__(self, name: str, file: UploadFile) -> None:
        self._name = name
        self._file = file

    @property
    def name(self) -> str:
        """The field's name."""
        return self._name

    @property
    def filename(self) -> str:
        """The file's name."""
        return self._file.filename or "file"

    @property
    def content_type(self) -> str:
        """Its declared type."""
        return self._file.content_type or "application/octet-stream"

    @property
    def size(self) -> int:
        """Its bytes."""
        return self._file.size or 0

    async def pieces(self) -> AsyncIterator[bytes]:
        """Read it from its start."""
        await self._file.seek(0)
        while piece := await self._file.read(_PIECE):
            yield piece


async def _bounded(request: Request) -> AsyncGenerator[bytes]:
    size = 0
    async for piece in request.stream():
        size += len(piece)
        if size > LARGEST_FORM:
            raise Problem(413, f"The files are too large: {LARGEST_FORM:,} bytes are allowed.")
        yield piece


def _refuse_ours(names: Iterable[str]) -> None:
    found = sorted(OURS.intersection(names))
    if found:
        raise Problem(
            422,
            f"{found[0]} can't be set by a request.",
            code="unsupported_parameter",
            param=found[0],
        )


def _refuse_controls(names: Iterable[str]) -> None:
    """Names go on in the heads of a form's parts, where control characters can't stand."""
    if any(_CONTROL.search(name) for name in names):
        raise Problem(400, "A name in the multipart body has characters that can't be sent.")


def _checked_model(model: str) -> ModelId:
    if not 0 < len(model) <= _LONGEST_MODEL or not model.isprintable():
        raise _no_model()
    return ModelId(model)


def _no_model() -> Problem:
    return Problem(400, "Say which model to use.", code="missing_required_parameter", param="model")
