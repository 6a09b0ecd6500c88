"""How every command starts: settings, then logs."""

from __future__ import annotations

import structlog

from companion import logs
from companion import settings as environment
from companion.settings import Settings

log = structlog.get_logger()


def loaded_settings(*, quiet: bool = False) -> Settings:
    """Read the settings and set up the logs; quiet: warnings only, unless a level was set.

    Raises `ConfigurationError`.
    """
    settings = environment.load()
    level_was_set = "log_level" in settings.model_fields_set
    logs.configure(
        level="WARNING" if quiet and not level_was_set else settings.log_level,
        style=settings.log_format,
        secrets=settings.secrets(),
    )
    for sentence in environment.warnings():
        log.warning("unknown_setting", problem=sentence)
    return settings
