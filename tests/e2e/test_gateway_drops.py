from __future__ import annotations

from tests.e2e.conftest import Opener
from tests.support.gateway_storm import BEAT_MS, Drop, Storm


async def test_each_question_is_answered_once_however_the_gateway_drops(opener: Opener) -> None:
    async with opener(heartbeat_ms=BEAT_MS // 2) as world:
        storm = Storm(
            discord=world.discord,
            model=world.provider,
            drops=len(Drop),
            every_s=0.2,
            asks_per_s=20,
        )
        await storm.run()
        assert storm.dropped == list(Drop)
        assert (storm.unanswered, storm.doubled) == ([], [])
        assert world.discord.gateway.identifies == 1
        assert world.discord.gateway.resumes == len(Drop)
