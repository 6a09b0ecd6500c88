"""The app about itself: gateway address, account, commands."""

from __future__ import annotations

from collections.abc import Iterable

from companion.playground import payloads
from companion.playground.api_errors import ApiError, FormErrors, Problem
from companion.playground.application import Application
from companion.playground.calls import NO_CONTENT, Call, Reply, Route, route
from companion.playground.commands import CommandRegistry
from companion.playground.gateway import Gateway
from companion.playground.wire import as_int, as_list, objects
from companion.playground.world import World

_GLOBAL = "/applications/{application_id}/commands"
_GUILD = "/applications/{application_id}/guilds/{guild_id}/commands"


class AppRoutes:
    """`/gateway`, `/users`, `/applications`."""

    def __init__(
        self,
        world: World,
        application: Application,
        gateway: Gateway,
        commands: CommandRegistry,
    ) -> None:
        self._world = world
        self._application = application
        self._gateway = gateway
        self._commands = commands

    def routes(self) -> Iterable[Route]:
        """Return the routes."""
        yield route("GET", "/gateway", lambda _: Reply(body={"url": self._gateway.url}))
        yield route("GET", "/gateway/bot", lambda _: Reply(body=self._gateway.bot_info()))
        yield route("GET", "/users/@me", self.me)
        yield route("GET", "/users/{user_id}", self.user)
        yield route("POST", "/users/@me/channels", self.open_dm)
        for path in ("/applications/@me", "/oauth2/applications/@me"):
            yield route("GET", path, lambda _: Reply(body=self._application.payload()))
        yield route(
            "GET", "/applications/{application_id}/emojis", lambda _: Reply(body={"items": []})
        )
        for path in (_GLOBAL, _GUILD):
            yield route("GET", path, self.list_commands)
            yield route("POST", path, self.create_command)
            yield route("PUT", path, self.replace_commands)
            yield route("GET", f"{path}/{{command_id}}", self.get_command)
            yield route("PATCH", f"{path}/{{command_id}}", self.edit_command)
            yield route("DELETE", f"{path}/{{command_id}}", self.delete_command)

    # -- accounts ----------------------------------------------------------------------

    def me(self, call: Call) -> Reply:
        """Return the app's account."""
        return Reply(body=payloads.user(self._application.account) | {"verified": True})

    def user(self, call: Call) -> Reply:
        """Return a person."""
        person = self._world.people.get(call.id("user_id"))
        if person is None:
            raise ApiError(Problem.UNKNOWN_USER)
        return Reply(body=payloads.user(person))

    def open_dm(self, call: Call) -> Reply:
        """Open a DM with a person."""
        person = self._world.people.get(as_int(call.json().get("recipient_id")) or 0)
        if person is None:
            raise ApiError(Problem.UNKNOWN_USER)
        if person.bot:
            raise ApiError(Problem.CANNOT_DM)
        return Reply(body=payloads.channel(self._world.dm(person)))

    # -- commands ----------------------------------------------------------------------

    def list_commands(self, call: Call) -> Reply:
        """Return all commands of a scope."""
        return Reply(body=self._commands.all(self._scope(call)))

    def get_command(self, call: Call) -> Reply:
        """Return one command."""
        return Reply(body=self._commands.get(self._scope(call), call.id("command_id")))

    def create_command(self, call: Call) -> Reply:
        """Create or overwrite a command."""
        stored, is_new = self._commands.create(self._scope(call), call.json())
        return Reply(status=201 if is_new else 200, body=stored)

    def replace_commands(self, call: Call) -> Reply:
        """Replace all commands of a scope."""
        bodies = as_list(call.body)
        if bodies is None:
            errors = FormErrors()
            message = "Only iterables may be used in a ListType"
            errors.add((), "LIST_TYPE_CONVERT", message)
            errors.raise_if_any()
        return Reply(body=self._commands.replace(self._scope(call), objects(bodies)))

    def edit_command(self, call: Call) -> Reply:
        """Change a command."""
        scope, command_id = self._scope(call), call.id("command_id")
        return Reply(body=self._commands.edit(scope, command_id, call.json()))

    def delete_command(self, call: Call) -> Reply:
        """Delete a command."""
        self._commands.delete(self._scope(call), call.id("command_id"))
        return NO_CONTENT

    def _scope(self, call: Call) -> int | None:
        if call.id("application_id") != self._application.id:
            raise ApiError(Problem.MISSING_ACCESS)
        if "guild_id" not in call.parameters:
            return None
        guild_id = call.id("guild_id")
        guild = self._world.guilds.get(guild_id)
        if guild is None or self._application.id not in guild.members:
            raise ApiError(Problem.MISSING_ACCESS)
        return guild_id
