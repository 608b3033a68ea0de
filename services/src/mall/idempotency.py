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
from sqlalchemy import JSON, BigInteger, Column, MetaData, String, Table, delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from mall.columns import Moment
from mall.errors import IdempotencyConflict
from mall.upsert import insert

KEPT = timedelta(hours=24)
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
        old = (columns.user_id == attempt.user_id) & (columns.created_at < now - KEPT)
        await session.execute(delete(self._table).where(old))
        row = {"user_id": attempt.user_id, "key": key, "digest": attempt.digest, "created_at": now}
        claim = insert(session, self._table).values(row).on_conflict_do_nothing().returning(columns.key)
        return (await session.execute(claim)).first() is not None

    async def _kept(self, session: AsyncSession, attempt: Attempt, key: str) -> Answer:
        columns = self._table.c
        mine = (columns.user_id == attempt.user_id) & (columns.key == key)
        row = (await session.execute(select(columns.digest, columns.answer).where(mine))).one()
        if row.digest != attempt.digest:
            raise IdempotencyConflict
        answer: Answer = row.answer
        return answer
