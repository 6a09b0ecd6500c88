"""What people who run a server do to it: roles, permissions, members, threads."""

from __future__ import annotations

from companion.playground import payloads
from companion.playground.events import Dispatch
from companion.playground.state import Channel, Guild, Overwrite, Person, Role
from companion.playground.threads import set_archived
from companion.playground.vocabulary import MEMBER_DEFAULTS, NO_PERMISSION, Intent, Permission
from companion.playground.wire import JsonObject
from companion.playground.world import World


class Administration:
    """Changes of a server; the app is told as Discord would tell it."""

    def __init__(self, world: World) -> None:
        self._world = world

    # -- permissions -------------------------------------------------------------------

    def overwrite(
        self,
        channel: Channel | str,
        who: Person | Role,
        *,
        allow: Permission = NO_PERMISSION,
        deny: Permission = NO_PERMISSION,
    ) -> None:
        """Set what a channel allows and denies to a person or role."""
        where = self._world.channel(channel)
        is_person = isinstance(who, Person)
        where.overwrites[who.id] = Overwrite(member=is_person, allow=allow, deny=deny)
        self._world.change_channel(where)

    def set_everyone(self, guild: Guild, permissions: Permission) -> None:
        """Set what `@everyone` may do."""
        role = guild.roles[guild.id]
        role.permissions = permissions
        self._tell_role("GUILD_ROLE_UPDATE", guild, role)

    def add_role(
        self,
        guild: Guild,
        name: str,
        permissions: Permission = MEMBER_DEFAULTS,
        *,
        mentionable: bool = False,
    ) -> Role:
        """Make a role."""
        role = Role(
            id=self._world.ids.next(),
            name=name,
            permissions=permissions,
            position=len(guild.roles),
            mentionable=mentionable,
        )
        guild.roles[role.id] = role
        self._tell_role("GUILD_ROLE_CREATE", guild, role)
        return role

    def give_role(self, guild: Guild, person: Person | str, role: Role) -> None:
        """Give a member a role."""
        member = guild.members[self._world.person(person).id]
        member.roles.add(role.id)
        data = payloads.member(member)
        # Everybody hears of their own membership, of others' with the intent only.
        own = member.person is self._world.app
        intent = Intent.GUILDS if own else Intent.GUILD_MEMBERS
        self._tell("GUILD_MEMBER_UPDATE", guild, data | {"guild_id": str(guild.id)}, intent)

    def _tell_role(self, name: str, guild: Guild, role: Role) -> None:
        self._tell(name, guild, {"guild_id": str(guild.id), "role": payloads.role(role)})

    # -- members -----------------------------------------------------------------------

    def remove_app(self, guild: Guild) -> None:
        """Kick the app out of a server, which takes its role along."""
        self._tell("GUILD_DELETE", guild, {"id": str(guild.id)})
        for role_id in guild.members.pop(self._world.app.id).roles:
            del guild.roles[role_id]

    def add_app(self, guild: Guild) -> None:
        """Let the app into a server, again perhaps."""
        self._world.admit_app(guild)

    def begin_outage(self, guild: Guild) -> None:
        """Let a server be unavailable for a while: nobody left anything."""
        self._tell("GUILD_DELETE", guild, {"id": str(guild.id), "unavailable": True})

    def end_outage(self, guild: Guild) -> None:
        """Let a server be available again."""
        self._tell("GUILD_CREATE", guild, self._world.guild_create(guild))

    def remove_person(self, guild: Guild, person: Person | str) -> None:
        """Take a person out of a server."""
        who = self._world.person(person)
        del guild.members[who.id]
        data: JsonObject = {"guild_id": str(guild.id), "user": payloads.user(who)}
        self._tell("GUILD_MEMBER_REMOVE", guild, data, Intent.GUILD_MEMBERS)

    # -- threads -----------------------------------------------------------------------

    def lock(self, thread: Channel) -> None:
        """Lock an open thread: from now on only who manages threads writes in it."""
        assert thread.thread is not None
        thread.thread.locked = True
        self._world.change_channel(thread)

    def archive(self, thread: Channel, *, locked: bool = False) -> None:
        """Archive a thread, and lock it when asked to."""
        assert thread.thread is not None
        thread.thread.locked = locked
        set_archived(self._world, thread, archived=True)

    def _tell(
        self, name: str, guild: Guild, data: JsonObject, intent: Intent = Intent.GUILDS
    ) -> None:
        self._world.bus.dispatch(Dispatch(name=name, data=data, guild_id=guild.id, intent=intent))
