"""The files of a question: read, listened to, and looked through for secrets."""

from __future__ import annotations

from typing import Final

from companion.domain.chat import InputFile
from companion.domain.file_errors import FilesTooLarge, TooManyFiles
from companion.domain.files import AudioFile, ImageFile, TextFile
from companion.ports.files import FileReader
from companion.services import secret_scan
from companion.services.job import Job, Mode
from companion.services.listening import Listener
from companion.services.payers import Paying

MOST_FILES: Final = 11
"""Discord's ten of a message, and the message that it answers."""

MOST_BYTES: Final = 25 * 2**20
_WITH_FILES: Final = frozenset({Mode.NEW, Mode.REVISED})
"""A reply that is had again or gone on with has its files in the conversation already."""


class FileReading:
    """Makes of files what a model can read."""

    def __init__(self, *, reader: FileReader, listener: Listener) -> None:
        self._reader = reader
        self._listener = listener

    async def read(self, job: Job, paying: Paying) -> tuple[TextFile | ImageFile, ...]:
        """Return the files of what is asked now, in order; recordings become their text.

        Everything is read before anything is sent. Raises an `InvalidInput`, a `TryLater`,
        or, when a recording cannot be written down, a `ProviderError` or `StorageError`.
        """
        if job.mode not in _WITH_FILES:
            return ()
        check_amount(job.files)
        found = [await self._reader.read(file) for file in job.files]
        for file in found:
            if isinstance(file, TextFile):
                secret_scan.check(file.text)
        return tuple(
            [
                await self._listener.listen(file, job, paying)
                if isinstance(file, AudioFile)
                else file
                for file in found
            ]
        )


def check_amount(files: tuple[InputFile, ...]) -> None:
    """Raise `TooManyFiles` or `FilesTooLarge`."""
    if len(files) > MOST_FILES:
        raise TooManyFiles(count=len(files), limit=MOST_FILES)
    size = sum(len(file.data) for file in files)
    if size > MOST_BYTES:
        raise FilesTooLarge(size=size, limit=MOST_BYTES)
