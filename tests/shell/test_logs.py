from __future__ import annotations

import io
import json
import logging
from typing import Any, Literal

import pytest
import structlog

from companion import logs

KNOWN = "correct horse/battery+staple"
BOT_TOKEN = "MTIzNDU2Nzg5MDEyMzQ1Njc4.GhIjKl.aBcDeFgHiJkLmNoPqRsTuVwXyZ0123456789AB"
CANARIES = {
    "openai": "sk-proj-canary0123456789abcdef",
    "ours": "cmp_canary0123456789abcdef",
    "bot": BOT_TOKEN,
    "interaction": "aW50ZXJhY3Rpb246MTIzNDU2Nzg5MDEyMzQ1Njc4OmNhbmFyeQ",
    "ring": "k2:Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5MTI=",
    "password": "hunter2canary",
    "webhook": "canaryTokenOfAWebhook0123456789",
    "bearer": "canaryBearerValue0123456789",
}
SENTENCES = (
    f"key {CANARIES['openai']} refused",
    f"token={CANARIES['ours']}",
    f"logging in with {CANARIES['bot']}",
    f"POST https://discord.com/api/v10/interactions/123456/{CANARIES['interaction']}/callback",
    f"PATCH https://discord.com/api/v10/webhooks/123456/{CANARIES['webhook']}/messages/@original",
    f"ring {CANARIES['ring']}",
    f"connecting to postgresql://companion:{CANARIES['password']}@db/companion",
    f"Authorization: Bearer {CANARIES['bearer']}",
)

Style = Literal["console", "json"]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Log:
    """What came out."""

    def __init__(self) -> None:
        self.stream: io.StringIO = io.StringIO()

    def configure(self, style: Style = "json", level: str = "DEBUG") -> None:
        logs.configure(level=level, style=style, secrets=[KNOWN], stream=self.stream)

    @property
    def text(self) -> str:
        return self.stream.getvalue()

    @property
    def rows(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.splitlines()]


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.mark.parametrize("style", ["console", "json"])
@pytest.mark.parametrize("sentence", SENTENCES)
def test_no_secret_comes_out_however_it_goes_in(log: Log, style: Style, sentence: str) -> None:
    log.configure(style)
    ours = structlog.get_logger("companion.test")
    ours.debug(sentence)
    ours.info("event", field=sentence, nested={"deep": [sentence]})
    logging.getLogger("discord.http").warning("%s", sentence)
    logging.getLogger("discord.http").info("extra", extra={"body": sentence})
    try:
        raise ValueError(sentence)
    except ValueError:
        ours.exception("failed")
        logging.getLogger("asyncio").exception("failed")
    assert log.text.count("ValueError") >= 2
    assert [name for name, canary in CANARIES.items() if canary in log.text] == []


@pytest.mark.parametrize("style", ["console", "json"])
def test_known_secret_is_hidden_whatever_it_looks_like(log: Log, style: Style) -> None:
    log.configure(style)
    structlog.get_logger("companion.test").info(
        "using", plain=KNOWN, quoted="correct%20horse/battery%2Bstaple"
    )
    assert "horse" not in log.text
    assert logs.HIDDEN in log.text


def test_traceback_shows_no_local_variables(log: Log) -> None:
    log.configure("console")
    key = "value-of-a-local-variable"
    try:
        raise ValueError(len(key))
    except ValueError:
        structlog.get_logger("companion.test").exception("failed")
    assert "ValueError: 25" in log.text
    assert "value-of-a-local" not in log.text.replace('key = "value-of-a-local-variable"', "")


@pytest.mark.parametrize("library", ["discord.gateway", "aiosqlite", "openai._base_client", "new"])
def test_libraries_are_never_heard_at_debug(log: Log, library: str) -> None:
    """Not even one that sets its own level after us, as openai does for OPENAI_LOG."""
    log.configure()
    logger = logging.getLogger(library)
    before = logger.level
    logger.setLevel(logging.DEBUG)
    logger.debug("the whole payload")
    logger.warning("that matters")
    logger.setLevel(before)
    assert [row["event"] for row in log.rows] == ["that matters"]


def test_our_own_debug_is_heard_when_asked_for(log: Log) -> None:
    log.configure(level="DEBUG")
    structlog.get_logger("companion.services.chat").debug("a detail")
    log.configure(level="INFO")
    structlog.get_logger("companion.services.chat").debug("not this one")
    assert [row["event"] for row in log.rows] == ["a detail"]


def test_json_line_has_time_level_logger_and_request_id(log: Log) -> None:
    log.configure()
    with structlog.contextvars.bound_contextvars(request_id="r-1"):
        structlog.get_logger("companion.bot").info("asked", model="m")
        logging.getLogger("companion.services").info("kept", extra={"rows": 3})
    first, second = log.rows
    assert first.items() >= {"event": "asked", "model": "m", "request_id": "r-1"}.items()
    assert second.items() >= {"event": "kept", "rows": 3, "request_id": "r-1"}.items()
    assert {"timestamp", "level", "logger"} <= first.keys() & second.keys()


def test_names_cannot_forge_lines_or_command_the_terminal(log: Log) -> None:
    log.configure("console")
    structlog.get_logger("companion.bot").info("joined", name="x\n2026 [error] \x1b[2J\u202eevil")
    assert len(log.text.splitlines()) == 1
    assert "\x1b" not in log.text
    assert "\u202e" not in log.text


def test_console_is_for_terminals_and_json_for_the_rest(log: Log) -> None:
    logs.configure(level="INFO", style=None, stream=log.stream)
    structlog.get_logger("companion.test").info("hello")
    assert log.rows[0]["event"] == "hello"
    log.stream = Terminal()
    logs.configure(level="INFO", style=None, stream=log.stream)
    structlog.get_logger("companion.test").info("hello")
    with pytest.raises(json.JSONDecodeError):
        _ = log.rows
