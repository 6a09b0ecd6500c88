"""Every way in, in every place, with and without the intent, for both installs.

Whatever the way in, the conversation of the place goes on: the question before, asked
by command, is part of what the model reads.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import pytest

from companion.playground.people import Where
from companion.playground.state import Channel
from companion.playground.threads import new_thread
from tests.e2e.conftest import Opener
from tests.e2e.world import World, body, until

WAYS = ("slash", "mention", "message", "reply", "menu")
PLACES = ("channel", "thread", "dm", "group")
INSTALLS = ("guild", "user")
HEARS_ALL = ("thread", True, "guild")
HELLO = "Hello from the scripted provider."


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    way: str
    place: str
    content: bool
    install: str

    def __str__(self) -> str:
        seen = "content" if self.content else "no_content"
        return f"{self.way}-{self.place}-{seen}-{self.install}"

    @property
    def impossible(self) -> str | None:
        """Why Discord knows no such case."""
        if self.place == "group" and self.install == "guild":
            return "an app cannot be a member of a group"
        if self.way in {"slash", "menu"}:
            return None
        if self.install == "user" and self.place != "dm":
            return "an app that is no member of a place hears no messages of it"
        return None

    @property
    def is_heard(self) -> bool:
        """Whether Discord delivers the text, and it is meant for the app."""
        if self.way in {"slash", "menu", "mention"} or self.place == "dm":
            return True
        if self.way == "reply":
            return self.content  # the answer to a command pings nobody when replied to
        return self.place == "thread" and self.content


ALL = [
    Case(way=way, place=place, content=content, install=install)
    for way, place, content, install in product(WAYS, PLACES, (False, True), INSTALLS)
]
PLAYED = [case for case in ALL if case.impossible is None]


def test_every_case_is_played_or_named_impossible() -> None:
    assert len(ALL) == 80
    assert len(PLAYED) == 52
    assert {case.impossible for case in ALL if case not in PLAYED} == {
        "an app cannot be a member of a group",
        "an app that is no member of a place hears no messages of it",
    }


@pytest.mark.parametrize("case", PLAYED, ids=str)
async def test_conversation_goes_on(case: Case, opener: Opener) -> None:
    async with opener(message_content=case.content) as world:
        where = place_of(world, case)
        first = await world.ask("First.", who="Ada", where=where, install=case.install)
        assert body(first) == HELLO
        await until(lambda: not world.door.busy)
        said = await go_on(world, case, where, first.messages[-1].id)
        if not case.is_heard:
            assert said is None
            return
        assert said == HELLO
        asked = [text for role, text in world.prompts() if role == "user"]
        assert "First." in asked[0]
        assert "Second." in asked[1]
        assert len(asked) == 2
        assert world.discord.rate_limit_hits == 0


async def go_on(world: World, case: Case, where: Channel, answer_id: int) -> str | None:
    """Ask the second question, and return the answer; `None` when none comes."""
    if case.way == "slash":
        return body(await world.ask("Second.", where=where, install=case.install))
    if case.way == "menu":
        target = await world.say("A message.", who="Ada", where=where)
        if case.place == "dm" or (case.place, case.content, case.install) == HEARS_ALL:
            await world.heard(target)
            await world.run("clear", where=where)
            await world.ask("First.", where=where, install=case.install)
        form = await world.run("Ask about this", where=where, target=target, install=case.install)
        sent = await world.discord.submit_modal(form, {"question": "Second."})
        return body(await world.settled(sent))
    text = f"<@{world.discord.application_id}> Second." if case.way == "mention" else "Second."
    target = where.messages[answer_id] if case.way == "reply" else None
    said = await world.say(text, where=where, reply_to=target)
    if not case.is_heard:
        assert await world.ignored(said)
        return None
    return body((await world.heard(said))[0])


def place_of(world: World, case: Case) -> Channel:
    places = world.discord.world
    if case.place == "dm":
        return places.dm("Ada")
    if case.place == "group":
        return places.add_group_dm("Ada", "Grace")
    home: Where = "general"
    if case.install == "user":
        guild = places.add_guild("Elsewhere", owner="Grace", members=("Ada",), with_app=False)
        (home,) = places.channels_of(guild, threads=False)
    channel = places.channel(home)
    if case.place == "channel":
        return channel
    owner = places.app if case.install == "guild" else places.person("Ada")
    return new_thread(places, channel, owner, "Talk")
