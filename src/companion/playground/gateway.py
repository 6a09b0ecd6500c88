"""Discord's gateway: who is connected, and which event goes to whom."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from aiohttp import web

from companion.playground import payloads
from companion.playground.application import Application
from companion.playground.events import Bus, Dispatch, EventKind, WorldEvent
from companion.playground.gateway_connection import (
    Close,
    GatewayClosed,
    GatewayConnection,
    Op,
)
from companion.playground.gateway_session import GatewaySession
from companion.playground.state import Guild, Member, Person
from companion.playground.vocabulary import PRIVILEGED, Intent
from companion.playground.wire import JsonObject, as_int, as_list
from companion.playground.world import World

VERSION = 10
RESUME = "/resume"
"""What is added to the address for those who come back, so that one sees who minds it."""
_SESSIONS_A_DAY = 1000
_IDENTIFY_WINDOW_S = 5.0
_INTENT_BITS = 26
_GOODBYE_S = 0.5
_DETACHED_KEPT = 16
_FINAL_CODES = frozenset({1000, 1001})


class Gateway:
    """All gateway sessions of the app.

    `shards` is how many Discord recommends, `max_concurrency` how many may identify
    within five seconds (kept to only when `enforce_concurrency`, since it makes every
    quick restart wait), `identifies` counts all IDENTIFYs, `paths` are those that were
    connected to, in order. Shards in `refused_shards` are cut off when they come.
    """

    def __init__(self, world: World, application: Application, bus: Bus) -> None:
        self._world = world
        self._application = application
        self._bus = bus
        self._last_identify: dict[int, float] = {}
        self.url = ""
        self.sessions: dict[str, GatewaySession] = {}
        self.connections: list[GatewayConnection] = []
        self.heartbeat_interval_ms = 41_250
        self.shards = 1
        self.max_concurrency = 1
        self.enforce_concurrency = False
        self.identifies = 0
        self.resumes = 0
        self.paths: list[str] = []
        self.refused_shards: set[int] = set()
        bus.connect(self._dispatch)

    # -- REST --------------------------------------------------------------------

    def bot_info(self) -> JsonObject:
        """Return the answer of `GET /gateway/bot`."""
        return {
            "url": self.url,
            "shards": self.shards,
            "session_start_limit": {
                "total": _SESSIONS_A_DAY,
                "remaining": max(0, _SESSIONS_A_DAY - self.identifies),
                "reset_after": 86_400_000,
                "max_concurrency": self.max_concurrency,
            },
        }

    # -- connections ---------------------------------------------------------------

    async def handle(self, request: web.Request) -> web.WebSocketResponse:
        """Serve one websocket."""
        socket = web.WebSocketResponse(compress=False, timeout=_GOODBYE_S, max_msg_size=1 << 16)
        await socket.prepare(request)
        query = request.query
        compress = query.get("compress") == "zlib-stream"
        connection = GatewayConnection(self, socket, compress=compress)
        if query.get("v", str(VERSION)) != str(VERSION) or query.get("encoding", "json") != "json":
            await socket.close(code=Close.INVALID_VERSION)
            return socket
        self.connections.append(connection)
        self.paths.append(request.path)
        try:
            await connection.serve()
        finally:
            self.connections.remove(connection)
        return socket

    async def close(self) -> None:
        """Say goodbye to all connections and wait for their ends."""
        for connection in list(self.connections):
            await connection.end()

    def identify(
        self,
        connection: GatewayConnection,
        token: str,
        intents: int,
        shard: Sequence[int | None],
    ) -> None:
        """Start a session for a connection, or refuse as Discord does."""
        self.identifies += 1
        self._check_token(token)
        numbers = _shard(shard)
        wanted = self._intents(intents)
        if numbers[0] in self.refused_shards:
            connection.drop()
            return
        if self._too_soon(numbers[0]):
            connection.send_op(Op.INVALID_SESSION, data=False)
            return
        self._forget_detached()
        session = GatewaySession(numbers, wanted)
        self.sessions[session.id] = session
        self._attach(connection, session)
        session.dispatch(Dispatch(name="READY", data=self._ready(session)))
        for guild in self._guilds_of(session):
            session.dispatch(Dispatch(name="GUILD_CREATE", data=self._world.guild_create(guild)))
        self._bus.announce(WorldEvent(kind=EventKind.APP_ONLINE))

    def resume(
        self, connection: GatewayConnection, token: str, session_id: str, sequence: int
    ) -> None:
        """Give a connection its former session and all it missed."""
        self._check_token(token)
        session = self.sessions.get(session_id)
        missed = None if session is None else session.missed_since(sequence)
        if session is None or missed is None:
            connection.send_op(Op.INVALID_SESSION, data=False)
            return
        if session.shard[0] in self.refused_shards:
            connection.drop()
            return
        self.resumes += 1
        self._attach(connection, session)
        for frame in missed:
            connection.send(frame)
        session.dispatch(Dispatch(name="RESUMED", data={"_trace": []}))
        self._bus.announce(WorldEvent(kind=EventKind.APP_ONLINE))

    def detached(self, connection: GatewayConnection, code: int | None) -> None:
        """Note that a connection ended; a proper goodbye ends its session too."""
        session = connection.session
        if session is None or session.wire is not connection:
            return
        session.wire = None
        if code in _FINAL_CODES:
            self.sessions.pop(session.id, None)
        if not self.online:
            self._bus.announce(WorldEvent(kind=EventKind.APP_OFFLINE))

    def _forget_detached(self) -> None:
        detached = [session.id for session in self.sessions.values() if session.wire is None]
        for session_id in detached[:-_DETACHED_KEPT]:
            del self.sessions[session_id]

    def _attach(self, connection: GatewayConnection, session: GatewaySession) -> None:
        if isinstance(session.wire, GatewayConnection):
            session.wire.close(Close.SESSION_TIMED_OUT)
        session.wire = connection
        connection.session = session

    def _check_token(self, token: str) -> None:
        if token.removeprefix("Bot ") != self._application.token:
            raise GatewayClosed(Close.AUTHENTICATION_FAILED)

    def _intents(self, wanted: int) -> Intent:
        if wanted >= 1 << _INTENT_BITS:
            raise GatewayClosed(Close.INVALID_INTENTS)
        intents = Intent(wanted)
        if intents & PRIVILEGED & ~self._application.privileged:
            raise GatewayClosed(Close.DISALLOWED_INTENTS)
        return intents

    def _too_soon(self, shard: int) -> bool:
        now, key = asyncio.get_running_loop().time(), shard % self.max_concurrency
        last = self._last_identify.get(key)
        too_soon = self.enforce_concurrency and last is not None
        if too_soon and last is not None and now - last < _IDENTIFY_WINDOW_S:
            return True
        self._last_identify[key] = now
        return False

    def _ready(self, session: GatewaySession) -> JsonObject:
        guilds = self._guilds_of(session)
        return {
            "v": VERSION,
            "user": payloads.user(self._application.account) | {"verified": True},
            "guilds": [{"id": str(guild.id), "unavailable": True} for guild in guilds],
            "private_channels": [],
            "session_id": session.id,
            "resume_gateway_url": self.url + RESUME,
            "session_type": "normal",
            "shard": list(session.shard),
            "application": {
                "id": str(self._application.id),
                "flags": self._application.flags,
            },
            "_trace": ["local-discord"],
        }

    def _guilds_of(self, session: GatewaySession) -> list[Guild]:
        app = self._application.id
        return [
            guild
            for guild in self._world.guilds.values()
            if app in guild.members and session.covers(guild.id)
        ]

    # -- events ----------------------------------------------------------------------

    @property
    def online(self) -> bool:
        """Say whether any shard of the app is connected."""
        return any(session.wire is not None for session in self.sessions.values())

    def _dispatch(self, event: Dispatch) -> None:
        for session in self.sessions.values():
            if session.wants(event):
                session.dispatch(event)

    def send_members(self, session: GatewaySession, request: JsonObject) -> None:
        """Answer a request for a server's members, in one chunk."""
        guild = self._world.guilds.get(as_int(request.get("guild_id")) or 0)
        if guild is None:
            return
        data: JsonObject = {
            "guild_id": str(guild.id),
            "members": [payloads.member(member) for member in _matching(guild, request)],
            "chunk_index": 0,
            "chunk_count": 1,
            "not_found": [],
        }
        if "nonce" in request:
            data["nonce"] = request["nonce"]
        session.dispatch(Dispatch(name="GUILD_MEMBERS_CHUNK", data=data))


def _shard(numbers: Sequence[int | None]) -> tuple[int, int]:
    if len(numbers) != 2 or None in numbers:  # noqa: PLR2004
        raise GatewayClosed(Close.INVALID_SHARD)
    number, count = numbers[0] or 0, numbers[1] or 0
    if not 0 <= number < count:
        raise GatewayClosed(Close.INVALID_SHARD)
    return number, count


def _matching(guild: Guild, request: JsonObject) -> list[Member]:
    wanted = request.get("user_ids")
    listed = as_list(wanted) or [wanted]
    members = list(guild.members.values())
    if wanted:
        ids = {as_int(one) for one in listed}
        return [member for member in members if member.person.id in ids]
    query = str(request.get("query") or "").lower()
    found = [m for m in members if _starts(m.person, query)]
    return found[: as_int(request.get("limit")) or None]


def _starts(person: Person, query: str) -> bool:
    return person.username.lower().startswith(query)
