"""What a key or a model refuses, learned from the refusal and remembered.

A request is built for what is known; a refused field is left out (or renamed) and
the same request goes again. What was learned holds for that key, endpoint and model
as long as the process runs.
"""

from __future__ import annotations

from collections import OrderedDict
from enum import StrEnum
from typing import Any, Final

from companion.domain.chat import Adaptation
from companion.domain.models import Credential, ModelId
from companion.llm.endpoints import is_openai
from companion.llm.refusals import SYSTEM_ROLE
from companion.ports.llm import ChatCall, ChatMessage

REMEMBERED: Final = 2_000


class Quirk(StrEnum):
    """One thing that a key and model do not take."""

    NO_STREAM = "no_stream"
    NO_STREAM_OPTIONS = "no_stream_options"
    NO_TEMPERATURE = "no_temperature"
    OTHER_TOKENS_NAME = "other_tokens_name"
    NO_MAX_TOKENS = "no_max_tokens"
    NO_SYSTEM_ROLE = "no_system_role"
    NO_STORE = "no_store"
    NO_SAFETY_ID = "no_safety_id"


Quirks = frozenset[Quirk]

_TOKENS: Final = (Quirk.OTHER_TOKENS_NAME, Quirk.NO_MAX_TOKENS)
_LESSONS: Final[dict[str, tuple[Quirk, ...]]] = {
    "stream": (Quirk.NO_STREAM,),
    "stream_options": (Quirk.NO_STREAM_OPTIONS,),
    "temperature": (Quirk.NO_TEMPERATURE,),
    "max_tokens": _TOKENS,
    "max_completion_tokens": _TOKENS,
    SYSTEM_ROLE: (Quirk.NO_SYSTEM_ROLE,),
    "store": (Quirk.NO_STORE,),
    "safety_identifier": (Quirk.NO_SAFETY_ID,),
}
"""By the refused field: what to try, in this order."""


class Adaptations:
    """What was learned, by key, endpoint and model; the least used is forgotten first."""

    def __init__(self, remembered: int = REMEMBERED) -> None:
        self._remembered = remembered
        self._known: OrderedDict[tuple[str, str, str], Quirks] = OrderedDict()

    def of(self, credential: Credential, model: ModelId) -> Quirks:
        """Return what is known."""
        place = _place(credential, model)
        if place in self._known:
            self._known.move_to_end(place)
        return self._known.get(place, Quirks())

    def learn(self, credential: Credential, model: ModelId, field: str, sent: Quirks) -> bool:
        """Note that `field` was refused in a request built for `sent`; false when at wits' end."""
        lesson = next((quirk for quirk in _LESSONS.get(field, ()) if quirk not in sent), None)
        if lesson is None:
            return False
        place = _place(credential, model)
        self._known[place] = self._known.get(place, Quirks()) | {lesson}
        self._known.move_to_end(place)
        if len(self._known) > self._remembered:
            self._known.popitem(last=False)
        return True


def chat_fields(call: ChatCall, quirks: Quirks, base_url: str) -> dict[str, Any]:
    """Return the request's fields for what is known to be refused."""
    openai = is_openai(base_url)
    fields: dict[str, Any] = {
        "model": call.model,
        "messages": _messages(call.messages, merge_system=Quirk.NO_SYSTEM_ROLE in quirks),
    }
    if Quirk.NO_STREAM not in quirks:
        fields["stream"] = True
        if Quirk.NO_STREAM_OPTIONS not in quirks:
            fields["stream_options"] = {"include_usage": True}
    if call.temperature is not None and Quirk.NO_TEMPERATURE not in quirks:
        fields["temperature"] = call.temperature
    if call.max_tokens is not None and Quirk.NO_MAX_TOKENS not in quirks:
        # reasoning models take the newer name only; most other servers know the older one
        newer = openai != (Quirk.OTHER_TOKENS_NAME in quirks)
        fields["max_completion_tokens" if newer else "max_tokens"] = call.max_tokens
    if Quirk.NO_STORE not in quirks:
        fields["store"] = False
    if openai and call.safety_id is not None and Quirk.NO_SAFETY_ID not in quirks:
        fields["safety_identifier"] = call.safety_id
    return fields


def noticed(call: ChatCall, quirks: Quirks) -> tuple[Adaptation, ...]:
    """Return what the person asked for or would see, and did not get."""
    left_out = (
        (Adaptation.STREAMING, Quirk.NO_STREAM in quirks),
        (Adaptation.TEMPERATURE, Quirk.NO_TEMPERATURE in quirks and call.temperature is not None),
        (Adaptation.MAX_TOKENS, Quirk.NO_MAX_TOKENS in quirks and call.max_tokens is not None),
    )
    return tuple(adaptation for adaptation, applies in left_out if applies)


def _place(credential: Credential, model: ModelId) -> tuple[str, str, str]:
    return (credential.fingerprint, credential.base_url, model)


def _messages(messages: tuple[ChatMessage, ...], *, merge_system: bool) -> list[dict[str, Any]]:
    if not merge_system:
        return [{"role": message.role, "content": _content(message)} for message in messages]
    # such models still follow instructions that stand before the first thing the user says
    rules = "\n\n".join(message.text for message in messages if message.role == "system")
    spoken = [message for message in messages if message.role != "system"]
    first = next((m for m in spoken if m.role == "user"), None)
    return [
        {"role": message.role, "content": _content(message, rules if message is first else "")}
        for message in spoken
    ]


def _content(message: ChatMessage, before: str = "") -> str | list[dict[str, Any]]:
    text = f"{before}\n\n{message.text}" if before else message.text
    if not message.images:
        return text
    images = [{"type": "image_url", "image_url": {"url": i.data_url}} for i in message.images]
    return [{"type": "text", "text": text}, *images]
