"""The Discord client: one handler for every interaction, one mapping for every error."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, cast

import discord
import structlog
from discord.state import AutoShardedConnectionState

from companion.bot.acknowledging import Acknowledger
from companion.bot.belonging import Belonging, announce_lists
from companion.bot.clicks import Clicks
from companion.bot.command_shapes import CommandShape, mapping, mappings, read_shape
from companion.bot.context import CompanionContext
from companion.bot.exchange import Exchange
from companion.bot.forms import Form
from companion.bot.gateway import GatewayBot
from companion.bot.hooks import Hooks, T
from companion.bot.identify_record import IdentifyRecord
from companion.bot.modals import kind_of
from companion.bot.option_checks import check_options
from companion.bot.registering import Command, payload_of, register
from companion.bot.rest import Rest
from companion.bot.suggestions import Suggestions
from companion.bot.talking import Talking
from companion.domain.errors import ButtonExpired, CommandUnknown
from companion.ports.clock import Clock
from companion.services.deliveries import Deliveries

log = structlog.get_logger()


def intents(*, message_content: bool) -> discord.Intents:
    """Return the least that the app works with."""
    wanted = discord.Intents.none()
    wanted.guilds = wanted.guild_messages = wanted.dm_messages = True
    wanted.message_content = message_content
    return wanted


class CompanionBot(GatewayBot):
    """The client.

    Caches are as small as they get: rights and names come with each interaction.
    """

    def __init__(
        self,
        *,
        message_content: bool,
        shard_count: int | None,
        shard_ids: Sequence[int] | None,
        acknowledger: Acknowledger,
        hooks: Hooks,
        rest: Rest,
        deliveries: Deliveries,
        record: IdentifyRecord,
        clock: Clock,
        up: asyncio.Event,
    ) -> None:
        self._rest = rest
        super().__init__(
            record=record,
            clock=clock,
            intents=intents(message_content=message_content),
            allowed_mentions=discord.AllowedMentions.none(),
            activity=discord.CustomActivity("/ask me anything · /help"),
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
            max_messages=None,
            guild_ready_timeout=0.02,  # nothing here waits for the cache of servers
            cache_default_sounds=False,
            auto_sync_commands=False,
            shard_count=shard_count,
            shard_ids=list(shard_ids) if shard_ids else None,
        )
        self._acknowledger = acknowledger
        self._error_hooks = hooks
        self._deliveries = deliveries
        self._up = up
        self._registered = False
        self._registration_over = asyncio.Event()
        self._handling: set[asyncio.Task[object]] = set()
        self._commands: dict[str, tuple[Command, CommandShape]] = {}

    def serve(
        self,
        cogs: Sequence[discord.Cog],
        *,
        clicks: Clicks,
        forms: Mapping[str, Form],
        suggestions: Suggestions,
        talking: Talking,
        belonging: Belonging,
    ) -> None:
        """Take in the commands and the handlers; once, before logging in."""
        self._clicks, self._forms, self._suggestions = clicks, forms, suggestions
        self._talking, self._belonging = talking, belonging
        for cog in cogs:
            self.add_cog(cog)
        for command in self.own_commands():
            self._commands[command.name] = (command, read_shape(payload_of(command)))

    def own_commands(self) -> list[Command]:
        """Return the commands that were taken in."""
        return cast("list[Command]", self.pending_application_commands)  # pyright: ignore[reportUnknownMemberType]

    def shapes(self) -> list[CommandShape]:
        """Return what the commands accept."""
        return [shape for _, shape in self._commands.values()]

    def command_titles(self) -> list[str]:
        """Return what people call the commands."""
        return [shape.title for _, shape in self._commands.values()]

    def _get_state(self, **options: Any) -> AutoShardedConnectionState:
        # the library makes a client of its own right before, and hands it on in here
        self.http = self._rest
        state = super()._get_state(**options)
        announce_lists(state)
        return state

    @property
    def handling(self) -> set[asyncio.Task[object]]:
        """The interactions and other events being handled right now."""
        return set(self._handling)

    async def on_connect(self) -> None:
        """Register the commands at the first connection, if they changed."""
        if not self._registered and self.application_id is not None:
            self._registered = True
            try:
                await register(self.http, self.application_id, self.own_commands())
            finally:
                self._registration_over.set()

    async def on_ready(self) -> None:
        """Note that all shards are connected, and that there are commands to give."""
        if self._registered:
            await self._registration_over.wait()
        self._up.set()

    async def on_interaction(self, interaction: discord.Interaction) -> None:
        """Handle whatever a person did; errors are told to them."""
        exchange = Exchange(interaction, self._acknowledger, self._deliveries)
        await self._tracked(exchange, exchange.kind, self._handle)

    async def on_message(self, message: discord.Message) -> None:
        """Answer a message that is meant for the app."""
        incoming = await self._talking.hear(message)
        if incoming is not None:
            await self._tracked(incoming, incoming.kind, self._talking.answer)

    async def on_raw_message_edit(self, payload: discord.RawMessageUpdateEvent) -> None:
        """Answer a changed message anew."""
        incoming = await self._talking.hear_edit(payload)
        if incoming is not None:
            await self._tracked(incoming, "edit", self._talking.revise)

    async def on_raw_message_delete(self, payload: discord.RawMessageDeleteEvent) -> None:
        """Forget what a deleted message asked."""
        with self._counted():
            await self._talking.forget((payload.message_id,))

    async def on_raw_bulk_message_delete(self, payload: discord.RawBulkMessageDeleteEvent) -> None:
        """Forget what deleted messages asked."""
        with self._counted():
            await self._talking.forget(sorted(payload.message_ids))

    async def on_guild_channel_delete(self, channel: discord.abc.GuildChannel) -> None:
        """Give up what is being answered in a deleted channel."""
        self._talking.lose(channel.id)

    async def on_raw_thread_delete(self, payload: discord.RawThreadDeleteEvent) -> None:
        """Give up what is being answered in a deleted thread."""
        self._talking.lose(payload.thread_id)

    async def on_guild_remove(self, guild: discord.Guild) -> None:
        """End what runs in a server that removed the app; an outage is another event."""
        with self._counted():
            await self._belonging.left(guild)

    async def on_guild_join(self, guild: discord.Guild) -> None:
        """Note a server that added the app."""
        with self._counted():
            await self._belonging.joined(guild)

    on_guild_available = on_guild_join
    """A server after an outage, which is nothing new; or one that Discord says is available."""

    async def on_servers_listed(self, shard: int, shards: int, guilds: frozenset[int]) -> None:
        """Hear of all servers of a shard, when its session begins."""
        with self._counted():
            await self._belonging.listed(shard, shards, guilds)

    async def on_error(self, event_method: str, *args: object, **kwargs: object) -> None:
        """Log an error in an event that belongs to no interaction."""
        log.exception("event_failed", discord_event=event_method)

    async def _tracked(self, told: T, kind: str, handle: Callable[[T], Awaitable[None]]) -> None:
        began = self.loop.time()
        self.gate.note_use()
        with structlog.contextvars.bound_contextvars(request_id=told.reference), self._counted():
            try:
                await self._error_hooks.run(told, handle)
                self._deliveries.finish(told.reply_id)  # unless this task is cancelled
            finally:
                seconds = round(self.loop.time() - began, 3)
                log.info("interaction_handled", kind=kind, seconds=seconds)

    @contextmanager
    def _counted(self) -> Generator[None]:
        """Count this task as busy, so that closing waits for it, or ends it, before the gateway."""
        task = cast("asyncio.Task[object]", asyncio.current_task())
        self._handling.add(task)
        try:
            yield
        finally:
            self._handling.discard(task)

    async def _handle(self, exchange: Exchange) -> None:
        match exchange.interaction.type:
            case discord.InteractionType.application_command:
                await self._run_command(exchange)
            case discord.InteractionType.auto_complete:
                await self._suggest(exchange)
            case discord.InteractionType.component:
                await self._clicks.handle(exchange)
            case discord.InteractionType.modal_submit:
                await self._submit(exchange)
            case _:
                log.info("interaction_of_unknown_type")

    async def _submit(self, exchange: Exchange) -> None:
        form = self._forms.get(kind_of(str(exchange.data.get("custom_id", ""))))
        if form is None:
            raise ButtonExpired
        await form.take(exchange)

    async def _run_command(self, exchange: Exchange) -> None:
        name = str(exchange.data.get("name"))
        found = self._commands.get(name)
        if found is None:
            offered = tuple(self.command_titles())
            raise CommandUnknown(command=f"/{name}", offered=offered)
        command, shape = found
        check_options(shape, mappings(exchange.data.get("options")), _attached(exchange))
        exchange.interaction.command = command
        failure: Exception | None = None
        try:  # the library would leave the answer to an error to a task that nobody waits for
            await command.invoke(CompanionContext(self, exchange.interaction, exchange))
        except discord.ApplicationCommandInvokeError as error:
            failure = error.original
        if failure is not None:
            raise failure  # not above: each of the two would be the other's reason then

    async def _suggest(self, exchange: Exchange) -> None:
        choices = self._error_hooks.listed(lambda: self._suggestions.choices(exchange))
        await exchange.suggest(choices)


def _attached(exchange: Exchange) -> frozenset[str]:
    resolved = mapping(exchange.data.get("resolved"))
    return frozenset(mapping(resolved.get("attachments")))
