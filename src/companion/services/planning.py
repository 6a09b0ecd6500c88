"""From what was asked to what will be sent, or to the reason why not.

Until the plan stands, nothing is stored, sent or spent, except to have speech written down.
"""

from __future__ import annotations

from dataclasses import dataclass

from companion.domain.accounts import Preferences
from companion.domain.actor import PersonId, Place
from companion.domain.context_window import Window
from companion.domain.conversation import ConversationId, ConversationKey, Turn
from companion.domain.errors import ButtonExpired, NotYours, TurnGone
from companion.domain.files import ImageFile, TextFile
from companion.domain.models import Catalogue, ModelId
from companion.ports.llm import ChatCall, ModelCatalogue, PriceList
from companion.ports.store import Store, UnitOfWork
from companion.services import prompting, secret_scan
from companion.services.access import AccessGate, may_manage
from companion.services.job import Job, Mode, Plan
from companion.services.model_choice import asked_for, first_known, known
from companion.services.payers import Payers, Paying
from companion.services.policy import ServicePolicy
from companion.services.reading_files import FileReading
from companion.services.request_checks import Options, checked_prompt


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """What the database knows of a request."""

    person: PersonId | None
    paying: Paying
    of_person: Preferences
    of_server: Preferences
    conversation: ConversationId | None
    earlier: Turn | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """What is asked, as far as it can be checked without looking anything up."""

    options: Options
    prompt: str


class Planner:
    """Checks a request, chooses key and model, and builds the prompt."""

    def __init__(
        self,
        *,
        store: Store,
        catalogue: ModelCatalogue,
        prices: PriceList,
        gate: AccessGate,
        payers: Payers,
        policy: ServicePolicy,
        files: FileReading,
    ) -> None:
        self._store = store
        self._catalogue = catalogue
        self._prices = prices
        self._gate = gate
        self._payers = payers
        self._policy = policy
        self._files = files

    async def plan(self, job: Job) -> Plan:
        """Return what to do; raises a `Refused`, a `StorageError`, or a `ProviderError`."""
        asked = _check(job)
        self._gate.check(job.actor, job.place, job.door)
        found = await self._look_up(job)
        catalogue = await self._catalogue.models(found.paying.credential)
        model = self._model(job, found, catalogue)
        await self._prices.prepare()
        tokens = self._window_tokens(model, catalogue)
        files = await self._files.read(job, found.paying)
        question = self._question(job, asked, files, found.earlier, tokens)
        system = prompting.instructions(
            self._policy.system_prompt, found.of_person, found.of_server
        )
        budget = prompting.history_budget(tokens, asked.options.max_tokens, system, question.text)
        window = await self._history(job, found, budget)
        return Plan(
            job=job,
            paying=found.paying,
            author=found.earlier.author_id if found.earlier else None,
            prompt=question.text,
            call=ChatCall(
                model=model,
                messages=prompting.messages(system, window, question),
                temperature=asked.options.temperature,
                max_tokens=asked.options.max_tokens,
            ),
            dropped_turns=window.dropped,
            notes=question.notes,
            replaces=job.earlier if _does_again(job, found.earlier) else None,
        )

    async def _look_up(self, job: Job) -> _Found:
        async with self._store.read() as unit:
            person = await unit.people.find(job.actor)
            earlier = await _earlier(unit, job, person)
            guild_id = job.place.guild_id
            return _Found(
                person=person,
                earlier=earlier,
                conversation=await _conversation(unit, job.place, person, earlier),
                paying=await self._payers.choose(unit, job.actor, job.place, person),
                of_person=await unit.preferences.of_person(person) if person else Preferences(),
                of_server=await unit.preferences.of_guild(guild_id) if guild_id else Preferences(),
            )

    def _model(self, job: Job, found: _Found, catalogue: Catalogue) -> ModelId:
        if model := asked_for(job.model):
            return known(catalogue, model)
        defaults = (
            found.earlier.model if found.earlier else None,
            found.of_person.default_model,
            found.of_server.default_model,
            self._policy.default_model,
        )
        return first_known(catalogue, defaults)

    def _window_tokens(self, model: ModelId, catalogue: Catalogue) -> int:
        listed = catalogue.find(model)
        return (
            (listed.context_tokens if listed else None)
            or self._prices.context_tokens(model)
            or prompting.DEFAULT_WINDOW_TOKENS
        )

    def _question(
        self,
        job: Job,
        asked: _Asked,
        files: tuple[TextFile | ImageFile, ...],
        earlier: Turn | None,
        window_tokens: int,
    ) -> prompting.Question:
        if earlier is None:
            return prompting.question(asked.prompt, files, window_tokens)
        again = _does_again(job, earlier)
        return prompting.Question(text=earlier.prompt if again else prompting.CONTINUE)

    async def _history(self, job: Job, found: _Found, budget_tokens: int) -> Window:
        if found.conversation is None:
            return Window(turns=(), dropped=0)
        before = None
        if found.earlier is not None:
            position = found.earlier.position
            before = position if _does_again(job, found.earlier) else position + 1
        async with self._store.read() as unit:
            return await prompting.history(unit.turns, found.conversation, before, budget_tokens)


def _check(job: Job) -> _Asked:
    options = Options(temperature=job.temperature, max_tokens=job.max_tokens)
    if job.mode is not Mode.NEW:
        return _Asked(options=options, prompt="")
    prompt = checked_prompt(job.prompt)
    secret_scan.check(prompt)
    return _Asked(options=options, prompt=prompt)


async def _earlier(unit: UnitOfWork, job: Job, person: PersonId | None) -> Turn | None:
    """Return the turn that a button names; raises `TurnGone`, `NotYours` or `ButtonExpired`."""
    if job.earlier is None:
        return None
    turn = await unit.turns.find(job.earlier)
    if turn is None:
        raise TurnGone
    if turn.author_id != person and not may_manage(job.actor, job.place.guild_id):
        raise NotYours
    # an answer is gone on with where it was given, and nowhere else
    if await _conversation(unit, job.place, person, turn) != turn.conversation_id:
        raise TurnGone
    if job.mode is Mode.ONWARD and turn.finish and not turn.finish.can_continue:
        raise ButtonExpired
    return turn


async def _conversation(
    unit: UnitOfWork, place: Place, person: PersonId | None, earlier: Turn | None
) -> ConversationId | None:
    owner = earlier.author_id if earlier else person
    if owner is None:
        return None
    return await unit.conversations.find(conversation_key(place, owner))


def conversation_key(place: Place, owner: PersonId) -> ConversationKey:
    """Return what makes requests of that person in that place one conversation."""
    return ConversationKey(channel_id=place.channel_id, owner_id=owner, guild_id=place.guild_id)


def _does_again(job: Job, earlier: Turn | None) -> bool:
    """Say whether the earlier answer is replaced: also when there is nothing to go on from."""
    return earlier is not None and (job.mode is Mode.AGAIN or not earlier.answer)
