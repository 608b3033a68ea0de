"""Schedule jobs in the caller's transaction: the row is the truth, Redis only learns after the commit when to look."""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby

from sqlalchemy import Connection, TextClause, bindparam
from sqlalchemy import event as orm_event
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session
from sqlalchemy.orm.session import SessionTransaction

from treaty_runtime.job import Job
from treaty_runtime.sql.sqltext import statements
from treaty_runtime.sql.tables import DelayedRow, Timestamp

_INSERT = (
    "INSERT INTO delayed (queue, id, due_at, payload, attempts) VALUES (:queue, :id, :due_at, :payload, 0)"
    " ON CONFLICT (queue, id) DO "
)
_RENEW = (
    "UPDATE SET due_at = excluded.due_at, payload = excluded.payload, attempts = 0, done_at = NULL, failed_at = NULL"
)
LAWS = {
    "add": statements(_INSERT + "NOTHING"),
    "replace": statements(_INSERT + _RENEW),
    "cancel": statements("DELETE FROM delayed WHERE queue = :queue AND id = :id AND done_at IS NULL"),
}

_INFO = "treaty_schedule"

Committed = Callable[[Job, bool], None]


class Scheduler:
    """Adds, moves and cancels jobs; plain calls that take effect at the session's next flush, for both session kinds."""

    def __init__(self) -> None:
        self._listeners: list[Committed] = []

    def on_commit(self, tell: Committed) -> None:
        """Call `tell(job, replace)` for each job whose transaction has committed, in the committing thread."""
        self._listeners.append(tell)

    def schedule(self, session: AsyncSession | Session, job: Job, *, replace: bool = False) -> None:
        """Add a job; the same queue and id again changes nothing, unless `replace` moves it. Raises InvalidJob."""
        job.check()
        row = DelayedRow(queue=job.queue, id=job.id, due_at=job.due, payload=job.payload)
        row.law = "replace" if replace else "add"
        self._watch(session).add(row)

    def cancel(self, session: AsyncSession | Session, queue: str, job_id: str) -> None:
        """Remove a job that has not run; Redis may still look for it, in vain."""
        row = DelayedRow(queue=queue, id=job_id)
        row.law = "cancel"
        self._watch(session).add(row)

    def _watch(self, session: AsyncSession | Session) -> Session:
        target = session.sync_session if isinstance(session, AsyncSession) else session
        if _INFO not in target.info:
            target.info[_INFO] = []
            orm_event.listen(target, "before_flush", _write)
            orm_event.listen(target, "after_commit", self._committed)
            orm_event.listen(target, "after_soft_rollback", _forget)
        return target

    def _committed(self, session: Session) -> None:
        if session.in_nested_transaction():
            return  # only a savepoint was released
        written, session.info[_INFO] = session.info[_INFO], []
        for job, replaces in written:
            for tell in self._listeners:
                tell(job, replaces)


def _write(session: Session, _context: object, _instances: object) -> None:
    rows = [row for row in session.new if isinstance(row, DelayedRow)]
    if not rows:
        return
    connection = session.connection(bind_arguments={"mapper": DelayedRow})
    for law, group in groupby(rows, key=lambda row: row.law):
        written = list(group)
        connection.execute(_bound(law, connection), [_parameters(row) for row in written])
        if law != "cancel":
            jobs = (Job(queue=row.queue, id=row.id, due=row.due_at, payload=row.payload) for row in written)
            session.info[_INFO] += [(job, law == "replace") for job in jobs]
    for row in rows:
        # The statement above has written it: the unit of work would insert it a second time.
        session.expunge(row)


def _bound(law: str, connection: Connection) -> TextClause:
    statement = LAWS[law][connection.dialect.name]
    return statement if law == "cancel" else statement.bindparams(bindparam("due_at", type_=Timestamp()))


def _parameters(row: DelayedRow) -> dict[str, object]:
    names = ("queue", "id") if row.law == "cancel" else ("queue", "id", "due_at", "payload")
    return {name: getattr(row, name) for name in names}


def _forget(session: Session, previous: SessionTransaction) -> None:
    # After a savepoint the list is kept: telling Redis of a job without a row costs one look in vain.
    if not previous.nested:
        session.info[_INFO] = []
