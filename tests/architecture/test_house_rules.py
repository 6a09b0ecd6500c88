"""Rules about every file: size, last resorts, what must not be committed."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT, committed, parsed, python_files, relative

LONGEST_FILE = 400
LONGEST_FUNCTION = 60

LAST_RESORTS = {
    "src/companion/api/envelope.py",
    "src/companion/bot/hooks.py",
    "src/companion/cli.py",
}
"""Where an `except Exception` may stand: the HTTP door, the bot's hooks, and main."""

VAGUE_NAMES = {"utils", "util", "helpers", "helper", "common", "base", "manager", "misc"}

NOT_FOR_A_COMMIT = re.compile(
    "|".join(
        (
            r"py" + r"pi\.org",
            r"python" + r"hosted",
            r"registry\.npm" + "js",
            r"--(extra-)?index" + "-url ",
            r"/wor" + r"k/(main|shared|venv)",
            r"/tm" + "p/build",
        )
    )
)
TEXT = {".py", ".md", ".toml", ".txt", ".yml", ".yaml", ".js", ".css", ".html", ".ini", ".cfg", ""}


@pytest.mark.parametrize("path", python_files("src", "tests", "benchmarks"), ids=relative)
def test_no_file_grows_over_the_cap(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST_FILE


@pytest.mark.parametrize("path", python_files("src"), ids=relative)
def test_no_function_grows_over_the_cap(path: Path) -> None:
    long = {
        node.name: (node.end_lineno or 0) - node.lineno + 1
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno + 1 > LONGEST_FUNCTION
    }
    assert not long


def test_modules_are_named_for_what_they_own() -> None:
    assert [relative(p) for p in python_files("src", "tests") if p.stem in VAGUE_NAMES] == []


def test_broad_excepts_stand_only_at_the_last_resorts() -> None:
    found = {
        relative(path)
        for path in python_files("src")
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.ExceptHandler) and _is_broad(node)
    }
    assert found <= LAST_RESORTS


def test_nothing_of_one_machine_is_committed() -> None:
    found = [
        f"{relative(path)}:{number}"
        for path in committed()
        if path.suffix in TEXT
        for number, line in enumerate(
            path.read_text(encoding="utf-8", errors="replace").splitlines(), 1
        )
        if NOT_FOR_A_COMMIT.search(line)
    ]
    assert found == []


def test_no_lock_file_with_addresses_is_committed() -> None:
    assert [p.name for p in committed() if p.name in {"uv.lock", "package-lock.json"}] == []


def test_pins_carry_hashes() -> None:
    for path in (ROOT / "requirements").glob("*.txt"):
        text = path.read_text(encoding="utf-8")
        pins = re.findall(r"^[A-Za-z0-9][\w.\-\[\]]*==", text, flags=re.MULTILINE)
        hashed = re.findall(r"^[A-Za-z0-9][^\n]*\\\n    --hash=sha256:", text, flags=re.MULTILINE)
        assert pins, path.name
        assert len(pins) == len(hashed), path.name


def _is_broad(handler: ast.ExceptHandler) -> bool:
    return handler.type is None or any(
        isinstance(name, ast.Name) and name.id in {"Exception", "BaseException"}
        for name in ast.walk(handler.type)
    )
