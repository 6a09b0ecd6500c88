"""The rules of embeds ("Embed Limits", Discord's documents)."""

from __future__ import annotations

from urllib.parse import urlsplit

from companion.playground.api_errors import FormErrors
from companion.playground.wire import JsonObject, as_list, as_object

_LIMITS = (("title", 256), ("description", 4096))
_NESTED_LIMITS = (("footer", "text", 2048), ("author", "name", 256))
_EMBEDS = 10
_FIELDS = 25
_FIELD_LIMITS = (("name", 256), ("value", 1024))
_TOTAL = 6000
_MAX_COLOUR = 0xFFFFFF


def check_embeds(value: object, errors: FormErrors) -> list[JsonObject]:
    """Return the embeds as Discord stores them; what is wrong goes to `errors`."""
    if value is None:
        return []
    embeds = as_list(value)
    if embeds is None:
        errors.add(("embeds",), "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType")
        return []
    if len(embeds) > _EMBEDS:
        errors.too_long(("embeds",), _EMBEDS)
    checked = [_check(as_object(embed) or {}, index, errors) for index, embed in enumerate(embeds)]
    if sum(map(_size, checked)) > _TOTAL:
        message = f"Embed size exceeds maximum size of {_TOTAL}"
        errors.add(("embeds",), "MAX_EMBED_SIZE_EXCEEDED", message)
    return checked


def _check(embed: JsonObject, index: int, errors: FormErrors) -> JsonObject:
    path = ("embeds", index)
    for name, limit in _LIMITS:
        if len(str(embed.get(name) or "")) > limit:
            errors.too_long((*path, name), limit)
    for outer, inner, limit in _NESTED_LIMITS:
        if len(str((as_object(embed.get(outer)) or {}).get(inner) or "")) > limit:
            errors.too_long((*path, outer, inner), limit)
    _check_fields(embed, path, errors)
    _check_urls(embed, path, errors)
    colour = embed.get("color")
    if isinstance(colour, int) and not 0 <= colour <= _MAX_COLOUR:
        message = f"int value should be less than or equal to {_MAX_COLOUR}."
        errors.add((*path, "color"), "NUMBER_TYPE_MAX", message)
    return {"type": "rich", **embed}


def _check_fields(embed: JsonObject, path: tuple[str | int, ...], errors: FormErrors) -> None:
    fields = as_list(embed.get("fields")) or []
    if len(fields) > _FIELDS:
        errors.too_long((*path, "fields"), _FIELDS)
    for number, field in enumerate(fields):
        for name, limit in _FIELD_LIMITS:
            text = str((as_object(field) or {}).get(name) or "")
            if not text:
                errors.required((*path, "fields", number, name))
            elif len(text) > limit:
                errors.too_long((*path, "fields", number, name), limit)


def _check_urls(embed: JsonObject, path: tuple[str | int, ...], errors: FormErrors) -> None:
    places = [("url",), ("image", "url"), ("thumbnail", "url"), ("author", "url")]
    for place in places:
        holder = embed if len(place) == 1 else as_object(embed.get(place[0])) or {}
        url = holder.get("url")
        schemes = {"http", "https", *(() if len(place) == 1 else ("attachment",))}
        if url and urlsplit(str(url)).scheme not in schemes:
            message = f"Scheme \"{urlsplit(str(url)).scheme}\" must be one of ('http', 'https')."
            errors.add((*path, *place), "URL_TYPE_INVALID_SCHEME", message)


def _size(embed: JsonObject) -> int:
    texts = [embed.get(name) for name, _ in _LIMITS]
    texts += [(as_object(embed.get(o)) or {}).get(i) for o, i, _ in _NESTED_LIMITS]
    for field in as_list(embed.get("fields")) or []:
        texts += [(as_object(field) or {}).get(name) for name, _ in _FIELD_LIMITS]
    return sum(len(str(text)) for text in texts if text)
