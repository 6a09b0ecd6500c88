"""What a provider sends, as far as we read it. Unknown fields are skipped undecoded."""

from __future__ import annotations

from typing import Final

import msgspec

from companion.domain.usage import Usage

_MOST_TOKENS: Final = 1_000_000_000
_ABSENT: Final = msgspec.Raw()


class ErrorBody(msgspec.Struct):
    """An error as OpenAI words it. `message` is read to classify it and never kept."""

    message: str | None = None
    type: str | None = None
    param: str | None = None
    code: str | int | None = None


class Text(msgspec.Struct):
    """A piece of the answer, or all of it. A refusal is text that the model wrote instead."""

    content: str | None = None
    refusal: str | None = None


class Choice(msgspec.Struct):
    """One choice: `delta` in a stream, `message` in a whole answer."""

    delta: Text | None = None
    message: Text | None = None
    finish_reason: str | None = None


class Chunk(msgspec.Struct):
    """One event of a stream, or a whole answer. What may be nonsense in it stays raw."""

    choices: list[Choice] = []
    usage: msgspec.Raw = _ABSENT
    error: msgspec.Raw = _ABSENT

    @property
    def failed(self) -> bool:
        """Whether it brings an error instead of text."""
        return is_there(self.error)


class ListedModel(msgspec.Struct):
    """One entry of `GET /models`. The sizes are fields of vLLM, OpenRouter and llama.cpp."""

    id: str
    created: float | None = None
    shutdown_date: str | None = None
    max_model_len: int | None = None
    context_length: int | None = None
    meta: dict[str, msgspec.Raw] | None = None


class ModelList(msgspec.Struct):
    """The answer to `GET /models`."""

    data: list[ListedModel]


class SpeechUsage(msgspec.Struct):
    """What a transcription used: tokens, or seconds that are left out here."""

    input_tokens: int | None = None
    output_tokens: int | None = None


class Transcription(msgspec.Struct):
    """The answer to `POST /audio/transcriptions`; the request id comes from its head."""

    text: str
    usage: SpeechUsage | None = None
    request_id: str | None = None


class _Details(msgspec.Struct):
    cached_tokens: int | None = None
    reasoning_tokens: int | None = None


class _UsageBody(msgspec.Struct):
    prompt_tokens: int
    completion_tokens: int
    prompt_tokens_details: _Details | None = None
    completion_tokens_details: _Details | None = None


decode_chunk: Final = msgspec.json.Decoder(Chunk).decode
decode_models: Final = msgspec.json.Decoder(ModelList).decode
decode_transcription: Final = msgspec.json.Decoder(Transcription).decode
_decode_usage: Final = msgspec.json.Decoder(_UsageBody).decode
_decode_error: Final = msgspec.json.Decoder(ErrorBody).decode


def is_there(raw: msgspec.Raw) -> bool:
    """Whether the field was sent, and is not null."""
    return bytes(raw) not in {b"", b"null"}


def read_usage(raw: msgspec.Raw) -> Usage | None:
    """Return the reported usage, or `None` when it is absent or cannot be true."""
    if not is_there(raw):
        return None
    try:
        body = _decode_usage(raw)
    except msgspec.DecodeError:
        return None
    read = Usage(
        prompt_tokens=body.prompt_tokens,
        completion_tokens=body.completion_tokens,
        cached_tokens=_detail(body.prompt_tokens_details, "cached_tokens"),
        reasoning_tokens=_detail(body.completion_tokens_details, "reasoning_tokens"),
    )
    counts = (read.prompt_tokens, read.completion_tokens, read.cached_tokens, read.reasoning_tokens)
    return read if all(0 <= count <= _MOST_TOKENS for count in counts) else None


def read_error(raw: object) -> ErrorBody:
    """Return an error object, raw or decoded; one of another shape has no fields."""
    try:
        if isinstance(raw, msgspec.Raw):
            return _decode_error(raw)
        return msgspec.convert(raw, ErrorBody)
    except (msgspec.DecodeError, msgspec.ValidationError):
        return ErrorBody()


def _detail(details: _Details | None, name: str) -> int:
    return (getattr(details, name) or 0) if details else 0
