"""Which models one may choose, for autocompletion and as one's default."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from companion.domain.actor import Actor, GuildId, Place
from companion.domain.errors import CompanionError, NotAllowed
from companion.domain.models import Catalogue, Credential, Model, ModelId
from companion.ports.clock import Clock
from companion.ports.llm import ModelCatalogue
from companion.ports.store import Store
from companion.services.access import AccessGate, Purpose, identity
from companion.services.background import BackgroundTasks
from companion.services.model_choice import closest, is_plausible, known
from companion.services.payers import Payers
from companion.services.policy import ServicePolicy

MOST: Final = 25
LONGEST: Final = 100
"""Discord's limits: choices, and characters of a choice."""

FRESH_S: Final = 300.0
_REMEMBERED: Final = 1000
_ALIKE: Final = 55


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelChoice:
    """A model to choose, and what is shown for it."""

    id: ModelId
    label: str


@dataclass(frozen=True, slots=True)
class _Shelved:
    """What one person may use in one place; `None` when we could not find out."""

    catalogue: Catalogue | None
    at: float


class ModelsService:
    """Models of whoever asks: no list made for one person is ever shown to another."""

    def __init__(
        self,
        *,
        store: Store,
        catalogue: ModelCatalogue,
        payers: Payers,
        gate: AccessGate,
        tasks: BackgroundTasks,
        clock: Clock,
        policy: ServicePolicy,
    ) -> None:
        self._store = store
        self._catalogue = catalogue
        self._payers = payers
        self._gate = gate
        self._tasks = tasks
        self._clock = clock
        self._policy = policy
        self._shelf: OrderedDict[tuple[str, GuildId | None], _Shelved] = OrderedDict()

    def suggest(self, actor: Actor, place: Place, typed: str) -> tuple[ModelChoice, ...]:
        """Return up to 25 models that go with what is typed, best first.

        Reads memory only. What this person may use is looked up in the background, so
        that the next letter finds it.
        """
        try:
            self._gate.check(actor, place, None)
        except NotAllowed:
            return ()
        catalogue = self._on_shelf(actor, place) or self._best_guess(actor, place)
        found = [_choice(model) for model in _ranked(catalogue, typed.strip())]
        return tuple(choice for choice in found if len(choice.id) <= LONGEST)[:MOST]

    async def choose(self, actor: Actor, place: Place, model: str) -> None:
        """Make a model the actor's default; raises `ModelUnknown` or a `KeyUnavailable`."""
        self._gate.check(actor, place, None, Purpose.OWN_DATA)
        chosen = known(await self._look_up(actor, place), model.strip())
        async with self._store.write() as unit:
            person = await unit.people.ensure(actor)
            preferences = await unit.preferences.of_person(person)
            await unit.preferences.save_person(person, replace(preferences, default_model=chosen))

    def start(self) -> None:
        """Look up the operator's models in the background, so that the first list has them."""
        if self._policy.operator is not None:
            self._tasks.start("operator's models", self._learn(self._policy.operator))

    def refresh(self, actor: Actor, place: Place, credential: Credential) -> None:
        """Look again what this new key may use."""
        self._catalogue.forget(credential)
        self.forget(actor, place)
        self._warm(actor, place)

    def forget(self, actor: Actor, place: Place) -> None:
        """Drop what was known for this person and, as its key may have changed, this server."""
        stale = [
            key
            for key in self._shelf
            if key[0] == identity(actor) or (place.guild_id and key[1] == place.guild_id)
        ]
        for key in stale:
            del self._shelf[key]

    def _on_shelf(self, actor: Actor, place: Place) -> Catalogue | None:
        key = (identity(actor), place.guild_id)
        shelved = self._shelf.get(key)
        if shelved is None or self._clock.monotonic() - shelved.at > FRESH_S:
            self._warm(actor, place)
        else:
            self._shelf.move_to_end(key)
        return shelved.catalogue if shelved else None

    def _best_guess(self, actor: Actor, place: Place) -> Catalogue:
        shared = self._policy.pays_for(actor, place)
        return self._catalogue.cached(self._policy.operator if shared else None)

    def _warm(self, actor: Actor, place: Place) -> None:
        name = f"models of {identity(actor)} in {place.guild_id}"
        if not self._tasks.runs(name):
            self._tasks.start(name, self._shelve(actor, place))

    async def _shelve(self, actor: Actor, place: Place) -> None:
        try:
            catalogue = await self._look_up(actor, place)
        except CompanionError:
            catalogue = None  # no key, or no database: asked again when this is stale
        self._shelf[identity(actor), place.guild_id] = _Shelved(catalogue, self._clock.monotonic())
        while len(self._shelf) > _REMEMBERED:
            self._shelf.popitem(last=False)

    async def _learn(self, credential: Credential) -> None:
        await self._catalogue.models(credential)

    async def _look_up(self, actor: Actor, place: Place) -> Catalogue:
        async with self._store.read() as unit:
            person = await unit.people.find(actor)
            paying = await self._payers.choose(unit, actor, place, person)
        return await self._catalogue.models(paying.credential)


def _ranked(catalogue: Catalogue, typed: str) -> Iterator[Model]:
    """Yield models whose name begins with what is typed, then holds it, then resembles it."""
    wanted = typed.lower()
    names = {model.id.lower(): model for model in catalogue.models}
    begins: list[str] = []
    holds: list[str] = []
    others: list[str] = []
    for name in names:
        kind = begins if name.startswith(wanted) else holds if wanted in name else others
        kind.append(name)
    alike = closest(wanted, others, limit=MOST, at_least=_ALIKE)
    for name in (*begins, *holds, *alike):
        yield names[name]
    # the list is not all there is, so what was typed may well be a model
    if wanted and not catalogue.complete and wanted not in names and is_plausible(typed):
        yield Model(id=ModelId(typed))


def _choice(model: Model) -> ModelChoice:
    date = model.ends_on
    ends = f" · ends {date.day} {date:%b %Y}" if date else ""
    room = LONGEST - len(ends)
    name = model.id if len(model.id) <= room else f"{model.id[: room - 1]}…"
    return ModelChoice(id=model.id, label=name + ends)
