"""The whole app against a local Discord and a scripted provider; only their ends are not real."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from companion.bot.app import DiscordConfig, DiscordDoor
from companion.clock import SystemClock
from companion.db.keyring import KeyRing
from companion.db.uow import SqlStore
from companion.domain.accounts import KeyOwner
from companion.domain.actor import Actor, DiscordUserId
from companion.domain.secrets import Secret
from companion.playground.interaction import Interaction
from companion.playground.local_discord import LocalDiscord
from companion.playground.people import Where
from companion.playground.state import Message, Person
from companion.services.container import Services
from tests.support.discord_openapi import assert_requests_follow_discord
from tests.support.scripted_provider import ScriptedProvider
from tests.support.waiting import until
from tests.support.wiring import Wish, opened

COMMANDS = (
    "ask",
    "setkey",
    "clear",
    "help",
    "settings",
    "token",
    "usage",
    "Ask about this",
    "Summarize from here",
)
BUTTONS = ["Regenerate", "Other model", "Thread", "Delete"]
"""Below an answer in a server's channel."""
FOOTER = re.compile(r"(?:\n?-# [^\n]*)+\Z")
HEADING = re.compile(r"\A-# \*\*.*\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup(Wish):
    """What a test wants different."""

    message_content: bool = False
    heartbeat_ms: int = 41_250


@dataclass(slots=True, kw_only=True)
class World:
    """Everything a test looks at, and what people do in it."""

    discord: LocalDiscord
    provider: ScriptedProvider
    services: Services
    store: SqlStore
    database: Path
    door: DiscordDoor
    running: asyncio.Task[None] = field(repr=False)

    async def run(
        self, name: str, /, *, who: str = "Ada", where: Where = "general", **options: Any
    ) -> Interaction:
        """Use a command and wait until it is answered for good."""
        return await self.settled(await self.start(name, who=who, where=where, **options))

    async def start(
        self, name: str, /, *, who: str = "Ada", where: Where = "general", **options: Any
    ) -> Interaction:
        """Use a command without waiting."""
        uploads = options.pop("uploads", ())
        install = options.pop("install", None)
        target = options.pop("target", None)
        return await self.discord.invoke(
            who, where, name, options, attachments=uploads, target=target, install=install
        )

    async def settled(
        self,
        interaction: Interaction,
        timeout: float = 15.0,  # noqa: ASYNC109
    ) -> Interaction:
        """Wait until nothing more comes."""
        await until(
            lambda: (
                interaction.failed
                or (_has_ended(interaction) and bool(footer(interaction) or not self.door.busy))
            ),
            timeout,
        )
        assert not interaction.failed, interaction.error
        return interaction

    async def ask(self, prompt: str, **options: Any) -> Interaction:
        """Ask, and wait for the whole answer."""
        return await self.run("ask", prompt=prompt, **options)

    async def say(
        self, text: str, *, who: str = "Ada", where: Where = "general", **options: Any
    ) -> Message:
        """Type a message."""
        return await self.discord.say(who, where, text, **options)

    async def heard(
        self,
        message: Message,
        timeout: float = 15.0,  # noqa: ASYNC109
    ) -> list[Message]:
        """Return the app's messages below a message, once nothing more comes."""
        await until(lambda: bool(self.below(message)) and not self.door.busy, timeout)
        return self.below(message)

    async def ignored(self, message: Message) -> bool:
        """Say whether nothing comes of a message, after something else was answered."""
        probe = await self.say("Probe.", who="Ada", where=self.discord.world.dm("Ada"))
        await self.heard(probe)
        return not self.below(message)

    def below(self, message: Message) -> list[Message]:
        """Return what the app wrote in a channel after a message."""
        app = self.discord.world.app
        written = self.discord.messages(message.channel_id)
        return [each for each in written if each.author is app and each.id > message.id]

    async def click(self, message: Message, label: str, *, who: str = "Ada") -> Interaction:
        """Click a button and wait for what comes of it."""
        return await self.settled(await self.discord.click(who, message, label))

    async def set_key(self, key: str, *, who: str = "Ada", **options: Any) -> Interaction:
        """Open the form, fill in the key, and wait for the answer."""
        keep = options.pop("keep_for", "until_removed")
        form = await self.run("setkey", who=who, **options)
        sent = await self.discord.submit_modal(form, {"api_key": key, "keep_for": [keep]})
        return await self.settled(sent)

    async def key_hint(self, who: str = "Ada") -> str | None:
        """Return what is stored of somebody's key."""
        person = self.discord.world.person(who)
        async with self.store.read() as unit:
            found = await unit.people.find(actor_of(person))
            if found is None:
                return None
            stored = await unit.keys.find(KeyOwner(person_id=found))
        return stored.hint if stored else None

    def prompts(self, chat: int = -1) -> list[tuple[str, str]]:
        """Return (role, text) of the messages that the provider got."""
        messages = self.provider.chats[chat].body["messages"]
        return [(message["role"], _text(message["content"])) for message in messages]


@asynccontextmanager
async def open_world(
    database: Path, ring: KeyRing, setup: Setup | None = None
) -> AsyncGenerator[World]:
    """Start everything on a migrated database; connected and registered when entered."""
    setup = setup or Setup()
    url = f"sqlite+aiosqlite:///{database}"
    async with (
        LocalDiscord.start() as discord,
        ScriptedProvider.start() as provider,
        opened(url, ring, provider.base_url, setup) as (store, services),
    ):
        discord.gateway.heartbeat_interval_ms = setup.heartbeat_ms
        config = DiscordConfig(
            token=Secret(discord.token),
            api_url=discord.api_url,
            message_content=setup.message_content,
        )
        door = DiscordDoor(services, config, SystemClock())
        async with running(door) as task:
            await discord.wait_for_commands(COMMANDS)
            yield World(
                discord=discord,
                provider=provider,
                services=services,
                store=store,
                database=database,
                door=door,
                running=task,
            )
            assert_requests_follow_discord(discord.requests)


@asynccontextmanager
async def running(door: DiscordDoor) -> AsyncGenerator[asyncio.Task[None]]:
    """Run a door: connected when entered, closed after."""
    task = asyncio.create_task(door.run())
    ready = asyncio.create_task(door.ready.wait())
    try:
        await asyncio.wait({task, ready}, timeout=10.0, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            task.result()
        assert ready.done()
        yield task
    finally:
        ready.cancel()
        await door.close()
        await asyncio.wait_for(task, 10.0)


def _has_ended(interaction: Interaction) -> bool:
    """Whether nothing runs in it; between two parts of a long answer that is so, too."""
    if interaction.modal is not None or interaction.choices is not None:
        return True
    messages = interaction.messages
    if not messages or any(message.thinking for message in messages):
        return False
    return bool(messages[-1].text) and not any("Stop" in labels(each) for each in messages)


def labels(message: Message) -> list[str]:
    """Return the labels of a message's buttons."""
    return [str(button.get("label")) for button in message.buttons()]


def body(answer: Interaction | Message) -> str:
    """Return the answer's text without the small lines above and below it."""
    return HEADING.sub("", FOOTER.sub("", answer.text))


def footer(interaction: Interaction) -> str:
    """Return the small lines below the answer."""
    found = FOOTER.search(interaction.text)
    return found.group().strip() if found else ""


def only(interaction: Interaction) -> Message:
    """Return the one message that answered."""
    (message,) = interaction.messages
    return message


def refusal(interaction: Interaction) -> str:
    """Return the text of an answer that only its person saw, and check that it is one."""
    message = only(interaction)
    assert message.ephemeral
    assert message.audience == interaction.person.id
    return message.text


def actor_of(person: Person) -> Actor:
    """Return the actor of a person in the local Discord."""
    return Actor(name=person.display_name, discord_id=DiscordUserId(person.id))


def _text(content: object) -> str:
    if isinstance(content, str):
        return content
    parts = cast("list[dict[str, Any]]", content)
    return "".join(str(part.get("text", "")) for part in parts)
