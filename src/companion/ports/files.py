"""Reading attached files, as the services see it."""

from __future__ import annotations

from typing import Protocol

from companion.domain.chat import InputFile
from companion.domain.files import ReadFile


class FileReader(Protocol):
    """Finds out what a file is and reads it, safely and off the event loop."""

    async def read(self, file: InputFile) -> ReadFile:
        """Return a file as something a model can read, or a recording to listen to.

        What it is, is decided by its bytes. Raises an `InvalidInput` that says what is
        wrong with the file, or `FilesBusy` when too many files are being read.
        """
        ...
