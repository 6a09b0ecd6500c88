"""What an app wants a message to be: the body of a create or edit, checked.

"Create Message", "Edit Message" and "Message Object" in Discord's documents. A draft
keeps only what the body says; for an edit, what is left out stays as it was.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from companion.playground import components as component_rules
from companion.playground.api_errors import ApiError, FormErrors, Problem
from companion.playground.calls import Call, UploadedFile
from companion.playground.embeds import check_embeds
from companion.playground.mentions import AllowedMentions, read_allowed_mentions
from companion.playground.state import Message
from companion.playground.vocabulary import MessageFlag
from companion.playground.wire import JsonObject, as_int, as_list, as_object, objects

CONTENT_LIMIT = 2000
FILES_LIMIT = 10
FILE_SIZE_LIMIT = 10 * 1024 * 1024
_SETTABLE = (
    MessageFlag.SUPPRESS_EMBEDS | MessageFlag.SUPPRESS_NOTIFICATIONS | MessageFlag.IS_COMPONENTS_V2
)
_LEGACY_ONLY = ("content", "embeds", "poll", "sticker_ids", "stickers")


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A checked body. `None` means: not said."""

    content: str | None = None
    embeds: list[JsonObject] | None = None
    components: list[JsonObject] | None = None
    flags: MessageFlag | None = None
    ephemeral: bool = False
    tts: bool = False
    allowed_mentions: AllowedMentions | None = None
    kept_attachments: list[JsonObject] | None = None
    files: tuple[UploadedFile, ...] = ()
    reply_to: int | None = None
    reply_must_exist: bool = True
    nonce: str | int | None = None
    enforce_nonce: bool = False
    fields: frozenset[str] = field(default_factory=frozenset[str])


def read_draft(call: Call, body: JsonObject | None = None, *, old: Message | None = None) -> Draft:
    """Check a body and return what it says. Raises `ApiError` (50035, 40005)."""
    said = call.json() if body is None else body
    errors = FormErrors()
    flags = _flags(said, errors)
    v2 = _is_v2(flags, old)
    _check_content(said, errors)
    embeds = check_embeds(said.get("embeds"), errors)
    components = component_rules.check_message_components(said.get("components"), errors, v2=v2)
    if v2:
        _refuse_legacy_fields(said, errors)
    allowed = read_allowed_mentions(said.get("allowed_mentions"), errors)
    _check_files(call.files, said, errors)
    nonce = _nonce(said, errors)
    errors.raise_if_any()
    reference = as_object(said.get("message_reference")) or {}
    return Draft(
        content=_content(said),
        embeds=embeds if "embeds" in said else None,
        components=components if "components" in said else None,
        flags=None if flags is None else flags & _SETTABLE,
        ephemeral=flags is not None and MessageFlag.EPHEMERAL in flags,
        tts=bool(said.get("tts")),
        allowed_mentions=allowed,
        kept_attachments=objects(said["attachments"])
        if said.get("attachments") is not None
        else None,
        files=call.files,
        reply_to=as_int(reference.get("message_id")),
        reply_must_exist=reference.get("fail_if_not_exists", True) is not False,
        nonce=nonce,
        enforce_nonce=said.get("enforce_nonce") is True,
        fields=frozenset(said),
    )


def _is_v2(flags: MessageFlag | None, old: Message | None) -> bool:
    if flags is not None and MessageFlag.IS_COMPONENTS_V2 in flags:
        return True
    return old is not None and MessageFlag.IS_COMPONENTS_V2 in old.flags


def _flags(said: JsonObject, errors: FormErrors) -> MessageFlag | None:
    value = said.get("flags")
    if value is None:
        return None
    number = as_int(value)
    if number is None:
        errors.add(("flags",), "NUMBER_TYPE_COERCE", f'Value "{value}" is not int.')
        return None
    return MessageFlag(number)


def _check_content(said: JsonObject, errors: FormErrors) -> None:
    content = said.get("content")
    if content is None:
        return
    if not isinstance(content, str | int | float):
        errors.add(("content",), "STRING_TYPE_CONVERT", "Could not interpret as string.")
    elif len(str(content)) > CONTENT_LIMIT:
        errors.too_long(("content",), CONTENT_LIMIT)


def _content(said: JsonObject) -> str | None:
    if "content" not in said:
        return None
    # Discord trims what it stores.
    return str(said["content"] if said["content"] is not None else "").strip()


def _refuse_legacy_fields(said: JsonObject, errors: FormErrors) -> None:
    for name in _LEGACY_ONLY:
        if said.get(name):
            errors.add(
                (name,),
                "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2",
                f"The '{name}' field cannot be used when using MessageFlags.IS_COMPONENTS_V2",
            )


def _check_files(files: tuple[UploadedFile, ...], said: JsonObject, errors: FormErrors) -> None:
    if any(len(file.content) > FILE_SIZE_LIMIT for file in files):
        raise ApiError(Problem.TOO_LARGE)
    listed = as_list(said.get("attachments")) or []
    if max(len(files), len(listed)) > FILES_LIMIT:
        errors.too_long(("attachments",), FILES_LIMIT)


def _nonce(said: JsonObject, errors: FormErrors) -> str | int | None:
    nonce = said.get("nonce")
    if nonce is None or isinstance(nonce, int):
        return nonce
    if isinstance(nonce, str) and len(nonce) <= 25:  # noqa: PLR2004
        return nonce
    errors.too_long(("nonce",), 25)
    return None
