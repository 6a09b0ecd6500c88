"""A progress bar on a terminal; elsewhere a line now and then."""

from __future__ import annotations

from types import TracebackType
from typing import Final, Self, TextIO

WIDTH: Final = 30
STEP: Final = 25
"""Percent between two lines where there is no terminal."""


class Progress:
    """Shows how far something is. Use it as a context; it ends its line."""

    def __init__(self, title: str, unit: str, out: TextIO) -> None:
        self._title = title
        self._unit = unit
        self._out = out
        self._on_terminal = out.isatty()
        self._last = -1

    def __enter__(self) -> Self:
        """Say what begins."""
        if not self._on_terminal:
            self._write(f"{self._title} …\n")
        return self

    def show(self, done: float, total: float) -> None:
        """Show that `done` of `total` is there."""
        percent = int(100 * done / total) if total else 100
        if percent == self._last:
            return
        if self._on_terminal:
            bar = "█" * (WIDTH * percent // 100)
            amount = f"{done:.0f} of {total:.0f} {self._unit}".strip()
            self._write(f"\r{self._title} {bar:░<{WIDTH}} {percent:3d} %  {amount} ")
            self._last = percent
        elif percent // STEP > self._last // STEP:
            self._write(f"  {percent} %\n")
            self._last = percent

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End the line."""
        if self._on_terminal:
            self._write("\n")

    def _write(self, text: str) -> None:
        self._out.write(text)
        self._out.flush()
