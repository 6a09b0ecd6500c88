"""One finding of the doctor, and how findings are shown."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Final

from companion.domain.errors import ConfigurationError
from companion.shell.sentences import explain

DISCORD: Final = "Discord token"
INTENTS: Final = "Discord intents"
COMMANDS: Final = "Discord commands"
DATABASE: Final = "database"
KEYS: Final = "key ring"
REDIS: Final = "Redis"
PROVIDER: Final = "model provider"
SETTINGS: Final = "settings"


class State(StrEnum):
    """What was found."""

    OK = "ok"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One row. A failed one says how to mend it."""

    check: str
    state: State
    detail: str
    fix: str = ""


def fine(check: str, detail: str) -> Finding:
    """Return a row that needs nothing."""
    return Finding(check=check, state=State.OK, detail=detail)


def skipped(check: str, detail: str) -> Finding:
    """Return a row of something that is not used, or cannot be looked at yet."""
    return Finding(check=check, state=State.SKIPPED, detail=detail)


def failed(check: str, detail: str, fix: str) -> Finding:
    """Return a row that needs something done."""
    return Finding(check=check, state=State.FAILED, detail=detail, fix=fix)


def failed_by(check: str, error: Exception) -> Finding:
    """Return the row of an error that the shell has words for."""
    if isinstance(error, ConfigurationError):
        return failed(check, f"{error.variable} {error.problem}", error.fix)
    explained = explain(error)
    problem, _, fix = (explained[0] if explained else "unexpected").partition(": ")
    return failed(check, problem, fix.rstrip(".") or "look at the log")


def as_json(findings: Sequence[Finding]) -> str:
    """Return all rows as JSON."""
    healthy = all(finding.state is not State.FAILED for finding in findings)
    rows = [asdict(finding) for finding in findings]
    return json.dumps({"ok": healthy, "checks": rows}, indent=2)


def as_table(findings: Sequence[Finding]) -> str:
    """Return all rows as a table, with the fix below each failed one."""
    width = max(len(finding.check) for finding in findings)
    lines: list[str] = []
    for finding in findings:
        lines.append(f"{finding.check:<{width}}  {finding.state:<7}  {finding.detail}")
        if finding.fix:
            lines.append(f"{'':<{width}}  {'→ fix':<7}  {finding.fix}")
    return "\n".join(lines)
