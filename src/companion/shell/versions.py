"""`companion version`."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Final

MAIN_DEPENDENCIES: Final = (
    "py-cord",
    "openai",
    "SQLAlchemy",
    "alembic",
    "fastapi",
    "cryptography",
    "pydantic",
    "uvloop",
    "asyncpg",
    "redis",
    "xllamacpp",
)


def own_version() -> str:
    """Return Companion's version."""
    return version("companion")


def report() -> str:
    """Return the versions of Companion, Python and the main dependencies, a line each."""
    lines = [f"companion {own_version()}", f"python {platform.python_version()}"]
    for name in MAIN_DEPENDENCIES:
        try:
            lines.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            lines.append(f"{name} not installed")
    return "\n".join(lines)
