#!/usr/bin/env python3
"""Set up and run Companion from a checkout, with nothing but Python, pip and git.

    python3 dev.py play     try it: the playground, answering from a model on this machine
    python3 dev.py test     run the tests (arguments after it go to pytest)
    python3 dev.py check    lint, formatting, types
    python3 dev.py pin      write requirements/*.txt anew from pyproject.toml

Each keeps its own virtual environment under .venv/, made at the first run and
brought up to date when the pins change.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent
PINS = ROOT / "requirements"
EXTRAS = {
    "app": ["postgres", "redis"],
    "play": ["local"],
    "test": ["test", "local", "redis", "charts"],
}
WORKERS = ["-n", "2", "--dist", "worksteal"]
"""Whoever is done takes over half of what another still has: no process works alone in the end."""


def main(arguments: list[str]) -> int:
    """Run one of the tasks; return its exit code."""
    if sys.version_info < (3, 11):
        print("Companion needs Python 3.11 or newer; this is", sys.version.split()[0])
        return 2
    task, *rest = arguments or ["help"]
    if task == "play":
        return run(environment("play"), "-m", "companion", "playground", *rest)
    if task == "test":
        workers = [] if any(a.startswith("-n") for a in rest) else WORKERS
        return run(environment("test"), "-m", "pytest", *workers, *rest)
    if task == "check":
        python = environment("test")
        types = ["pyright", "--pythonpath", str(python)]
        steps = (["ruff", "check"], ["ruff", "format", "--check"], types)
        return max(run(python, "-m", *step, *rest) for step in steps)
    if task == "pin":
        return pin(environment("test"))
    print(__doc__)
    return 0 if task in {"help", "-h", "--help"} else 2


def environment(name: str) -> Path:
    """Return the interpreter of the environment `name`, made or renewed when needed."""
    home = ROOT / ".venv" / name
    python = home / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    stamp, wanted = home / "installed", fingerprint(name)
    if python.exists() and stamp.exists() and stamp.read_text() == wanted:
        return python
    print(f"Setting up .venv/{name} (once; a minute or two) …", flush=True)
    # Without pip of its own: Debian's Python can make that only with one more package.
    venv.EnvBuilder(with_pip=False, clear=not stamp.exists()).create(home)
    pip = ("-m", "pip", "--disable-pip-version-check", "--python", str(python), "install", "-q")
    pins = ("--require-hashes", "-r", str(PINS / f"{name}.txt"))
    for step in (pins, ("--no-deps", "--no-build-isolation", "--editable", str(ROOT))):
        if code := run(Path(sys.executable), *pip, *step):
            sys.exit(code)
    stamp.write_text(wanted)
    return python


def fingerprint(name: str) -> str:
    """Return what an environment depends on, as one hash."""
    files = (PINS / f"{name}.txt", ROOT / "pyproject.toml")
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def pin(python: Path) -> int:
    """Compile the pins of every environment, for all platforms and Python versions we support."""
    for name, extras in EXTRAS.items():
        code = run(
            python,
            *("-m", "uv", "pip", "compile", "pyproject.toml", "requirements/build.in"),
            *("--universal", "--python-version", "3.11", "--generate-hashes", "--quiet"),
            *("--no-emit-index-url", "--no-annotate", "--upgrade"),
            *("--custom-compile-command", "python3 dev.py pin"),
            *(word for extra in extras for word in ("--extra", extra)),
            *("--output-file", f"requirements/{name}.txt"),
        )
        if code:
            return code
    return 0


def run(python: Path, *arguments: str) -> int:
    """Run the interpreter in the checkout, and return its exit code."""
    try:
        return subprocess.run([str(python), *arguments], cwd=ROOT, check=False).returncode
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
