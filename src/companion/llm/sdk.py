"""The openai SDK, its types loaded when they are asked for.

The packages under `openai.types` repeat the names of some thousand pydantic classes, most
of which belong to APIs that nobody calls here: loading them all takes 10 MiB and 170 ms.
So here a name leads to its module when it is first used. (Python 3.15 has lazy imports of
its own, PEP 810.)
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import ModuleType
from typing import Final

_TYPES: Final = "openai.types"
Homes = dict[str, tuple[str, str]]
"""Of each name: its module, and what it is called there."""


class LazyTypes(MetaPathFinder):
    """Finds the packages under `openai.types`, and lets their names wait."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return how to load such a package; of all else, and of unusual ones, nothing."""
        if not f"{fullname}.".startswith(f"{_TYPES}."):
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is None or spec.submodule_search_locations is None:
            return None
        if not isinstance(spec.loader, SourceFileLoader):
            return None
        homes = _homes(fullname, spec.loader.get_data(spec.loader.path))
        if homes is None:
            return None
        spec.loader = _Waiting(fullname, spec.loader.path, homes)
        return spec


class _Waiting(SourceFileLoader):
    """Loads a package without what it repeats."""

    def __init__(self, name: str, path: str, homes: Homes) -> None:
        super().__init__(name, path)
        self._homes = homes

    def exec_module(self, module: ModuleType) -> None:
        """Let the names be looked up when they are used (PEP 562)."""

        def found(name: str) -> object:
            if name not in self._homes:
                raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}")
            home, there = self._homes[name]
            value: object = getattr(import_module(home), there)
            setattr(module, name, value)
            return value

        vars(module)["__getattr__"] = found


def _homes(package: str, source: bytes) -> Homes | None:
    """Return where a package's names are from; nothing when it does more than repeat names."""
    homes: Homes = {}
    for statement in ast.parse(source).body:
        match statement:
            case ast.ImportFrom(module="__future__"):
                pass
            case ast.ImportFrom(module=str(module), level=1, names=names):
                for each in names:
                    homes[each.asname or each.name] = (f"{package}.{module}", each.name)
            case _:
                return None
    return homes


sys.meta_path.insert(0, LazyTypes())

import openai  # noqa: E402 — its types are found as above
from openai.types.shared import ChatModel  # noqa: E402

__all__ = ["ChatModel", "openai"]
