"""All services, wired: what every front door is given."""

from __future__ import annotations

from dataclasses import dataclass

from companion.ports.clock import Clock
from companion.ports.files import FileReader
from companion.ports.limits import FairQueue, Limiter
from companion.ports.llm import ChatProvider, ModelCatalogue, PriceList
from companion.ports.relay import RelayProvider
from companion.ports.speech import SpeechProvider
from companion.ports.store import Store
from companion.services.access import AccessGate
from companion.services.accounts import AccountsService
from companion.services.admission import Admission
from companion.services.asides import AsideWriter
from companion.services.background import BackgroundTasks
from companion.services.budgets import Budgets
from companion.services.chat import ChatService
from companion.services.conversations import ConversationsService
from companion.services.deliveries import Deliveries
from companion.services.idempotency import IdempotencyService
from companion.services.listening import Listener
from companion.services.membership import Membership
from companion.services.models import ModelsService
from companion.services.payer_memory import PayerMemory
from companion.services.payers import Payers
from companion.services.planning import Planner
from companion.services.policy import ServicePolicy
from companion.services.reading_files import FileReading
from companion.services.rechecking import Rechecking
from companion.services.recording import Recorder
from companion.services.recovery import Recovery
from companion.services.relay import RelayService
from companion.services.relay_budget import RelayBudget
from companion.services.relay_log import RelayLog
from companion.services.replying import Replier
from companion.services.retention import RetentionSweeper
from companion.services.revising import Revising
from companion.services.rooms import RoomsService
from companion.services.running_turns import RunningTurns
from companion.services.session_keys import SessionKeys
from companion.services.spending import SpendingService
from companion.services.summarising import Summarizer
from companion.services.titling import Titler
from companion.services.tokens import TokensService


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The use cases. `close` them once the doors are shut."""

    chat: ChatService
    conversations: ConversationsService
    rooms: RoomsService
    accounts: AccountsService
    models: ModelsService
    relay: RelayService
    tokens: TokensService
    idempotency: IdempotencyService
    spending: SpendingService
    deliveries: Deliveries
    recovery: Recovery
    limiter: Limiter
    admission: Admission
    membership: Membership
    sweeper: RetentionSweeper
    tasks: BackgroundTasks

    async def close(self) -> None:
        """Cut replies that still run, storing what they have, and cancel background work."""
        await self.chat.drain(0)
        await self.relay.settled()
        await self.deliveries.release()
        await self.tasks.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """What the services stand on: the adapters behind the ports, and what the operator decided."""

    store: Store
    provider: ChatProvider
    relay: RelayProvider
    catalogue: ModelCatalogue
    prices: PriceList
    limiter: Limiter
    desk: FairQueue
    queue: FairQueue
    clock: Clock
    policy: ServicePolicy
    files: FileReader
    speech: SpeechProvider


@dataclass(frozen=True, slots=True, kw_only=True)
class _Common:
    """What several services use."""

    gate: AccessGate
    payers: Payers
    tasks: BackgroundTasks
    admission: Admission
    deliveries: Deliveries
    budgets: Budgets
    running: RunningTurns


def build_services(outside: Outside) -> Services:
    """Wire the services. Does no I/O and starts nothing."""
    store, clock, policy = outside.store, outside.clock, outside.policy
    gate, tasks, session_keys = AccessGate(), BackgroundTasks(), SessionKeys()
    payers = Payers(policy=policy, session_keys=session_keys, clock=clock)
    memory = PayerMemory(clock)
    common = _Common(
        gate=gate,
        payers=payers,
        tasks=tasks,
        admission=_build_admission(outside),
        deliveries=Deliveries(store=store, clock=clock, tasks=tasks),
        budgets=Budgets(prices=outside.prices, clock=clock),
        running=RunningTurns(tasks),
    )
    membership = _build_membership(outside, common, session_keys)
    models = ModelsService(
        store=store,
        catalogue=outside.catalogue,
        payers=payers,
        gate=gate,
        tasks=tasks,
        clock=clock,
        policy=policy,
    )
    chat = _build_chat(outside, common)
    return Services(
        chat=chat,
        conversations=ConversationsService(store=store, gate=gate),
        rooms=RoomsService(store=store, gate=gate, clock=clock),
        accounts=AccountsService(
            store=store,
            provider=outside.provider,
            session_keys=session_keys,
            models=models,
            payer_memory=memory,
            gate=gate,
            clock=clock,
            policy=policy,
        ),
        models=models,
        relay=_build_relay(outside, common, memory),
        tokens=TokensService(store=store, gate=gate, clock=clock),
        deliveries=common.deliveries,
        recovery=_build_recovery(outside, common, chat),
        limiter=outside.limiter,
        admission=common.admission,
        spending=SpendingService(store=store, gate=gate, payers=payers, policy=policy, clock=clock),
        idempotency=IdempotencyService(store=store, clock=clock),
        membership=membership,
        sweeper=_build_sweeper(outside, common, membership),
        tasks=tasks,
    )


def _build_membership(outside: Outside, common: _Common, session_keys: SessionKeys) -> Membership:
    return Membership(
        store=outside.store,
        clock=outside.clock,
        tasks=common.tasks,
        gate=common.gate,
        running=common.running,
        deliveries=common.deliveries,
        session_keys=session_keys,
    )


def _build_sweeper(outside: Outside, common: _Common, membership: Membership) -> RetentionSweeper:
    return RetentionSweeper(
        store=outside.store,
        clock=outside.clock,
        tasks=common.tasks,
        membership=membership,
        retention_days=outside.policy.retention_days,
    )


def _build_recovery(outside: Outside, common: _Common, chat: ChatService) -> Recovery:
    return Recovery(
        store=outside.store,
        clock=outside.clock,
        deliveries=common.deliveries,
        chat=chat,
        prices=outside.prices,
        base_url=outside.policy.base_url,
    )


def _build_admission(outside: Outside) -> Admission:
    return Admission(
        limiter=outside.limiter, desk=outside.desk, queue=outside.queue, clock=outside.clock
    )


def _build_relay(outside: Outside, common: _Common, memory: PayerMemory) -> RelayService:
    store, clock, payers = outside.store, outside.clock, common.payers
    return RelayService(
        store=store,
        provider=outside.relay,
        prices=outside.prices,
        gate=common.gate,
        payers=payers,
        memory=memory,
        admission=common.admission,
        log=RelayLog(store=store, payers=payers, tasks=common.tasks, clock=clock),
        budget=RelayBudget(
            store=store,
            budgets=common.budgets,
            prices=outside.prices,
            tasks=common.tasks,
            clock=clock,
        ),
        clock=clock,
        policy=outside.policy,
    )


def _build_chat(outside: Outside, common: _Common) -> ChatService:
    store, policy = outside.store, outside.policy
    asides = AsideWriter(
        store=store,
        provider=outside.provider,
        prices=outside.prices,
        admission=common.admission,
        budgets=common.budgets,
        clock=outside.clock,
        keeps_contents=policy.retention_days > 0,
    )
    summarizer = Summarizer(store=store, writer=asides, tasks=common.tasks)
    return ChatService(
        replier=_build_replier(outside, common, summarizer),
        running_turns=common.running,
        revising=Revising(store=store, gate=common.gate),
        titler=Titler(store=store, gate=common.gate, payers=common.payers, writer=asides),
        deliveries=common.deliveries,
    )


def _build_replier(outside: Outside, common: _Common, summarizer: Summarizer) -> Replier:
    store, clock, policy = outside.store, outside.clock, outside.policy
    keeps_contents = policy.retention_days > 0
    listener = Listener(
        store=store,
        speech=outside.speech,
        admission=common.admission,
        payers=common.payers,
        prices=outside.prices,
        clock=clock,
        budgets=common.budgets,
        keeps_contents=keeps_contents,
    )
    return Replier(
        planner=Planner(
            store=store,
            catalogue=outside.catalogue,
            prices=outside.prices,
            gate=common.gate,
            payers=common.payers,
            policy=policy,
            files=FileReading(reader=outside.files, listener=listener),
            budgets=common.budgets,
        ),
        admission=common.admission,
        rechecking=Rechecking(store=store, gate=common.gate, payers=common.payers),
        recorder=Recorder(
            store=store,
            prices=outside.prices,
            clock=clock,
            payers=common.payers,
            tasks=common.tasks,
            deliveries=common.deliveries,
            budgets=common.budgets,
            keeps_contents=keeps_contents,
        ),
        provider=outside.provider,
        fingerprints=outside.store.fingerprints,
        clock=clock,
        summarizer=summarizer,
    )
