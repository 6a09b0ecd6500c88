from __future__ import annotations

from companion.domain.chat import InputFile
from companion.domain.errors import CompanionError, ProviderError
from companion.domain.files import AudioFile, ImageFile, ReadFile, TextFile
from companion.domain.models import Credential
from companion.ports.files import FileReader
from companion.ports.speech import SpeechCall, SpeechProvider, Transcript
from tests.fakes.provider import usage


class FakeFileReader(FileReader):
    """Takes names at their word: `.png` is a picture, `.ogg` a recording, the rest text."""

    def __init__(self) -> None:
        self.error: CompanionError | None = None
        self.read_names: list[str] = []

    async def read(self, file: InputFile) -> ReadFile:
        self.read_names.append(file.name)
        if self.error is not None:
            raise self.error
        if file.name.endswith(".png"):
            return ImageFile(name=file.name, data_url="data:image/png;base64,AAAA")
        if file.name.endswith(".ogg"):
            return AudioFile(name=file.name, suffix="ogg", media_type="audio/ogg", data=file.data)
        text = file.data.decode()
        return TextFile(name=file.name, text=text, characters=len(text))


class FakeSpeech(SpeechProvider):
    """Hears what the recording's bytes spell."""

    def __init__(self) -> None:
        self.calls: list[tuple[Credential, SpeechCall]] = []
        self.error: ProviderError | None = None

    async def transcribe(self, credential: Credential, call: SpeechCall) -> Transcript:
        self.calls.append((credential, call))
        if self.error is not None:
            raise self.error
        return Transcript(text=call.data.decode(), usage=usage(), request_id="req-speech")
