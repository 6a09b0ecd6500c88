"""From what was asked to what will be sent, or to the reason why not.

Until the plan stands, nothing is stored, sent or spent, except to have speech written down.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from companion.domain.accounts import Preferences
from companion.domain.actor import PersonId
from companion.domain.conversation import Turn, TurnId
from companion.domain.errors import ButtonExpired
from companion.domain.files import ImageFile, TextFile
from companion.domain.models import Catalogue, ModelId
from companion.domain.queue_errors import PayerChanged
from companion.ports.llm import ChatCall, ChatMessage, ModelCatalogue, PriceList
from companion.ports.store import Store, UnitOfWork
from companion.services import prompting, secret_scan, speakers
from companion.services.access import AccessGate
from companion.services.budgets import LONGEST_ANSWER, Budgets, capped, most_used
from companion.services.history import Past, Reader, read_past
from companion.services.homes import Home, home_of_reply, own_turn
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
    home: Home
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
        budgets: Budgets,
    ) -> None:
        self._store = store
        self._catalogue = catalogue
        self._prices = prices
        self._gate = gate
        self._payers = payers
        self._policy = policy
        self._files = files
        self._budgets = budgets

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
        system = prompting.in_context(
            system,
            speakers.TOLD if found.home.shared else "",
            prompting.quote_note(found.home.quoted),
        )
        max_tokens = asked.options.max_tokens
        if capped(found.paying, job.place.guild_id):
            max_tokens = max_tokens or LONGEST_ANSWER
        budget = prompting.history_budget(tokens, max_tokens, system, question.text)
        private = found.earlier.private if found.earlier else job.private
        past = await self._past(found, private=private, budget_tokens=budget)
        replaces = job.earlier if _does_again(job, found.earlier) else None
        call = ChatCall(
            model=model,
            messages=_messages(job, found, system, past, question),
            temperature=asked.options.temperature,
            max_tokens=max_tokens,
        )
        return Plan(
            job=job,
            paying=found.paying,
            author=found.earlier.author_id if found.earlier else None,
            speaker=found.earlier.speaker if found.earlier else job.actor.name,
            prompt=question.text,
            call=call,
            bill=self._budgets.bill(found.paying, job.place.guild_id, model, most_used(call)),
            home=found.home,
            private=private,
            dropped_turns=past.window.dropped,
            number=_number(found.home, past, replaces),
            summarized=bool(past.summary),
            notes=question.notes,
            due=past.due,
            replaces=replaces,
        )

    async def _look_up(self, job: Job) -> _Found:
        async with self._store.read() as unit:
            person = await unit.people.find(job.actor)
            earlier = await _earlier(unit, job, person)
            paying = await self._payers.choose(unit, job.actor, job.place, person)
            if job.paid_with not in {None, paying.credential.fingerprint}:
                raise PayerChanged
            guild_id = job.place.guild_id
            of_server = await unit.preferences.of_guild(guild_id) if guild_id else Preferences()
            return _Found(
                person=person,
                earlier=earlier,
                home=await _home(unit, job, person, earlier),
                paying=paying,
                of_person=await unit.preferences.of_person(person) if person else Preferences(),
                of_server=of_server,
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
        if earlier is None or job.mode is Mode.REVISED:
            return prompting.question(asked.prompt, files, window_tokens)
        again = _does_again(job, earlier)
        return prompting.Question(text=earlier.prompt if again else prompting.CONTINUE)

    async def _past(self, found: _Found, *, private: bool, budget_tokens: int) -> Past:
        home = found.home
        if home.conversation is None:
            return Past()
        reader = Reader(person=found.person, private=private)
        async with self._store.read() as unit:
            return await read_past(unit, home.conversation, home.before, reader, budget_tokens)


def _check(job: Job) -> _Asked:
    options = Options(temperature=job.temperature, max_tokens=job.max_tokens)
    if job.mode not in {Mode.NEW, Mode.REVISED}:
        return _Asked(options=options, prompt="")
    prompt = checked_prompt(job.prompt)
    secret_scan.check(prompt)
    return _Asked(options=options, prompt=prompt)


async def _earlier(unit: UnitOfWork, job: Job, person: PersonId | None) -> Turn | None:
    """Return the turn that a button names; raises `TurnGone`, `NotYours` or `ButtonExpired`."""
    if job.earlier is None:
        return None
    turn, _ = await own_turn(unit, job.earlier, job.actor, job.place, person)
    if job.mode is Mode.ONWARD and turn.finish and not turn.finish.can_continue:
        raise ButtonExpired
    return turn


async def _home(unit: UnitOfWork, job: Job, person: PersonId | None, earlier: Turn | None) -> Home:
    if earlier is None:
        return await home_of_reply(unit, job.reply_to, job.place, person)
    again = _does_again(job, earlier)
    conversation = await unit.conversations.get(earlier.conversation_id)
    return Home(
        conversation=earlier.conversation_id,
        shared=conversation is not None and conversation.owner_id is None,
        before=earlier.position if again else earlier.position + 1,
    )


def _does_again(job: Job, earlier: Turn | None) -> bool:
    """Say whether the earlier answer is replaced: also when there is nothing to go on from."""
    return earlier is not None and (job.mode in {Mode.AGAIN, Mode.REVISED} or not earlier.answer)


def _messages(
    job: Job, found: _Found, system: str, past: Past, question: prompting.Question
) -> tuple[ChatMessage, ...]:
    system = prompting.in_context(system, prompting.summary_note(past.summary))
    window = past.window
    if found.home.shared:
        names = speakers.Speakers()
        window = replace(window, turns=names.labelled(window.turns))
        author = found.earlier.author_id if found.earlier else found.person
        speaker = found.earlier.speaker if found.earlier else job.actor.name
        question = replace(question, text=names.label(author, speaker, question.text))
    return prompting.messages(system, window, question)


def _number(home: Home, past: Past, replaces: TurnId | None) -> int:
    if home.fork is not None:
        return 1
    return max(1, past.number + (replaces is None))
