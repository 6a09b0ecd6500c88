"""`companion doctor`: looks at everything the app depends on, and changes nothing."""

from __future__ import annotations

import asyncio

from companion.domain.errors import ConfigurationError
from companion.settings import Settings
from companion.shell import checkup, doctor_discord, doctor_provider, doctor_stores
from companion.shell.checkup import Finding, State
from companion.shell.sentences import Exit
from companion.shell.starting import loaded_settings


def examine(*, as_json: bool) -> tuple[str, Exit]:
    """Run all checks; return what to print, and 1 when one failed."""
    try:
        findings = asyncio.run(examined(loaded_settings(quiet=True)))
    except ConfigurationError as error:
        findings = [checkup.failed_by(checkup.SETTINGS, error)]
    sick = any(finding.state is State.FAILED for finding in findings)
    shown = checkup.as_json(findings) if as_json else checkup.as_table(findings)
    return shown, Exit.FAILED if sick else Exit.OK


async def examined(settings: Settings) -> list[Finding]:
    """Return the findings of every check, in the order they are shown."""
    groups = await asyncio.gather(
        doctor_discord.examine(settings),
        doctor_stores.examine(settings),
        doctor_provider.examine(settings),
    )
    return [checkup.fine(checkup.SETTINGS, "complete"), *(row for rows in groups for row in rows)]
