"""JSON as it travels.

Discord's bodies are open-ended documents, so inside this package an object is a
plain dictionary; what people and tests use are the dataclasses of `state`.
"""

from __future__ import annotations

from typing import Any, cast

import msgspec

JsonObject = dict[str, Any]
JsonBody = JsonObject | list[Any]

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder()


def encode(value: object) -> bytes:
    """Return the JSON text of a value."""
    return _encoder.encode(value)


def decode(text: bytes | str) -> object:
    """Return the value of a JSON text. Raises `msgspec.DecodeError`."""
    return cast("object", _decoder.decode(text))


def as_object(value: object) -> JsonObject | None:
    """Return the value when it is a JSON object."""
    return cast("JsonObject", value) if isinstance(value, dict) else None


def as_list(value: object) -> list[Any] | None:
    """Return the value when it is a JSON array."""
    return cast("list[Any]", value) if isinstance(value, list) else None


def objects(value: object) -> list[JsonObject]:
    """Return the objects in an array; none when it is no array."""
    return [item for item in map(as_object, as_list(value) or ()) if item is not None]


def as_int(value: object) -> int | None:
    """Return a whole number or a snowflake given as text; `None` when it is neither."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 20:  # noqa: PLR2004
        return int(value)
    return None
