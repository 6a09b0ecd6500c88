"""Choices of people and servers; a persona is someone's text, so it is sealed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import bindparam, delete, select

from companion.db.keyring import KeyRing
from companion.db.rows import GuildPreferencesRow, PersonPreferencesRow
from companion.db.sealed import Binding, Purpose, Sealed
from companion.db.statements import Insert, Statements
from companion.domain.accounts import Preferences
from companion.domain.actor import GuildId, PersonId
from companion.domain.models import ModelId
from companion.domain.money import Caps
from companion.domain.usage import Micros

_PEOPLE: Final = PersonPreferencesRow.metadata.tables[PersonPreferencesRow.__tablename__]
_GUILDS: Final = GuildPreferencesRow.metadata.tables[GuildPreferencesRow.__tablename__]
_OF_PERSON: Final = select(_PEOPLE).where(_PEOPLE.c.person_id == bindparam("person"))
_OF_GUILD: Final = select(_GUILDS).where(_GUILDS.c.guild_id == bindparam("guild"))
_CHOICES: Final = ("default_model", "persona", "updated_at")
_CAPS: Final = ("person_day_micros", "server_month_micros")


class SqlPreferences:
    """Preferences, one row each."""

    def __init__(self, run: Statements, ring: KeyRing, now: Callable[[], datetime]) -> None:
        self._run = run
        self._ring = ring
        self._now = now

    async def of_person(self, person: PersonId) -> Preferences:
        """Return a person's choices."""
        row = (await self._run.quick(_OF_PERSON, {"person": person})).first()
        return Preferences() if row is None else self._open(row, PersonPreferencesRow.place(person))

    async def of_guild(self, guild: GuildId) -> Preferences:
        """Return a server's choices."""
        row = (await self._run.quick(_OF_GUILD, {"guild": guild})).first()
        if row is None:
            return Preferences()
        return replace(self._open(row, GuildPreferencesRow.place(guild)), caps=_caps(row))

    async def save_person(self, person: PersonId, preferences: Preferences) -> None:
        """Replace a person's choices."""
        insert = self._run.insert(PersonPreferencesRow).values(
            person_id=person,
            default_model=preferences.default_model,
            persona=self._seal(preferences.persona, PersonPreferencesRow.place(person)),
            updated_at=self._now(),
        )
        await self._replace(insert, "person_id")

    async def save_guild(self, guild: GuildId, preferences: Preferences) -> None:
        """Replace a server's choices."""
        insert = self._run.insert(GuildPreferencesRow).values(
            guild_id=guild,
            default_model=preferences.default_model,
            persona=self._seal(preferences.persona, GuildPreferencesRow.place(guild)),
            person_day_micros=preferences.caps.person_day,
            server_month_micros=preferences.caps.server_month,
            updated_at=self._now(),
        )
        await self._replace(insert, "guild_id", *_CAPS)

    async def remove_guild(self, guild: GuildId) -> None:
        """Delete a server's choices."""
        await self._run.run(
            delete(GuildPreferencesRow).where(GuildPreferencesRow.guild_id == guild)
        )

    async def _replace(self, insert: Insert, owner: str, *more: str) -> None:
        chosen = {column: insert.excluded[column] for column in (*_CHOICES, *more)}
        await self._run.run(insert.on_conflict_do_update(index_elements=[owner], set_=chosen))

    def _seal(self, persona: str | None, place: Binding) -> Sealed | None:
        return None if persona is None else self._ring.seal(Purpose.CONTENT, persona, place)

    def _open(self, row: Any, place: Binding) -> Preferences:
        persona = row.persona and self._ring.open(Purpose.CONTENT, row.persona, place)
        model = None if row.default_model is None else ModelId(row.default_model)
        return Preferences(default_model=model, persona=persona)


def _caps(row: Any) -> Caps:
    day, month = row.person_day_micros, row.server_month_micros
    return Caps(
        person_day=None if day is None else Micros(day),
        server_month=None if month is None else Micros(month),
    )
