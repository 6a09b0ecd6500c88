"""Errors of the connection to Discord that end a process."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(kw_only=True, eq=False)
class ConnectionsUsedUp(ConnectionError):
    """Discord allows hardly any more new connections before `reset_s` seconds have passed.

    After the last one of a day it would reset the bot's token.
    """

    left: int
    reset_s: float
