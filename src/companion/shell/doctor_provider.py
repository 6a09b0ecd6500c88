"""The doctor's look at the model provider."""

from __future__ import annotations

from typing import Final

from companion.clock import SystemClock
from companion.domain.errors import (
    CredentialRejected,
    CredentialRestricted,
    CreditExhausted,
    ProviderError,
    ProviderTimedOut,
    ProviderUnreachable,
)
from companion.domain.models import Credential, KeyFingerprint, Payer
from companion.domain.secrets import Secret
from companion.llm.client import Provider, open_provider
from companion.settings import Settings
from companion.shell.checkup import PROVIDER, Finding, failed, fine

NO_KEY: Final = "companion-doctor"


async def examine(settings: Settings) -> list[Finding]:
    """Return the row of the provider: reached, key accepted, default model offered."""
    key = settings.openai_api_key
    credential = Credential(
        key=Secret(key.get_secret_value() if key else NO_KEY),
        base_url=settings.base_url,
        fingerprint=KeyFingerprint("doctor"),
        payer=Payer.OPERATOR,
    )
    async with open_provider(clock=SystemClock()) as provider:
        try:
            await provider.chat.check_key(credential)
        except ProviderError as error:
            return [_problem(error, settings)]
        return [await _models(provider, credential, settings)]


async def _models(provider: Provider, credential: Credential, settings: Settings) -> Finding:
    offered = await provider.catalogue.models(credential)
    name = settings.default_model
    if settings.openai_api_key and offered.complete and offered.find(name) is None:
        some = ", ".join(model.id for model in offered.models[:5])
        fix = f"set COMPANION_DEFAULT_MODEL to one that there is: {some}"
        return failed(PROVIDER, f"does not offer the default model {name}", fix)
    return fine(PROVIDER, f"{settings.base_url} answers with {len(offered.models)} models")


def _problem(error: ProviderError, settings: Settings) -> Finding:
    where = settings.base_url
    match error:
        case CredentialRejected() if settings.openai_api_key is None:
            return fine(PROVIDER, f"{where} answers; everyone brings a key with /setkey")
        case CredentialRejected():
            return failed(PROVIDER, f"{where} refuses OPENAI_API_KEY", "replace the key")
        case CredentialRestricted():
            return fine(PROVIDER, f"{where} answers; the key may not list models")
        case CreditExhausted():
            fix = "add credit to the account of OPENAI_API_KEY"
            return failed(PROVIDER, f"{where} says there is no credit", fix)
        case ProviderUnreachable() | ProviderTimedOut():
            fix = "check the network and OPENAI_BASE_URL"
            return failed(PROVIDER, f"{where} does not answer", fix)
        case _:
            fix = "check OPENAI_BASE_URL (most servers want it to end with /v1)"
            return failed(PROVIDER, f"{where} answers strangely ({error.code})", fix)
