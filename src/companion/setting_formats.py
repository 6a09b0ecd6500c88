"""How single settings are written: `20/60s`, `0-3`, ids, amounts, placeholders.

Each reader raises `ValueError` with words that follow the variable's name in a
sentence (“COMPANION_LIMIT_USER is not …”) and never repeat what was typed,
because what was typed may be a secret in the wrong place.
"""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import Final
from urllib.parse import SplitResult, urlsplit

from pydantic import SecretStr

from companion.limits.bucket_size import BucketSize
from companion.services.policy import OperatorKeyRule

PLACEHOLDERS: Final = re.compile(
    r"""(?ix)
    change.?(me|this|it).* | replace.?(me|this|with).* | fill.?(me.?)?in | insert.?.*here
    | (enter|put|paste)?.?your.?.*(token|key|secret|password|here) | .*(token|key|secret).here
    | (my|the|a|some).?(token|key|secret|password|api.?key|bot.?token)
    | example | placeholder | todo | tbd | undefined | secret | password | token
    | sk-(\.{3,}|…|x{3,}|your.*) | [x*.…_-]{3,} | <.*> | \$\{.*
    """
)
_RANGE: Final = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?")
_SEPARATORS: Final = re.compile(r"[,\s]+")
MOST_SHARDS: Final = 16_384


def read_bucket(text: str) -> BucketSize:
    """Read `20/60s`: how many tokens, and the time that refills them all."""
    try:
        return BucketSize.parse(text)
    except ValueError:
        raise ValueError("is not of the form 20/60s") from None


def read_shard_ids(text: str) -> tuple[int, ...]:
    """Read `0-3` or `0,2`: shard ids in ascending order."""
    ids: list[int] = []
    for part in _split(text):
        found = _RANGE.fullmatch(part)
        if not found:
            raise ValueError("is not of the form 0-3 or 0,2")
        first, last = int(found[1]), int(found[2] or found[1])
        if not first <= last < MOST_SHARDS:
            raise ValueError("has a range that runs backwards or too far")
        ids.extend(range(first, last + 1))
    if len(set(ids)) != len(ids) or not ids:
        raise ValueError("names a shard twice, or none")
    return tuple(sorted(ids))


def read_payers(text: str) -> OperatorKeyRule:
    """Read `everyone`, `nobody`, or Discord ids of servers and people."""
    try:
        return OperatorKeyRule.parse(text)
    except ValueError:
        raise ValueError("is neither everyone, nobody nor a list of Discord ids") from None


def read_micros(text: str) -> int:
    """Read an amount in US dollars as micro-dollars: `2.50`, `$10`."""
    try:
        amount = Decimal(text.strip().removeprefix("$").strip())
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or not 0 <= amount <= 10**9:
        raise ValueError("is not an amount in US dollars such as 2.50")
    return int(amount * 1_000_000)


def not_a_placeholder(secret: SecretStr) -> SecretStr:
    """Return the secret, trimmed, unless it is what a template says in place of one."""
    text = secret.get_secret_value().strip()
    _refuse_placeholder(text)
    return SecretStr(text)


def one_word(secret: SecretStr) -> SecretStr:
    """Return the secret when it can stand in an HTTP header."""
    text = secret.get_secret_value()
    if not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("holds blanks or characters that no token has")
    return secret


def password_is_real(url: SecretStr) -> SecretStr:
    """Return the URL unless the password in it is a placeholder."""
    password = _parts(url.get_secret_value()).password
    if password:
        _refuse_placeholder(password)
    return url


def redis_address(url: SecretStr) -> SecretStr:
    """Return the URL when it is one of Redis's."""
    if _parts(url.get_secret_value()).scheme not in {"redis", "rediss", "unix"}:
        raise ValueError("is not a Redis URL")
    return url


def http_url(text: str) -> str:
    """Return the URL without its trailing slash. It carries no name, password or query."""
    parts = _parts(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("is not an http(s) URL")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("holds more than scheme, host, port and path")
    return text.rstrip("/")


def without_version(url: str) -> str:
    """Return the URL unless it ends with an API version, which the client adds itself."""
    if re.search(r"/v\d+$", url):
        raise ValueError("ends with a version")
    return url


def _parts(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port  # parsed here, and refused here
    except ValueError:
        raise ValueError("is not a URL") from None
    return parts


def _refuse_placeholder(secret: str) -> None:
    if PLACEHOLDERS.fullmatch(secret.strip("\"' ")):
        raise ValueError("still holds the placeholder of a template")


def _split(text: str) -> list[str]:
    return [part for part in _SEPARATORS.split(text.strip()) if part]
