"""The work of one reply, from the plan to what is stored of it.

It runs as a task of its own (`running_turns`), so a door that dies cannot leave a turn
half-done. Nothing is locked and no transaction is open while the model talks.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final
from uuid import uuid4

from companion.domain.actor import Actor, PersonId, Place
from companion.domain.chat import Delta, Failed, Finished, Queued, Retrying, Started
from companion.domain.conversation import Finish, TurnId
from companion.domain.errors import CompanionError, Draining, ProviderError, Refused, StreamCut
from companion.domain.server_errors import NotInServer
from companion.ports.clock import Clock
from companion.ports.limits import Ticket
from companion.ports.llm import (
    ChatEnded,
    ChatProvider,
    ProviderEvent,
    TextDelta,
    WaitingToRetry,
)
from companion.ports.store import Fingerprints
from companion.services.admission import Admission
from companion.services.job import Job, Plan, Progress
from companion.services.planning import Planner
from companion.services.prompting import expected_tokens
from companion.services.rechecking import Rechecking
from companion.services.recording import Recorder, Result
from companion.services.running_turns import Cut, Running
from companion.services.summarising import Summarizer

QUEUED_EVERY_S: Final = 3.0
"""How often someone who waits is told how the queue moves, at most; less when it is long.

The time that is left counts down on their screen by itself.
"""


class Replier:
    """Makes replies."""

    def __init__(
        self,
        *,
        planner: Planner,
        admission: Admission,
        rechecking: Rechecking,
        recorder: Recorder,
        provider: ChatProvider,
        fingerprints: Fingerprints,
        clock: Clock,
        summarizer: Summarizer,
    ) -> None:
        self._planner = planner
        self._admission = admission
        self._rechecking = rechecking
        self._recorder = recorder
        self._provider = provider
        self._fingerprints = fingerprints
        self._clock = clock
        self._summarizer = summarizer

    def knock(self, actor: Actor, place: Place) -> None:
        """Raise what is known to stand against any reply to them now: see `Admission.knock`."""
        self._admission.knock(actor, place)

    async def reply(self, job: Job, running: Running) -> None:
        """Tell `running` all events of one reply, the last of them terminal."""
        try:
            running.tell(await self._outcome(job, running))
        except CompanionError as error:
            running.tell(Failed(error=error))

    async def _outcome(self, job: Job, running: Running) -> Finished | Failed:
        began = self._clock.monotonic()
        self._admission.glance(job.actor, job.place)
        with self._admission.at_desk(job.actor, job.place) as desk:
            return await self._at_desk(job, running, desk, began)

    async def _at_desk(
        self, job: Job, running: Running, desk: Ticket, began: float
    ) -> Finished | Failed:
        plan = await self._planned(job, running, desk)
        credential = plan.paying.credential
        await self._admission.buckets(job.actor, job.place, credential)
        with self._admission.enter(
            job.actor, job.place, credential, lambda: expected_tokens(plan.call)
        ) as ticket:
            if running.cut_by is not None:
                raise _cut_short(running)
            progress, waits = self._new_progress(began), ticket.waits
            running.turn_ids.add(progress.turn_id)
            try:
                person = await self._recorder.begin(plan, progress, sends=not waits)
                desk.leave()
                if waits:
                    plan = await self._plan_in_turn(plan, person, ticket, running, progress)
                if progress.requests:
                    running.tell(_started(plan, progress))
                    await self._stream(plan, person, running, progress)
            finally:
                progress.cut_by = running.cut_by
                result = self._recorder.result(plan, progress)
                if progress.turn is not None:
                    progress.nearly_spent = await self._recorder.end(plan, progress, result)
        if progress.finish is not Finish.FAILED and progress.cut_by is None:
            self._summarizer.consider(plan, progress.turn_id, person)
        return self._terminal(plan, progress, result)

    def _new_progress(self, began: float) -> Progress:
        return Progress(turn_id=TurnId(uuid4()), began=began, asked=self._clock.monotonic())

    async def _planned(self, job: Job, running: Running, desk: Ticket) -> Plan:
        async with running.interruptible():
            if desk.waits:
                await desk.wait()
                self._admission.glance_again(job.actor, job.place)
            if job.files:  # which may take minutes to read, and are few at once by themselves
                desk.leave()
            return await self._planner.plan(job)
        raise _cut_short(running)

    async def _plan_in_turn(
        self, plan: Plan, person: PersonId, ticket: Ticket, running: Running, progress: Progress
    ) -> Plan:
        """Wait for the turn, and return the plan as it may still be carried out then.

        Its request is logged as going out, unless the reply was cut or may not be made any more.
        """
        async with running.interruptible():
            while (standing := ticket.standing()) is not None:
                ahead, wait_s = standing.ahead, standing.wait_s
                running.tell(Queued(turn_id=progress.turn_id, ahead=ahead, wait_s=wait_s))
                await ticket.wait(max(QUEUED_EVERY_S, wait_s / 2))
        if running.cut_by is not None:
            return plan
        try:
            plan = await self._rechecking.recheck(plan)
        except Refused as refusal:
            progress.refusal = refusal
        else:
            await self._recorder.start(plan, progress, person)
        return plan

    async def _stream(
        self, plan: Plan, person: PersonId, running: Running, progress: Progress
    ) -> None:
        """Ask the model and tell what it says, until it ends, fails, or the reply is cut."""
        if running.cut_by is not None:
            return
        call = replace(plan.call, safety_id=self._fingerprints.safety_id(person))
        progress.sent = True
        try:
            async with running.interruptible():
                async with self._provider.stream_chat(plan.paying.credential, call) as events:
                    async for event in events:
                        await self._note(event, running, progress)
                if progress.ended is None:
                    raise StreamCut(reason="eof")
        except ProviderError as error:
            progress.error = error

    async def _note(self, event: ProviderEvent, running: Running, progress: Progress) -> None:
        match event:
            case TextDelta(text=text):
                if progress.first_text is None:
                    progress.first_text = self._clock.monotonic()
                progress.texts.append(text)
                running.tell(Delta(text=text))
            case WaitingToRetry(wait_s=wait_s, failed=failed):
                running.tell(Retrying(wait_s=wait_s))
                if failed is not None:
                    await self._recorder.ask_again(progress, failed)
            case ChatEnded():
                progress.ended = event

    def _terminal(self, plan: Plan, progress: Progress, result: Result) -> Finished | Failed:
        error = progress.refusal or progress.error
        if error is not None and progress.finish is Finish.FAILED:
            return Failed(error=error, turn_id=progress.turn_id)
        return Finished(
            turn_id=progress.turn_id,
            model=plan.model,
            payer=plan.paying.credential.payer,
            finish=progress.finish,
            usage=result.usage,
            cost_micros=result.cost_micros,
            seconds=self._clock.monotonic() - progress.began,
            adaptations=progress.ended.adaptations if progress.ended else (),
            dropped_turns=plan.dropped_turns,
            notes=plan.notes,
            number=plan.number,
            summarized=plan.summarized,
            cause=_cause(progress),
            nearly_spent=progress.nearly_spent,
        )


def _cut_short(running: Running) -> Refused:
    """Return why there will be nothing, when a reply was cut before anything of it was stored."""
    return NotInServer() if running.cut_by is Cut.LEFT else Draining()


def _started(plan: Plan, progress: Progress) -> Started:
    payer = plan.paying.credential.payer
    return Started(turn_id=progress.turn_id, model=plan.model, payer=payer)


def _cause(progress: Progress) -> CompanionError | None:
    if progress.finish is not Finish.INTERRUPTED:
        return None
    return Draining() if progress.cut_by is Cut.DRAINING else progress.error
