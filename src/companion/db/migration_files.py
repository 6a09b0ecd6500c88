"""Where the migrations lie, and which one is the newest."""

from __future__ import annotations

from pathlib import Path


def folder() -> Path:
    """Return their folder: in the package, or at the top of a checkout."""
    package = Path(__file__).parents[1]
    installed = package / "migrations"
    return installed if installed.is_dir() else package.parents[1] / "migrations"


def head() -> str:
    """Return the newest revision: files are numbered, `0001_create_….py`, in one line."""
    return max(file.name.partition("_")[0] for file in (folder() / "versions").glob("[0-9]*.py"))
