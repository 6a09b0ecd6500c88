"""Which model answers in the playground."""

from __future__ import annotations

from enum import StrEnum


class PlayModel(StrEnum):
    """`auto`: a provider if the environment names one, else the local model, else samples."""

    AUTO = "auto"
    LOCAL = "local"
    SAMPLE = "sample"
