from __future__ import annotations

import io

from companion.shell.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_terminal_gets_one_line_that_grows() -> None:
    out = Terminal()
    with Progress("Fetching", "MB", out) as bar:
        bar.show(0, 98)
        bar.show(49, 98)
        bar.show(98, 98)
    assert out.getvalue().count("\n") == 1
    last = out.getvalue().split("\r")[-1]
    assert "100 %" in last
    assert "98 of 98 MB" in last
    assert "░" not in last


def test_elsewhere_it_is_a_line_per_quarter() -> None:
    out = io.StringIO()
    with Progress("Fetching", "MB", out) as bar:
        for percent in range(101):
            bar.show(percent, 100)
    assert out.getvalue().splitlines() == [
        "Fetching …",
        *(f"  {percent} %" for percent in (0, 25, 50, 75, 100)),
    ]


def test_nothing_to_do_is_done() -> None:
    out = io.StringIO()
    with Progress("Sealing", "rows", out) as bar:
        bar.show(0, 0)
    assert "100 %" in out.getvalue()
