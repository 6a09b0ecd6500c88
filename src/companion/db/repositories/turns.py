"""Turns, their texts sealed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cache
from typing import Final

from sqlalchemy import Executable, bindparam, delete, or_, select, update
from sqlalchemy.orm import load_only

from companion.db.keyring import KeyRing
from companion.db.repositories.forgetting import forget_contents, note_taken_back
from companion.db.rows import CONTENT, AnswerMessageRow, ConversationRow, SummaryRow, TurnRow
from companion.db.sealed import Purpose, Sealed
from companion.db.statements import Statements, insert_into
from companion.db.usage_columns import usage_columns, usage_of
from companion.domain.actor import InteractionId, PersonId
from companion.domain.conversation import ConversationId, Finish, NewTurn, Turn, TurnId
from companion.domain.delivery import Checkpoint
from companion.domain.errors import StorageUnavailable
from companion.domain.models import ModelId
from companion.domain.usage import Usage

_TABLE: Final = TurnRow.metadata.tables[TurnRow.__tablename__]
_CHECKPOINT: Final = (
    update(_TABLE)
    .where(_TABLE.c.id == bindparam("turn"), _TABLE.c.finish.is_(None))
    .values(answer=bindparam("so_far", type_=CONTENT))
)
_FINISH: Final = update(_TABLE).where(_TABLE.c.id == bindparam("turn"))
_CONVERSATIONS: Final = ConversationRow.metadata.tables[ConversationRow.__tablename__]
_NEXT: Final = (
    update(_CONVERSATIONS)
    .where(_CONVERSATIONS.c.id == bindparam("conversation"))
    .values(
        last_position=_CONVERSATIONS.c.last_position + 1,
        turn_count=_CONVERSATIONS.c.turn_count + 1,
    )
    .returning(_CONVERSATIONS.c.last_position)
)


@cache
def _beginning(*, on_sqlite: bool) -> Executable:
    """Return the INSERT of a turn, which returns its id unless its interaction was seen before."""
    insert = insert_into(_TABLE, on_sqlite=on_sqlite)
    seen = insert.on_conflict_do_nothing(index_elements=[_TABLE.c.interaction_id])
    return seen.returning(_TABLE.c.id)


class SqlTurns:
    """Turns of conversations, in order."""

    def __init__(self, run: Statements, ring: KeyRing, now: Callable[[], datetime]) -> None:
        self._run = run
        self._ring = ring
        self._now = now

    async def begin(self, turn: NewTurn) -> Turn | None:
        """Store a running turn, next in line; `None` when its interaction was seen before."""
        position = await self._next_position(turn.conversation_id)
        created_at = self._now()
        stored = await self._run.quick(
            _beginning(on_sqlite=self._run.on_sqlite),
            {
                "id": turn.id,
                "conversation_id": turn.conversation_id,
                "position": position,
                "author_id": turn.author_id,
                "interaction_id": turn.interaction_id,
                "speaker": self._seal("speaker", turn.speaker, turn),
                "prompt": self._seal("prompt", turn.prompt, turn),
                "model": turn.model,
                "created_at": created_at,
                "private": turn.private,
            },
        )
        if stored.value() is None:
            return None
        return Turn(
            id=turn.id,
            conversation_id=turn.conversation_id,
            position=position,
            author_id=turn.author_id,
            speaker=turn.speaker,
            prompt=turn.prompt,
            answer="",
            model=turn.model,
            finish=None,
            usage=None,
            created_at=created_at,
            private=turn.private,
        )

    async def finish(
        self, turn: NewTurn | Turn, *, answer: str, finish: Finish, usage: Usage | None
    ) -> bool:
        """Store the end of a turn; false when it was cleared meanwhile (nothing is resurrected)."""
        place = TurnRow.place("answer", turn.id, turn.conversation_id, turn.author_id)
        values = {
            "turn": turn.id,
            "answer": self._ring.seal(Purpose.CONTENT, answer, place) if answer else None,
            "finish": finish,
            "finished_at": self._now(),
            **usage_columns(usage),
        }
        return (await self._run.quick(_FINISH, values)).touched > 0

    async def checkpoint(self, checkpoints: Sequence[Checkpoint]) -> None:
        """Store what there is of answers that are being written; nothing of those that ended."""
        values = [{"turn": each.turn_id, "so_far": self._so_far(each)} for each in checkpoints]
        await self._run.run_all(_CHECKPOINT, values)

    def _so_far(self, checkpoint: Checkpoint) -> Sealed:
        place = TurnRow.place(
            "answer", checkpoint.turn_id, checkpoint.conversation_id, checkpoint.author_id
        )
        return self._ring.seal(Purpose.CONTENT, checkpoint.answer, place)

    async def find(self, turn: TurnId) -> Turn | None:
        """Return one turn."""
        row = await self._run.one(select(TurnRow).where(TurnRow.id == turn))
        return None if row is None else self._turn(row)

    async def asked_by(self, interaction: InteractionId) -> Turn | None:
        """Return the turn that this interaction or message asked for."""
        row = await self._run.one(select(TurnRow).where(TurnRow.interaction_id == interaction))
        return None if row is None else self._turn(row)

    async def newest(self, conversation: ConversationId, author: PersonId | None = None) -> int:
        """Return the position of the newest turn with an answer, of that author if named, or 0."""
        query = select(TurnRow.position).where(
            TurnRow.conversation_id == conversation,
            TurnRow.finish.is_not(None),
            TurnRow.answer.is_not(None),
        )
        if author is not None:
            query = query.where(TurnRow.author_id == author)
        return await self._run.one(query.order_by(TurnRow.position.desc()).limit(1)) or 0

    async def before(
        self,
        conversation: ConversationId,
        position: int | None,
        limit: int,
        *,
        reader: PersonId | None = None,
    ) -> Sequence[Turn]:
        """Return up to `limit` ended turns with an answer, newest first, before `position`."""
        public = TurnRow.private.is_(False)
        query = (
            select(TurnRow)
            .where(
                TurnRow.conversation_id == conversation,
                TurnRow.finish.is_not(None),
                TurnRow.answer.is_not(None),
                public if reader is None else or_(public, TurnRow.author_id == reader),
            )
            .order_by(TurnRow.position.desc())
            .limit(limit)
        )
        if position is not None:
            query = query.where(TurnRow.position < position)
        return [self._turn(row) for row in await self._run.all(query)]

    async def replace(self, old: TurnId, new: TurnId) -> bool:
        """Let a turn take another's place, and what asked for it; false when there is none."""
        left = await self._find_both(old, new)
        if left is None:
            return False
        await note_taken_back(self._run, ConversationId(left.conversation_id))
        messages = update(AnswerMessageRow).where(AnswerMessageRow.turn_id == old)
        await self._run.run(messages.values(turn_id=new))
        if not await self._run.run(delete(TurnRow).where(TurnRow.id == old)):
            return False
        await self._take_along(left)
        asked = {} if left.interaction_id is None else {"interaction_id": left.interaction_id}
        place = update(TurnRow).where(TurnRow.id == new)
        return await self._run.run(place.values(position=left.position, **asked)) > 0

    async def remove(self, turn: TurnId) -> bool:
        """Delete one turn and all that was made of it; false when it was gone."""
        row = await self._run.one(
            select(TurnRow)
            .where(TurnRow.id == turn)
            .options(load_only(TurnRow.conversation_id, TurnRow.position, TurnRow.created_at))
        )
        if row is None:
            return False
        conversation = ConversationId(row.conversation_id)
        await note_taken_back(self._run, conversation)
        if not await self._run.run(delete(TurnRow).where(TurnRow.id == turn)):
            return False
        await self._take_along(row)
        await forget_contents(self._run, conversation, row.created_at)
        return True

    async def _find_both(self, old: TurnId, new: TurnId) -> TurnRow | None:
        """Return the old turn when both are still there, in one conversation."""
        columns = load_only(TurnRow.conversation_id, TurnRow.position, TurnRow.interaction_id)
        both = select(TurnRow).where(TurnRow.id.in_((old, new))).options(columns)
        rows = {row.id: row for row in await self._run.all(both)}
        if len(rows) != 2 or rows[old].conversation_id != rows[new].conversation_id:  # noqa: PLR2004
            return None
        return rows[old]

    async def _take_along(self, gone: TurnRow) -> None:
        """Count a deleted turn off, and drop a summary that covers it."""
        fewer = update(ConversationRow).where(ConversationRow.id == gone.conversation_id)
        await self._run.run(fewer.values(turn_count=ConversationRow.turn_count - 1))
        covers = (
            SummaryRow.conversation_id == gone.conversation_id,
            SummaryRow.upto_position >= gone.position,
        )
        await self._run.run(delete(SummaryRow).where(*covers))

    async def _next_position(self, conversation: ConversationId) -> int:
        """Count the conversation up; that row's lock puts concurrent turns in line."""
        counted = await self._run.quick(_NEXT, {"conversation": conversation})
        position = counted.value()
        if position is None:
            raise StorageUnavailable(reason="constraint")
        return int(position)

    def _seal(self, column: str, text: str, turn: NewTurn) -> Sealed:
        place = TurnRow.place(column, turn.id, turn.conversation_id, turn.author_id)
        return self._ring.seal(Purpose.CONTENT, text, place)

    def _open(self, row: TurnRow, column: str, sealed: Sealed | None) -> str:
        if sealed is None:
            return ""
        return self._ring.open(Purpose.CONTENT, sealed, row.binding(column))

    def _turn(self, row: TurnRow) -> Turn:
        return Turn(
            id=TurnId(row.id),
            conversation_id=ConversationId(row.conversation_id),
            position=row.position,
            author_id=PersonId(row.author_id),
            speaker=self._open(row, "speaker", row.speaker),
            prompt=self._open(row, "prompt", row.prompt),
            answer=self._open(row, "answer", row.answer),
            model=ModelId(row.model),
            finish=row.finish,
            usage=usage_of(row),
            created_at=row.created_at,
            private=row.private,
        )
