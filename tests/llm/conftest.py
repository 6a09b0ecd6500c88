"""The real adapter against the scripted provider, with time that is only skipped."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest

from companion.domain.models import Credential
from companion.llm.client import Provider, ProviderTimings, open_provider
from tests.llm.asking import SkippingClock, credential_for
from tests.support.scripted_provider import ScriptedProvider

HASTY = ProviderTimings(first_event_s=0.5, between_events_s=0.3, list_models_s=0.3, check_key_s=0.3)
"""For silent providers only: a busy machine is silent for a moment, too."""


@pytest.fixture
def clock() -> SkippingClock:
    return SkippingClock()


@pytest.fixture
async def upstream() -> AsyncGenerator[ScriptedProvider]:
    async with ScriptedProvider.start() as started:
        yield started


@pytest.fixture
async def provider(clock: SkippingClock) -> AsyncGenerator[Provider]:
    async with open_provider(clock=clock) as opened:
        yield opened


@pytest.fixture
async def hasty(clock: SkippingClock) -> AsyncGenerator[Provider]:
    async with open_provider(clock=clock, timings=HASTY) as opened:
        yield opened


@pytest.fixture
def credential(upstream: ScriptedProvider) -> Credential:
    return credential_for(upstream.base_url)
