"""A short conversation for the playground, so that the first look is not an empty room.

A question by command, a file with a mention, a reply that branches off, and a thread.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from companion.playground.interaction import Interaction, InteractionFailed
from companion.playground.local_discord import LocalDiscord
from companion.playground.state import Channel, Message, Upload

ANSWER_S: Final = 60.0
OPENING: Final = (
    "Welcome! Type `/` below to see the commands, mention {app}, or reply to one of its answers. "
    "You are Ada; switch to Grace at the bottom left."
)
QUESTION: Final = "What can you help me with?"
FILE_QUESTION: Final = "{app} here are our visitors of last week. Ideas for the quiet days?"
VISITORS: Final = Upload(
    filename="visitors.csv",
    content=b"day,visitors\nMonday,41\nTuesday,38\nWednesday,97\nThursday,52\nFriday,120\n",
    content_type="text/csv",
)
BRANCH: Final = "And as a table, please: compare the days."
THREAD: Final = "The open day"
IN_THREAD: Final = ("I could bring a cake.", "{app} hello! Write a short list of what we need.")


async def seed(discord: LocalDiscord) -> None:
    """Talk a little, one after the other; answers stream as they come."""
    await discord.wait_for_commands(["ask"])
    app = f"<@{discord.application_id}>"
    await discord.say("Ada", "general", OPENING.format(app=app))
    asked = await discord.invoke("Ada", "general", "ask", {"prompt": QUESTION})
    # an answer that fails is on the page for everyone to read
    with suppress(InteractionFailed):
        await asked.until(_is_over, ANSWER_S)
    answer = await _talk(discord, "Grace", "general", FILE_QUESTION.format(app=app), [VISITORS])
    if answer is not None:
        await _talk(discord, "Ada", "general", BRANCH, reply_to=answer)
    start = await discord.say("Grace", "general", "Who helps with the open day?")
    thread = await discord.start_thread("Grace", "general", THREAD, message=start)
    for person, text in zip(("Ada", "Grace"), IN_THREAD, strict=True):
        await _talk(discord, person, thread, text.format(app=app), answered="{app}" in text)


async def _talk(
    discord: LocalDiscord,
    person: str,
    place: Channel | str,
    text: str,
    files: Sequence[Upload] = (),
    *,
    reply_to: Message | None = None,
    answered: bool = True,
) -> Message | None:
    """Say something; return the app's whole answer, or nothing when none comes in time."""
    events = discord.subscribe()
    said = await discord.say(person, place, text, reply_to=reply_to, attachments=files)
    if not answered:
        return None
    with suppress(TimeoutError):
        async with asyncio.timeout(ANSWER_S):
            async for event in events:
                message = event.message
                if message is not None and message.reply_to is said and _is_whole(message):
                    return message
    return None


def _is_over(interaction: Interaction) -> bool:
    """Whether the answer no longer runs."""
    messages = interaction.messages
    return bool(messages) and all(map(_is_whole, messages))


def _is_whole(message: Message) -> bool:
    """Whether a message is an answer that no longer runs: a running one has a *Stop* button."""
    labels = {button.get("label") for button in message.buttons()}
    return not message.thinking and bool(labels) and "Stop" not in labels
