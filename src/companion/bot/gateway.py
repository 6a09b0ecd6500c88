"""The client's connections: one `ShardLine` a shard, and the rules of beginning sessions."""

from __future__ import annotations

import asyncio
from typing import Any, Final, cast

import discord
from discord.gateway import DiscordWebSocket
from discord.http import API_VERSION, Route

from companion.bot.identify_gate import BotGateway, IdentifyGate
from companion.bot.identify_record import IdentifyRecord
from companion.bot.shard_line import ShardLine
from companion.ports.clock import Clock

QUERY: Final = f"?encoding=json&v={API_VERSION}&compress=zlib-stream"


class GatewayBot(discord.AutoShardedBot):
    """The library's sharded client, connected in a way of our own.

    Sharded even for one shard: only this client keeps several apart.
    """

    def __init__(self, *, record: IdentifyRecord, clock: Clock, **options: Any) -> None:
        super().__init__(**options)  # pyright: ignore[reportUnknownMemberType]
        self.gate = IdentifyGate(self._ask_gateway, record, clock)

    async def connect(self, *, reconnect: bool = True) -> None:
        """Stay connected until closed.

        Raises `ConnectionsUsedUp`, and `discord.ConnectionClosed` with a code after which
        connecting again is no use: it concerns all shards.
        """
        self._reconnect = reconnect
        lines = self._lines(await self.gate.check())
        tasks = {asyncio.create_task(line.run(), name=f"line {line.id}") for line in lines}
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """Do nothing: the gate has let the shard pass before it connected."""

    def _lines(self, known: BotGateway) -> list[ShardLine]:
        state = self._connection
        self.shard_count = state.shard_count = self.shard_count or known.shards
        state.shard_ids = list(self.shard_ids or range(self.shard_count))
        return [
            ShardLine(shard_id, self.gate, self._open_socket, self._note_begun)
            for shard_id in state.shard_ids
        ]

    def _note_begun(self, line: ShardLine) -> None:
        # the library looks its shards up under this name, and wants of them what a line has
        shards = cast("dict[int, object]", self._AutoShardedClient__shards)  # type: ignore[attr-defined]
        shards[line.id] = line
        if len(shards) == len(self._connection.shard_ids):
            self._connection.shards_launched.set()

    async def _open_socket(
        self,
        gateway: str,
        *,
        shard_id: int,
        resume: bool,
        session: str | None,
        sequence: int | None,
    ) -> DiscordWebSocket:
        return await DiscordWebSocket.from_client(
            self,
            gateway=gateway + QUERY,
            shard_id=shard_id,
            resume=resume,
            session=session,
            sequence=sequence,
        )

    async def _ask_gateway(self) -> BotGateway:
        return BotGateway.read(await self.http.request(Route("GET", "/gateway/bot")))
