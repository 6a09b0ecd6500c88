"""A local Discord: one server that speaks enough of Discord for a real app, and people in it.

Everything is in memory and on one port: REST at `/api/v10`, the gateway at `/gateway`,
files at `/attachments`. What people do is a method here; what the app answers is seen
on the returned `Interaction`, in `messages()` or through `subscribe()`.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

from aiohttp import web

from companion.playground.administration import Administration
from companion.playground.app_routes import AppRoutes
from companion.playground.application import Application
from companion.playground.attachments import AttachmentStore
from companion.playground.channel_routes import ChannelRoutes
from companion.playground.commands import CommandRegistry
from companion.playground.disruptions import Disruptions
from companion.playground.events import Bus, Subscription
from companion.playground.gateway import RESUME, Gateway
from companion.playground.interaction_desk import InteractionDesk
from companion.playground.interaction_routes import InteractionRoutes
from companion.playground.message_board import MessageBoard
from companion.playground.message_routes import MessageRoutes
from companion.playground.people import People
from companion.playground.rate_limits import RateLimits
from companion.playground.request_log import RequestLog
from companion.playground.rest_server import PREFIX, RestServer
from companion.playground.state import Person, Ping
from companion.playground.thread_routes import ThreadRoutes
from companion.playground.webhook_routes import WebhookRoutes
from companion.playground.world import World
from companion.playground.world_clock import WorldClock

_BODY_LIMIT = 128 * 1024 * 1024
_SHUTDOWN_S = 0.2


class LocalDiscord(People):
    """The server, its world, and the acts of its people."""

    def __init__(self) -> None:
        self.clock = WorldClock()
        bus = Bus()
        world = World(self.clock, bus)
        attachments = AttachmentStore(world)
        board = MessageBoard(world, attachments)
        desk = InteractionDesk(world, board)
        registry = CommandRegistry(world.ids, world.app.id, bus)
        super().__init__(world, board, desk, registry, attachments)
        owner = _furnish(world)
        self.application = Application(account=world.app, owner=owner, token=_token(world.app.id))
        self.gateway = Gateway(world, self.application, bus)
        self.limits = RateLimits()
        answers = InteractionRoutes(world, board, desk)
        routes = [
            *AppRoutes(world, self.application, self.gateway, registry).routes(),
            *ChannelRoutes(world).routes(),
            *MessageRoutes(world, board, self.application).routes(),
            *ThreadRoutes(world, board).routes(),
            *answers.routes(),
            *WebhookRoutes(world, board, desk, answers).routes(),
        ]
        self._rest = RestServer(routes, self.application, self.limits)
        self.interactions = desk
        self.admin = Administration(world)
        self.faults = Disruptions(self._rest.faults, self.gateway, desk, board)

    # -- the server ------------------------------------------------------------------

    @classmethod
    @asynccontextmanager
    async def start(
        cls,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        routes: Callable[[web.Application, LocalDiscord], None] | None = None,
    ) -> AsyncGenerator[LocalDiscord]:
        """Serve a new world until the context ends; `routes` adds more to the same server."""
        discord = cls()
        app = web.Application(client_max_size=_BODY_LIMIT)
        discord._add_routes(app)
        if routes is not None:
            routes(app, discord)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=_SHUTDOWN_S)
        await runner.setup()
        try:
            site = web.TCPSite(runner, host, port)
            await site.start()
            discord._found_at(host, runner.addresses[0][1])
            yield discord
        finally:
            discord._rest.closing.set()
            await discord.gateway.close()
            await runner.cleanup()

    def _add_routes(self, app: web.Application) -> None:
        app.router.add_get("/gateway", self.gateway.handle)
        app.router.add_get("/gateway/", self.gateway.handle)
        app.router.add_get("/gateway" + RESUME, self.gateway.handle)
        app.router.add_route("*", PREFIX + "/{path:.*}", self._rest.handle)
        for kind in ("attachments", "ephemeral-attachments"):
            path = f"/{kind}/{{id}}/{{name}}"
            app.router.add_get(path, self._attachments.handle)

    def _found_at(self, host: str, port: int) -> None:
        self.origin = f"http://{host}:{port}"
        self.world.origin = self.origin
        self.gateway.url = f"ws://{host}:{port}/gateway"

    @property
    def api_url(self) -> str:
        """Return the base of the REST API, without the version."""
        return f"{self.origin}/api"

    @property
    def token(self) -> str:
        """Return the app's token."""
        return self.application.token

    @property
    def application_id(self) -> int:
        """Return the app's id."""
        return self.application.id

    # -- watching ----------------------------------------------------------------------

    @property
    def requests(self) -> RequestLog:
        """Return every REST request so far."""
        return self._rest.requests

    @property
    def rate_limit_hits(self) -> int:
        """Return how many requests were refused by a rate limit."""
        return self.limits.hits

    @property
    def pings(self) -> list[Ping]:
        """Return the notifications that messages of the app caused."""
        return self._board.pings

    def subscribe(self) -> Subscription:
        """Return all events from now on."""
        return self.world.bus.subscribe()


def _furnish(world: World) -> Person:
    ada, grace = world.add_person("Ada"), world.add_person("Grace")
    guild = world.add_guild("Playground", owner=ada, members=(grace,))
    world.add_channel(guild, "random")
    world.add_group_dm(ada, grace)
    return ada


def _token(app_id: int) -> str:
    head = base64.urlsafe_b64encode(str(app_id).encode()).decode().rstrip("=")
    return f"{head}.{secrets.token_urlsafe(4)}.{secrets.token_urlsafe(28)}"
