"""What taking turns back means for the log, for summaries and for forks."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, or_, select, update

from companion.db.rows import ConversationRow, ProviderCallRow
from companion.db.statements import Statements
from companion.domain.actor import GuildId
from companion.domain.conversation import ConversationId


async def note_taken_back(run: Statements, conversation: ConversationId) -> None:
    """Lock the conversation; a summary being made of it is not stored any more."""
    await run.run(
        update(ConversationRow)
        .where(ConversationRow.id == conversation)
        .values(revision=ConversationRow.revision + 1)
    )


async def forget_contents(
    run: Statements, conversation: ConversationId, since: datetime | None = None
) -> None:
    """Delete what was logged of a conversation, and of those that went on from it."""
    forks = select(ConversationRow.id).where(ConversationRow.parent_id == conversation)
    of_it = or_(
        ProviderCallRow.conversation_id == conversation,
        ProviderCallRow.conversation_id.in_(forks),
    )
    told = select(ProviderCallRow.id).where(of_it, ProviderCallRow.keeps_contents)
    if since is not None:
        told = told.where(ProviderCallRow.started_at >= since)
    await _drop_contents(run, told)


async def forget_contents_of(run: Statements, guild: GuildId, until: datetime) -> None:
    """Delete what was logged of a server up to then."""
    told = select(ProviderCallRow.id).where(
        ProviderCallRow.guild_id == guild,
        ProviderCallRow.started_at <= until,
        ProviderCallRow.keeps_contents,
    )
    await _drop_contents(run, told)


async def _drop_contents(run: Statements, told: Select[UUID]) -> None:
    # in one order: who clears a conversation and who clears its fork hold the same rows
    in_order = told.order_by(ProviderCallRow.id).with_for_update()
    await run.run(
        update(ProviderCallRow)
        .where(ProviderCallRow.id.in_(in_order))
        .values(keeps_contents=False, request=None, response=None)
    )
