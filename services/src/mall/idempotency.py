"""A creating request with an Idempotency-Key has one effect: the first answer is kept and given again.

Law 1: the key is claimed in the transaction of the effect, so a refused or failed request leaves no key behind.
Law 2: a second request with the key waits for the first one's commit, then reads its answer.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import BaseModel
from sqlalchemy import JSON, BigInteger, Column, Index, MetaData, String, Table, bindparam, delete, null, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from mall.columns import Moment
from mall.errors import IdempotencyConflict
from mall.upsert import insert

KEPT, FORGOTTEN_AT_ONCE = timedelta(hours=24), 100
Answer = dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One request that may come twice: `key` is the header, None if it was not sent."""

    key: str | None
    user_id: int
    operation: str
    body: BaseModel

    @property
    def digest(self) -> str:
        """What tells one request from another: the operation and every field."""
        return hashlib.sha256(f"{self.operation}\n{self.body.model_dump_json()}".encode()).hexdigest()


class IdempotencyKeys:
    """The table of keys in a service's own database."""

    def __init__(self, metadata: MetaData) -> None:
        self._table = Table(
            "idempotency_key",
            metadata,
            Column("user_id", BigInteger, primary_key=True, autoincrement=False),
            Column("key", String(200), primary_key=True),
            Column("digest", String(64), nullable=False),
            Column("answer", JSON),
            Column("created_at", Moment, nullable=False),
            Index("idempotency_key_age", "created_at"),
        )

    async def once(
        self, session: AsyncSession, attempt: Attempt, *, now: datetime, work: Callable[[], Awaitable[BaseModel]]
    ) -> Answer:
        """The answer of `work` as JSON values, or the kept one; raises IdempotencyConflict for another request."""
        if attempt.key is None:
            return (await work()).model_dump(mode="json")
        if not await self._claim(session, attempt, attempt.key, now):
            return await self._kept(session, attempt, attempt.key)
        answer = (await work()).model_dump(mode="json")
        mine = (self._table.c.user_id == attempt.user_id) & (self._table.c.key == attempt.key)
        await session.execute(update(self._table).where(mine).values(answer=answer))
        return answer

    async def _claim(self, session: AsyncSession, attempt: Attempt, key: str, now: datetime) -> bool:
        columns = self._table.c
        await self._forget(session, now - KEPT)
        fresh = {"digest": attempt.digest, "created_at": now}
        row = insert(session, self._table).values(user_id=attempt.user_id, key=key, **fresh)
        claim = row.on_conflict_do_update(  # an old one is as good as gone, whether it was its turn to go or not
            index_elements=[columns.user_id, columns.key],
            set_={**fresh, "answer": null()},
            where=columns.created_at < now - KEPT,
        )
        return (await session.execute(claim.returning(columns.key))).first() is not None

    async def _forget(self, session: AsyncSession, before: datetime) -> None:
        """Drop the oldest keys, whosever they are: more at once than a request adds, so that they do not pile up."""
        columns = self._table.c
        old = select(columns.user_id, columns.key).where(columns.created_at < before).order_by(columns.created_at)
        # Rows that another request is dropping are left to it: neither waits for the other's commit.
        some = await session.execute(old.limit(FORGOTTEN_AT_ONCE).with_for_update(skip_locked=True))
        # One by one by the whole primary key: SQLite would look through all keys of their users for a list of pairs.
        if rows := [{"old_user": user_id, "old_key": key} for user_id, key in some]:
            this = (columns.user_id == bindparam("old_user")) & (columns.key == bindparam("old_key"))
            await session.execute(delete(self._table).where(this), rows)

    async def _kept(self, session: AsyncSession, attempt: Attempt, key: str) -> Answer:
        columns = self._table.c
        mine = (columns.user_id == attempt.user_id) & (columns.key == key)
        row = (await session.execute(select(columns.digest, columns.answer).where(mine))).one()
        if row.digest != attempt.digest:
            raise IdempotencyConflict
        answer: Answer = row.answer
        return answer
