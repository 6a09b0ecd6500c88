"""What the app under test is told: where its Discord and its model are, and limits or none."""

from __future__ import annotations

from typing import Final

from tests.support.scripted_provider import ScriptedProvider

from companion.playground.local_discord import LocalDiscord

UNLIMITED: Final = "1000000/1s"
NO_LIMITS: Final = dict.fromkeys(
    ("COMPANION_LIMIT_USER", "COMPANION_LIMIT_GUILD", "COMPANION_LIMIT_KEY"), UNLIMITED
)


def surroundings(discord: LocalDiscord, model: ScriptedProvider) -> dict[str, str]:
    """Return the settings of an app between that Discord and that model."""
    return {
        "DISCORD_TOKEN": discord.token,
        "DISCORD_API_URL": discord.api_url,
        "OPENAI_BASE_URL": model.base_url,
        "OPENAI_API_KEY": "sk-benchmark-000000000000",
    }
