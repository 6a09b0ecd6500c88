"""No key, prompt, answer or upstream text is in any log, error or traceback (S07)."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator

import pytest

from companion.domain.errors import CredentialRejected, ProviderError
from companion.domain.models import Credential
from companion.llm.client import Provider
from companion.ports.llm import ChatMessage, ImagePart
from tests.llm.asking import ask, credential_for
from tests.support.provider_script import (
    HTML_PAGE,
    NO_CREDIT,
    Answer,
    Behaviour,
    Fault,
    Reset,
    Silence,
    Status,
)
from tests.support.scripted_provider import ScriptedProvider

KEY = "sk-canary-key-0123456789"
PROMPT = "canary prompt"
ANSWER = "canary answer"
ECHO = f"You sent {KEY} and said {PROMPT}"
CANARIES = (KEY, KEY[-8:], PROMPT, ANSWER, "data:image/canary", "UPSTREAM TEXT", "You sent")

MESSAGES = (
    ChatMessage(role="user", text=PROMPT, images=(ImagePart(data_url="data:image/canary"),)),
)
BEHAVIOURS: list[Behaviour] = [
    Answer(text=ANSWER),
    Status(status=401, code="invalid_api_key", message=ECHO),
    Status(status=400, message=ECHO, code="invalid_value", param="messages"),
    Status(status=500, message=ECHO),
    Status(status=302, headers={"Location": f"http://127.0.0.1:9/{KEY}"}),
    Status(status=418, code=ECHO, type=ECHO),
    Answer(text=ANSWER, fault=Fault.ERROR_EVENT, fault_after=1, error={"message": ECHO}),
    *(Answer(text=ANSWER, fault=fault, fault_after=1) for fault in Fault),
    NO_CREDIT,
    HTML_PAGE,
    Reset(),
    Silence(),
]


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    with caplog.at_level(logging.DEBUG):
        for name in ("openai", "httpx2", "aiohttp", "asyncio", "companion"):
            caplog.set_level(logging.DEBUG, logger=name)
        yield caplog


@pytest.mark.parametrize("behaviour", BEHAVIOURS)
async def test_no_secret_is_in_any_log_or_traceback(
    upstream: ScriptedProvider,
    hasty: Provider,
    log: pytest.LogCaptureFixture,
    behaviour: Behaviour,
) -> None:
    upstream.default = behaviour
    upstream.models_status = Status(status=401, message=ECHO)
    credential = credential_for(upstream.base_url, KEY)
    outcome = await ask(hasty, credential, messages=MESSAGES)
    listed = await _check(hasty, credential)

    assert upstream.chats[0].key == KEY
    seen = [record.getMessage() for record in log.records]
    seen += [str(record.__dict__) for record in log.records if record.name != "asyncio"]
    for error in (outcome.error, listed):
        if error is not None:
            seen.append("".join(traceback.format_exception(error)))
            seen += [repr(link) for link in _chain(error)]
    assert [canary for canary in CANARIES if any(canary in text for text in seen)] == []


def test_what_is_sent_does_not_show_itself(credential: Credential) -> None:
    assert PROMPT not in repr(MESSAGES)
    assert "canary" not in repr(MESSAGES)
    assert credential.key.reveal() not in repr(credential)


@pytest.mark.parametrize("key", ["sk-ключ", "sk-a\nb", "sk-a\x00b"])
async def test_a_key_that_no_header_can_carry_is_rejected_unsent(
    upstream: ScriptedProvider, provider: Provider, key: str
) -> None:
    credential = credential_for(upstream.base_url, key)
    assert isinstance((await ask(provider, credential)).error, CredentialRejected)
    assert isinstance(await _check(provider, credential), CredentialRejected)
    assert upstream.requests == []


async def _check(provider: Provider, credential: Credential) -> ProviderError | None:
    try:
        await provider.chat.check_key(credential)
    except ProviderError as error:
        return error
    return None


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
