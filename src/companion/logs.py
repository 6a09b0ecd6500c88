"""Structured logs that hold no secret, whatever the level.

Three walls, because one of them will have a hole one day: our own events carry
fields, never prompts or keys; libraries are heard from INFO upwards only (py-cord at
DEBUG prints modal contents, aiosqlite prints every statement); and the finished line
is searched for known secrets and for what looks like one.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Iterable, MutableMapping
from typing import Any, Final, Literal, TextIO
from urllib.parse import quote

import structlog
from structlog.typing import Processor

OURS: Final = "companion"
CLAMPED: Final = (
    "discord",
    "openai",
    "httpx",
    "httpx2",
    "httpcore",
    "aiohttp",
    "aiosqlite",
    "asyncpg",
    "sqlalchemy",
)
TALKATIVE: Final = ("httpx", "httpx2", "httpcore", "sqlalchemy", "alembic", "uvicorn")
HIDDEN: Final = "[hidden]"
SHORTEST_SECRET: Final = 6
"""Shorter known values are not looked for: they would blank out ordinary words."""

LIKE_A_SECRET: Final = re.compile(
    r"""(?x)
    sk-[A-Za-z0-9_-]{10,}                                            # OpenAI, and who copies it
    | cmp_[A-Za-z0-9_-]{10,}                                         # our own API tokens
    | [A-Za-z0-9_-]{20,30}\.[A-Za-z0-9_-]{6,7}\.[A-Za-z0-9_-]{27,}   # Discord bot token
    | aW50ZXJhY3Rpb246[A-Za-z0-9_-]{20,}                             # interaction token
    | (?<=/webhooks/)\d+/[A-Za-z0-9_.-]{16,}                         # … and where it is used
    | (?<=/interactions/)\d+/[A-Za-z0-9_.-]{16,}
    | (?i:(?<=bearer\ )|(?<=bot\ ))[A-Za-z0-9_.~+/-]{16,}=*          # authorization headers
    | \bk[0-9]{1,3}:[A-Za-z0-9+/_-]{43}=?                            # entry of a key ring
    | (?<=://)[^/\s:@"']*:[^/\s@"']+(?=@)                            # user:password@ in a URL
    | -----BEGIN[ ][A-Z ]*PRIVATE[ ]KEY-----.*?(?:-----END|$)
    """
)
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


class Redaction:
    """Blanks out secrets in text: the known ones by value, the others by their looks."""

    def __init__(self, known: Iterable[str]) -> None:
        spellings = {
            spelling
            for one in known
            if len(one) >= SHORTEST_SECRET
            for spelling in (one, quote(one), json.dumps(one)[1:-1])
        }
        longest_first = sorted(spellings, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, longest_first)) or r"(?!)")

    def __call__(self, text: str) -> str:
        """Return the text without secrets."""
        return LIKE_A_SECRET.sub(HIDDEN, self._known.sub(HIDDEN, text))


class _RedactingFormatter(structlog.stdlib.ProcessorFormatter):
    """Redacts the finished line, so tracebacks and odd fields are covered too."""

    redaction: Redaction

    def format(self, record: logging.LogRecord) -> str:
        return self.redaction(super().format(record))


def configure(
    *,
    level: str,
    style: Literal["console", "json"] | None,
    secrets: Iterable[str] = (),
    stream: TextIO | None = None,
) -> None:
    """Send all logs of the process to `stream` (standard error), as one line each.

    Without a style: for people on a terminal, else JSON.
    """
    output = sys.stderr if stream is None else stream
    terminal = output.isatty()
    formatter = _formatter(style or ("console" if terminal else "json"), terminal)
    formatter.redaction = Redaction(secrets)
    handler = logging.StreamHandler(output)
    handler.setFormatter(formatter)
    handler.addFilter(_ours_or_from_info)
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(max(logging.INFO, logging.getLevelNamesMapping()[level]))
    logging.getLogger(OURS).setLevel(level)
    for name in CLAMPED:
        logging.getLogger(name).setLevel(root.level)
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(max(root.level, logging.WARNING))
    logging.captureWarnings(True)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_shared(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
    )


def _ours_or_from_info(record: logging.LogRecord) -> bool:
    # libraries set their own levels (openai reads OPENAI_LOG when imported): this has the last word
    return record.levelno >= logging.INFO or record.name.split(".")[0] == OURS


def _shared() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.UnicodeDecoder(),
    ]


def _formatter(style: Literal["console", "json"], terminal: bool) -> _RedactingFormatter:
    renderers: list[Processor] = (
        [
            _plain_text,
            structlog.dev.ConsoleRenderer(
                colors=terminal,
                # the default one prints local variables, and with them keys
                exception_formatter=structlog.dev.plain_traceback,
            ),
        ]
        if style == "console"
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(default=repr)]
    )
    return _RedactingFormatter(
        foreign_pre_chain=[*_shared(), structlog.stdlib.ExtraAdder()],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderers],
    )


def _plain_text(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Show control characters instead of obeying them: a name may hold terminal commands."""
    for name, value in event.items():
        if isinstance(value, str) and name != "stack":
            event[name] = _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", value)
    return event
