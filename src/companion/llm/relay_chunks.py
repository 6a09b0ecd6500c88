"""What is read of an answer that goes on to the client as it is."""

from __future__ import annotations

from typing import Final

import msgspec

from companion.domain.usage import Usage
from companion.llm.chunks import Text, is_there, read_usage

_ABSENT: Final = msgspec.Raw()
_MOST_TOKENS: Final = 1_000_000_000
ENDS: Final = frozenset(
    {"image_generation.completed", "image_edit.completed", "transcript.text.done"}
)
"""Types of the events that end a stream of pictures or of a transcript."""


class Choice(msgspec.Struct):
    """One choice of a chat (`delta`, `message`) or of a text completion (`text`)."""

    delta: Text | None = None
    message: Text | None = None
    text: str | None = None
    finish_reason: str | None = None

    @property
    def said(self) -> str:
        """The text in it."""
        words = self.delta or self.message
        return (words.content or words.refusal if words else self.text) or ""


class Relayed(msgspec.Struct):
    """One event of a stream, or a whole answer."""

    choices: list[Choice] = []
    usage: msgspec.Raw = _ABSENT
    error: msgspec.Raw = _ABSENT
    type: str | None = None
    delta: str | None = None
    text: str | None = None

    @property
    def failed(self) -> bool:
        """Whether it brings an error."""
        return is_there(self.error)

    @property
    def only_reports(self) -> bool:
        """Whether usage is all it brings."""
        return not self.choices and is_there(self.usage)

    @property
    def said(self) -> str:
        """The text in it: of all choices, or of a transcript."""
        if self.choices:
            return "".join([choice.said for choice in self.choices])
        return self.delta or ""


class _Failure(msgspec.Struct):
    error: msgspec.Raw = _ABSENT


class _NewerUsage(msgspec.Struct):
    input_tokens: int
    output_tokens: int


decode_relayed: Final = msgspec.json.Decoder(Relayed).decode
_decode_failure: Final = msgspec.json.Decoder(_Failure).decode
_decode_newer: Final = msgspec.json.Decoder(_NewerUsage).decode


def refusal_in(body: bytes) -> msgspec.Raw:
    """Return the error object of a refusal; nothing when it is of another shape."""
    try:
        return _decode_failure(body).error
    except (msgspec.DecodeError, RecursionError):
        return _ABSENT


def usage_in(raw: msgspec.Raw) -> Usage | None:
    """Return the usage of a chat, a picture or a transcript; a length of time is none."""
    if not is_there(raw):
        return None
    if (usage := read_usage(raw)) is not None:
        return usage
    try:
        newer = _decode_newer(raw)
    except msgspec.DecodeError:
        return None
    counts = (newer.input_tokens, newer.output_tokens)
    if not all(0 <= count <= _MOST_TOKENS for count in counts):
        return None
    return Usage(prompt_tokens=newer.input_tokens, completion_tokens=newer.output_tokens)
