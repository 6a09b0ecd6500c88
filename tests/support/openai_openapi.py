"""Checks requests against OpenAI's published API description, where a copy is at hand.

The description lies beside the repository, not in it. Without it nothing is
checked. It is 3 MB of JSON: loaded once a process, at the first request.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, ValidationError

DESCRIPTION = Path(__file__).resolve().parents[3] / "shared" / "openai-openapi.json"
CHAT_REQUEST = "CreateChatCompletionRequest"


def problems_of_chat_request(body: dict[str, Any]) -> list[str]:
    """Return what OpenAI would object to, empty when nothing or when no description is there."""
    return problems_of_request(CHAT_REQUEST, body)


def problems_of_request(name: str, body: dict[str, Any]) -> list[str]:
    """Return the same for any request that is described under that name."""
    if not DESCRIPTION.is_file():
        return []
    errors: Iterable[ValidationError] = _validator(name).iter_errors(body)
    found = [f"{error.json_path}: {error.validator}" for error in errors]
    # the description forbids no extra fields, the real API does
    unknown = sorted(body.keys() - _fields(name))
    return found + [f"{field}: unknown field" for field in unknown]


@cache
def _schemas() -> dict[str, Any]:
    return json.loads(DESCRIPTION.read_bytes())["components"]["schemas"]


@cache
def _validator(name: str) -> Any:  # jsonschema's own types are half unknown
    return Draft202012Validator(
        {"$ref": f"#/components/schemas/{name}", "components": {"schemas": _schemas()}}
    )


@cache
def _fields(name: str) -> frozenset[str]:
    return frozenset(_properties(_schemas()[name]))


def _properties(schema: dict[str, Any]) -> set[str]:
    if "$ref" in schema:
        return _properties(_schemas()[schema["$ref"].rsplit("/", 1)[1]])
    inherited = (_properties(part) for part in schema.get("allOf", ()))
    return set(schema.get("properties", {})).union(*inherited)
