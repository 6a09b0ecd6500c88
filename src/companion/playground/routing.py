"""Finds the route of a path.

Our own and not the web framework's, because the answer to a path has to say its
template: limits, faults and the request log go by it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from companion.playground.api_errors import ApiError, Problem
from companion.playground.calls import Route


@dataclass(frozen=True, slots=True)
class _Pattern:
    segments: tuple[str | None, ...]
    names: tuple[str, ...]
    route: Route

    def match(self, path: tuple[str, ...]) -> dict[str, str] | None:
        values: list[str] = []
        for wanted, given in zip(self.segments, path, strict=True):
            if wanted is None:
                values.append(given)
            elif wanted != given:
                return None
        return dict(zip(self.names, values, strict=True))


class Router:
    """Routes by first segment and length; literal segments win over parameters."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._patterns: dict[tuple[str, int], list[_Pattern]] = {}
        for one in routes:
            pattern = _pattern(one)
            key = (str(pattern.segments[0]), len(pattern.segments))
            self._patterns.setdefault(key, []).append(pattern)
        for patterns in self._patterns.values():
            patterns.sort(key=lambda pattern: pattern.segments.count(None))

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]]:
        """Return the route and its parameters. Raises `ApiError` (404 or 405)."""
        segments = tuple(path.strip("/").split("/"))
        other_method = False
        for pattern in self._patterns.get((segments[0], len(segments)), ()):
            parameters = pattern.match(segments)
            if parameters is None:
                continue
            if pattern.route.method == method:
                return pattern.route, parameters
            other_method = True
        raise ApiError(Problem.METHOD_NOT_ALLOWED if other_method else Problem.NOT_FOUND)


def _pattern(one: Route) -> _Pattern:
    parts = one.template.strip("/").split("/")
    is_parameter = [part.startswith("{") for part in parts]
    segments = tuple(
        None if variable else part for part, variable in zip(parts, is_parameter, strict=True)
    )
    names = tuple(
        part[1:-1] for part, variable in zip(parts, is_parameter, strict=True) if variable
    )
    return _Pattern(segments, names, one)
