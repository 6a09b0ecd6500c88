"""What `/docs` says of OpenAI's routes. Bodies are OpenAI's, so only what is needed is named."""

from __future__ import annotations

from typing import Any, Final

TAG: Final = "OpenAI"
_ERROR: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["message", "type", "param", "code"],
            "properties": {
                "message": {"type": "string"},
                "type": {"type": "string"},
                "param": {"type": ["string", "null"]},
                "code": {"type": ["string", "null"]},
            },
        }
    },
}
_PROBLEMS: Final = {
    400: "The request can't be used as it is, or the provider did not accept it.",
    401: "No token, or not a valid one.",
    403: "The token or the key that pays may not do this.",
    404: "No such model.",
    409: "A request with this Idempotency-Key is being answered.",
    413: "Too large.",
    415: "The body has to be multipart/form-data, and never compressed.",
    429: "Too many requests, or no credit; `Retry-After` says when to come back.",
    431: "Too many headers.",
    500: "Something went wrong on our side.",
    502: "The provider failed.",
    503: "Overloaded or restarting; `Retry-After` says when to come back.",
    504: "The provider was too slow.",
}


def _problems() -> dict[int | str, dict[str, Any]]:
    return {
        status: {"description": words, "content": {"application/json": {"schema": _ERROR}}}
        for status, words in _PROBLEMS.items()
    }


def _docs(summary: str, answer: dict[str, Any], **more: Any) -> dict[str, Any]:
    responses = _problems()
    responses[200] = {"description": "OpenAI's answer.", "content": answer}
    return {"summary": summary, "responses": responses, **more}


def _json_answer(*required: str) -> dict[str, Any]:
    return {"application/json": {"schema": {"type": "object", "required": list(required)}}}


def _takes(kind: str, properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    schema = {"type": "object", "required": required, "properties": properties}
    body = {"required": True, "content": {kind: {"schema": schema}}}
    return {"openapi_extra": {"requestBody": body}}


_TEXT: Final = {"type": "string"}
_MODEL: Final = {"type": "string", "minLength": 1, "maxLength": 200}
_STREAM: Final = {"type": "boolean"}
_MESSAGES: Final = {
    "type": "array",
    "items": {"type": "object", "required": ["role"], "properties": {"role": _TEXT}},
}
_FILE: Final = {"type": "string", "format": "binary"}
_EVENT: Final = {
    "type": "object",
    "description": "One event: its data is a JSON object of OpenAI's, or `[DONE]`.",
    "required": ["data"],
    "properties": {"data": _TEXT},
}
_EVENTS: Final = {"text/event-stream": {"schema": _EVENT}}
_SPEECH: Final = _takes(
    "multipart/form-data",
    {"model": _MODEL, "file": _FILE, "response_format": _TEXT},
    ["model", "file"],
)
_SPOKEN: Final = {**_json_answer("text"), "text/plain": {"schema": _TEXT}}

DOCS: Final[dict[str, dict[str, Any]]] = {
    "models": _docs("List models", _json_answer("object", "data")),
    "models/{model_id:path}": _docs("Describe a model", _json_answer("id", "object")),
    "engines": _docs("List models as engines", _json_answer("object", "data"), deprecated=True),
    "engines/{engine_id:path}": _docs(
        "Describe a model as an engine", _json_answer("id", "object", "ready"), deprecated=True
    ),
    "chat/completions": _docs(
        "Chat, whole or streamed",
        {**_json_answer("choices"), **_EVENTS},
        **_takes(
            "application/json",
            {"model": _MODEL, "messages": _MESSAGES, "stream": _STREAM},
            ["model", "messages"],
        ),
    ),
    "completion": _docs(
        "Complete a text",
        {**_json_answer("choices"), **_EVENTS},
        deprecated=True,
        **_takes(
            "application/json",
            {"model": _MODEL, "prompt": _TEXT, "stream": _STREAM},
            ["model", "prompt"],
        ),
    ),
    "edits": _docs(
        "Change a text as told",
        _json_answer("object", "choices"),
        deprecated=True,
        **_takes(
            "application/json",
            {"model": _MODEL, "instruction": _TEXT, "input": _TEXT},
            ["instruction"],
        ),
    ),
    "images/generations": _docs(
        "Draw",
        {**_json_answer("data"), **_EVENTS},
        **_takes(
            "application/json",
            {"model": _MODEL, "prompt": _TEXT, "stream": _STREAM},
            ["prompt"],
        ),
    ),
    "images/edits": _docs(
        "Change a picture",
        {**_json_answer("data"), **_EVENTS},
        **_takes(
            "multipart/form-data",
            {"model": _MODEL, "image": _FILE, "mask": _FILE, "prompt": _TEXT},
            ["image", "prompt"],
        ),
    ),
    "audio/transcription": _docs("Write down speech", {**_SPOKEN, **_EVENTS}, **_SPEECH),
    "audio/translation": _docs("Translate speech into English", _SPOKEN, **_SPEECH),
}
