"""The work of one reply, from the plan to what is stored of it.

It runs as a task of its own (`running_turns`), so a door that dies cannot leave a turn
half-done. Nothing is locked and no transaction is open while the model talks.
"""

from __future__ import annotations

from dataclasses import replace

from companion.domain.chat import Delta, Failed, Finished, Retrying, Started
from companion.domain.conversation import Finish
from companion.domain.errors import CompanionError, Draining, ProviderError, StreamCut
from companion.domain.usage import Usage
from companion.ports.clock import Clock
from companion.ports.llm import (
    ChatCall,
    ChatEnded,
    ChatProvider,
    PriceList,
    ProviderEvent,
    TextDelta,
    WaitingToRetry,
)
from companion.ports.store import Fingerprints
from companion.services.admission import Admission
from companion.services.job import Job, Plan, Progress
from companion.services.planning import Planner
from companion.services.recording import Begun, Recorder
from companion.services.running_turns import Cut, Running


class Replier:
    """Makes replies."""

    def __init__(
        self,
        *,
        planner: Planner,
        admission: Admission,
        recorder: Recorder,
        provider: ChatProvider,
        fingerprints: Fingerprints,
        prices: PriceList,
        clock: Clock,
    ) -> None:
        self._planner = planner
        self._admission = admission
        self._recorder = recorder
        self._provider = provider
        self._fingerprints = fingerprints
        self._prices = prices
        self._clock = clock

    async def reply(self, job: Job, running: Running) -> None:
        """Tell `running` all events of one reply, the last of them terminal."""
        try:
            running.tell(await self._outcome(job, running))
        except CompanionError as error:
            running.tell(Failed(error=error))
        finally:
            running.close()

    async def _outcome(self, job: Job, running: Running) -> Finished | Failed:
        began = self._clock.monotonic()
        plan = await self._planned(job, running)
        async with self._admission.admit(job.actor, job.place, plan.paying.credential):
            begun = await self._recorder.begin(plan)
            running.turn_ids.add(begun.turn_id)
            running.tell(
                Started(turn_id=begun.turn_id, model=plan.model, payer=plan.paying.credential.payer)
            )
            progress = Progress(began=began)
            try:
                await self._stream(plan, begun, running, progress)
            finally:
                progress.cut_by = running.cut_by
                usage = await self._recorder.end(plan, begun, progress)
        return self._terminal(plan, begun, progress, usage)

    async def _planned(self, job: Job, running: Running) -> Plan:
        async with running.interruptible():
            return await self._planner.plan(job)
        raise Draining  # cut while nothing was stored yet

    async def _stream(self, plan: Plan, begun: Begun, running: Running, progress: Progress) -> None:
        """Ask the model and tell what it says, until it ends, fails, or the reply is cut."""
        if running.cut_by is not None:
            return
        person = begun.call.person_id
        call = replace(plan.call, safety_id=self._fingerprints.safety_id(person))
        try:
            async with running.interruptible():
                await self._listen(plan, call, running, progress)
        except ProviderError as error:
            progress.error = error

    async def _listen(
        self, plan: Plan, call: ChatCall, running: Running, progress: Progress
    ) -> None:
        async with self._provider.stream_chat(plan.paying.credential, call) as events:
            async for event in events:
                self._note(event, running, progress)
        if progress.ended is None:
            raise StreamCut(reason="eof")

    def _note(self, event: ProviderEvent, running: Running, progress: Progress) -> None:
        match event:
            case TextDelta(text=text):
                if progress.first_text is None:
                    progress.first_text = self._clock.monotonic()
                progress.texts.append(text)
                running.tell(Delta(text=text))
            case WaitingToRetry(wait_s=wait_s):
                running.tell(Retrying(wait_s=wait_s))
            case ChatEnded():
                progress.ended = event

    def _terminal(
        self, plan: Plan, begun: Begun, progress: Progress, usage: Usage
    ) -> Finished | Failed:
        if progress.error is not None and progress.finish is Finish.FAILED:
            return Failed(error=progress.error, turn_id=begun.turn_id)
        credential = plan.paying.credential
        return Finished(
            turn_id=begun.turn_id,
            model=plan.model,
            payer=credential.payer,
            finish=progress.finish,
            usage=usage,
            cost_micros=self._prices.cost(plan.model, usage, credential.base_url),
            seconds=self._clock.monotonic() - progress.began,
            adaptations=progress.ended.adaptations if progress.ended else (),
            dropped_turns=plan.dropped_turns,
            cause=_cause(progress),
        )


def _cause(progress: Progress) -> CompanionError | None:
    if progress.finish is not Finish.INTERRUPTED:
        return None
    return Draining() if progress.cut_by is Cut.DRAINING else progress.error
