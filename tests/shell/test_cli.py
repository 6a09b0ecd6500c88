from __future__ import annotations

import pytest
from typer.testing import CliRunner

from companion.cli import app
from tests.shell.processes import run

COMMANDS = (
    "run",
    "playground",
    "doctor",
    "version",
    "db",
    "db upgrade",
    "db downgrade",
    "db current",
    "db check",
    "keyring",
    "keyring new",
    "keyring list",
    "keyring rotate",
    "model",
    "model fetch",
    "tokens",
    "tokens create",
    "tokens list",
    "tokens revoke",
)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str) -> None:
    shown = CliRunner().invoke(app, [*command.split(), "--help"], prog_name="companion")
    assert shown.exit_code == 0
    assert f"companion {command}" in shown.output
    sentence = shown.output.split("\n\n")[1].strip()
    assert sentence.endswith(".")
    options = [line for line in shown.output.splitlines() if line.startswith("  --")]
    assert all(len(line.split()) > 2 for line in options), options


def test_overview_cuts_no_text_short() -> None:
    shown = CliRunner().invoke(app, ["--help"], prog_name="companion", terminal_width=80)
    assert all(command in shown.output for command in COMMANDS if " " not in command)
    assert "..." not in shown.output.partition("Commands:")[2]


@pytest.mark.parametrize(
    "arguments", [["run", "--nonsense"], ["dance"], ["playground", "--model", "huge"], ["db"]]
)
def test_wrong_usage_exits_with_2(arguments: list[str]) -> None:
    assert CliRunner().invoke(app, arguments).exit_code == 2


async def test_missing_token_is_one_sentence_and_2() -> None:
    ended = await run("run")
    assert ended.code == 2
    assert "DISCORD_TOKEN is not set" in ended.sentence
    assert ended.out == ""


async def test_wrong_setting_is_one_sentence_without_its_value() -> None:
    ended = await run("db", "check", OPENAI_API_KEY="sk-canary with blanks in it")
    assert ended.code == 2
    assert ended.sentence.startswith("companion: OPENAI_API_KEY holds blanks")
    assert "canary" not in ended.err


async def test_unreachable_database_is_one_sentence_and_3() -> None:
    url = "postgresql://companion:canary@127.0.0.1:1/companion"
    ended = await run("db", "current", DATABASE_URL=url)
    assert ended.code == 3
    assert "DATABASE_URL" in ended.sentence
    assert "canary" not in ended.err


async def test_version_names_the_main_dependencies() -> None:
    ended = await run("version")
    assert ended.code == 0
    assert {line.split()[0] for line in ended.out.splitlines()} >= {"companion", "python", "openai"}
