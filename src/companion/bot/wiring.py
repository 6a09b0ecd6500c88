"""What the client works with, wired: commands, buttons, forms, and ordinary messages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import aiohttp

from companion.bot.aftermath import Aftermath
from companion.bot.answer_clicks import AnswerClicks
from companion.bot.attachments import Attachments
from companion.bot.belonging import Belonging
from companion.bot.clicks import Clicks
from companion.bot.client import CompanionBot
from companion.bot.closed_channels import ClosedChannels
from companion.bot.cogs.asking import Asking
from companion.bot.cogs.clearing import Clearing
from companion.bot.cogs.helping import Helping
from companion.bot.cogs.keys import Keys
from companion.bot.cogs.quoting import Quoting
from companion.bot.cogs.settling import Settling
from companion.bot.cogs.spending import Spending
from companion.bot.cogs.tokens import Tokens
from companion.bot.forms import KeyForms
from companion.bot.hearing import Hearing
from companion.bot.notices import Notices
from companion.bot.output_pacing import OutputPacing
from companion.bot.questions import Questions
from companion.bot.recovering import Recovering
from companion.bot.replies import Replies
from companion.bot.settings_panel import SettingsPanel
from companion.bot.suggestions import Suggestions
from companion.bot.summaries import Summaries
from companion.bot.talking import Talking
from companion.bot.threads import Threads
from companion.bot.words import ChatWords
from companion.ports.clock import Clock
from companion.services.background import BackgroundTasks
from companion.services.container import Services

NOTICE_EVERY_S: Final = 10.0
"""How often one person is told in one channel that a message of theirs is not answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What all of it stands on."""

    services: Services
    tasks: BackgroundTasks
    clock: Clock
    session: aiohttp.ClientSession
    pacing: OutputPacing
    closed: ClosedChannels
    reads_messages: bool
    key_page: str
    api_url: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shared:
    """What several handlers use."""

    notices: Notices
    threads: Threads
    replies: Replies
    attachments: Attachments
    aftermath: Aftermath
    words: ChatWords


def furnish(bot: CompanionBot, ground: Ground) -> Recovering:
    """Give the client its commands and handlers; once, before logging in.

    Returns what brings replies to their end that another process left; start it then.
    """
    services, reads = ground.services, ground.reads_messages
    shared = _share(bot, ground)
    replies, attachments = shared.replies, shared.attachments
    forms = KeyForms(services.accounts, key_page=ground.key_page)
    panel = SettingsPanel(services.rooms, services.spending, reads_messages=reads)
    questions = Questions(services.chat, replies, attachments)
    answers = AnswerClicks(services, replies, shared.threads, bot.http)
    bot.serve(
        cogs=(
            Asking(services.chat, replies, attachments),
            Keys(forms),
            Clearing(services.conversations),
            Quoting(questions, Summaries(services.chat, replies, reads_messages=reads)),
            Settling(panel),
            Tokens(services.tokens),
            Spending(services.spending),
            Helping(services.accounts, bot.shapes, reads_messages=reads),
        ),
        clicks=Clicks(services, replies, forms, answers=answers, panel=panel),
        forms={"key": forms, "ask": questions, "budgets": panel},
        suggestions=Suggestions(services.models, bot.command_titles),
        talking=_talking(bot, ground, shared),
        belonging=Belonging(services.membership, ground.closed),
    )
    return _recovering(bot, ground, shared)


def _share(bot: CompanionBot, ground: Ground) -> _Shared:
    services, clock, http = ground.services, ground.clock, bot.http
    notices = Notices(clock, every_s=NOTICE_EVERY_S)
    threads = Threads(
        services,
        http,
        tasks=ground.tasks,
        closed=ground.closed,
        clock=clock,
        reads_messages=ground.reads_messages,
    )
    aftermath, words = Aftermath(services.conversations, threads), ChatWords(clock)
    replies = Replies(
        pacing=ground.pacing,
        words=words,
        clock=clock,
        http=http,
        notices=notices,
        aftermath=aftermath,
        deliveries=services.deliveries,
    )
    return _Shared(
        notices=notices,
        threads=threads,
        replies=replies,
        attachments=Attachments(ground.session, api_url=ground.api_url),
        aftermath=aftermath,
        words=words,
    )


def _recovering(bot: CompanionBot, ground: Ground, shared: _Shared) -> Recovering:
    services = ground.services
    return Recovering(
        recovery=services.recovery,
        deliveries=services.deliveries,
        replies=shared.replies,
        aftermath=shared.aftermath,
        words=shared.words,
        http=bot.http,
        session=ground.session,
        clock=ground.clock,
        tasks=ground.tasks,
    )


def _talking(bot: CompanionBot, ground: Ground, shared: _Shared) -> Talking:
    services = ground.services
    hearing = Hearing(
        lambda: bot.user.id if bot.user else 0, services.conversations, services.rooms
    )
    return Talking(
        services,
        shared.replies,
        shared.attachments,
        hearing=hearing,
        closed=ground.closed,
        notices=shared.notices,
        http=bot.http,
        tasks=ground.tasks,
        clock=ground.clock,
    )
