"""Who may import whom."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT, SOURCE, parsed, relative

IMPORT_EVERYTHING = """
import importlib, json, pkgutil, socket, sys, threading
def refuse(*args, **kwargs):
    raise AssertionError("a module opened a socket when imported")
socket.socket.connect = refuse
socket.socket.bind = refuse
import companion
for found in pkgutil.walk_packages(companion.__path__, "companion."):
    if found.name.endswith("__main__"):
        continue
    importlib.import_module(found.name)
print(json.dumps({"threads": threading.active_count()}))
"""


def test_imports_keep_to_the_contract() -> None:
    # a process of its own: import-linter switches off the loggers of the one it runs in
    lint = "import importlinter.cli as cli; raise SystemExit(cli.lint_imports(no_cache=True))"
    done = subprocess.run(
        [sys.executable, "-c", lint], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    "path", sorted((SOURCE / "domain").rglob("*.py")), ids=lambda path: path.name
)
def test_domain_uses_the_standard_library_only(path: Path) -> None:
    foreign = {
        name.split(".")[0]
        for node in ast.walk(parsed(path))
        for name in _imported(node)
        if name.split(".")[0] not in {*sys.stdlib_module_names, "companion"}
    }
    assert not foreign, relative(path)


def test_importing_does_no_work(tmp_path: Path) -> None:
    """No file, socket, thread or output comes from importing all modules."""
    environment = os.environ | {"HOME": str(tmp_path), "COMPANION_DATA_DIR": str(tmp_path / "d")}
    done = subprocess.run(
        [sys.executable, "-B", "-c", IMPORT_EVERYTHING],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"threads": 1}
    assert list(tmp_path.iterdir()) == []


def test_a_running_app_holds_only_what_it_uses() -> None:
    """Each of these is megabytes: they are for PostgreSQL, Redis, Alembic, charts and prices."""
    heavy = ["alembic", "asyncpg", "genai_prices.data", "matplotlib", "redis", "throttled"]
    heavy += ["sqlalchemy.dialects.postgresql", "companion.playground"]
    code = f"import sys, companion.bootstrap; print([m for m in {heavy!r} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.module:
        return [node.module]
    return []
