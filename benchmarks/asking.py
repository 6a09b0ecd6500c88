"""How the people of a benchmark ask, and where: by command or by mention, alone or together."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from enum import StrEnum

from benchmarks.watching import Reading, Watcher
from companion.playground.local_discord import LocalDiscord
from companion.playground.state import Channel, Person


class By(StrEnum):
    """How a question is asked."""

    COMMAND = "command"
    MENTION = "mention"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """A person in a channel, how they ask, and the name of their conversation."""

    name: str
    who: Person
    where: Channel
    by: By

    async def ask(self, discord: LocalDiscord, watcher: Watcher, answer: str) -> Reading:
        """Ask, and return what will be read."""
        reading = watcher.expect(self.where, self.name, answer)
        prompt = f"Conversation {self.name}: count."
        if self.by is By.COMMAND:
            asked = await discord.invoke(self.who, self.where, "ask", {"prompt": prompt})
            reading.interaction = asked
        else:
            mention = f"<@{discord.application_id}>"
            reading.asked = await discord.say(self.who, self.where, f"{mention} {prompt}")
        return reading


def name_in(body: dict[str, object]) -> str:
    """Return the name of the conversation that a request to the model goes on with."""
    return re.findall(r"Conversation ([\w-]+):", json.dumps(body))[-1]


def seats(discord: LocalDiscord, name: str, size: int, *, by: By, channels: int) -> list[Seat]:
    """Make that many people in a new server: in so many channels, or (0) one for each."""
    world = discord.world
    people = [world.add_person(f"p{name}-{n}") for n in range(size)]
    guild = world.add_guild(f"Guild {name}", owner=people[0], members=tuple(people[1:]))
    rooms = [world.add_channel(guild, f"c-{n}") for n in range(min(channels, size) or size)]
    return [
        Seat(name=f"{name}-{n}", who=who, where=rooms[n % len(rooms)], by=by)
        for n, who in enumerate(people)
    ]
