"""A short conversation for the playground, so that the first look is not an empty room."""

from __future__ import annotations

from contextlib import suppress
from typing import Final

from companion.playground.interaction import Interaction, InteractionFailed
from companion.playground.local_discord import LocalDiscord

ANSWER_S: Final = 60.0
OPENING: Final = (
    "Welcome! Type `/` below to see the commands, or start with `/ask`. "
    "You are Ada; switch to Grace at the bottom left."
)
QUESTIONS: Final = (
    ("Ada", "What can you help me with?"),
    ("Grace", "Write a haiku about rain."),
)


async def seed(discord: LocalDiscord) -> None:
    """Say hello and ask two questions, one after the other; answers stream as they come."""
    await discord.wait_for_commands(["ask"])
    await discord.say("Ada", "general", OPENING)
    for person, prompt in QUESTIONS:
        asked = await discord.invoke(person, "general", "ask", {"prompt": prompt})
        # an answer that fails is on the page for everyone to read
        with suppress(InteractionFailed):
            await asked.until(_is_over, ANSWER_S)


def _is_over(interaction: Interaction) -> bool:
    """Whether the answer no longer runs: a running one has a *Stop* button."""
    messages = interaction.messages
    return bool(messages) and not any(
        message.thinking or "Stop" in {button.get("label") for button in message.buttons()}
        for message in messages
    )
