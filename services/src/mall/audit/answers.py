"""The chain as administrators see it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from pydantic import BaseModel

from mall import cursors
from mall.audit.tables import DeadLetterRow, EntryRow


class EntryAnswer(BaseModel):
    """One entry of the chain."""

    sequence: int
    hash: str
    event_id: UUID
    event_type: str
    at: datetime
    actor: str
    action: str
    resource: str
    resource_id: str
    source: str
    outcome: str
    request_id: str | None
    before_hash: str | None
    after_hash: str | None
    detail: Mapping[str, str]


class EntryPage(BaseModel):
    """A page of entries; `next_cursor` is null on the last one."""

    entries: list[EntryAnswer]
    next_cursor: str | None


class ChainAnswer(BaseModel):
    """Whether the chain holds. Keep `sequence` and `hash` elsewhere: asked with them again, a shortened chain shows too."""

    is_intact: bool
    sequence: int
    hash: str
    broken_at: int | None = None
    reason: str | None = None


class DeadLetterAnswer(BaseModel):
    """Dead letters of a service, by their cause."""

    service: str
    cause: str
    number: int
    last_at: datetime


class DeadLetterList(BaseModel):
    """All counts."""

    dead_letters: list[DeadLetterAnswer]


def page_answer(rows: Sequence[EntryRow], *, size: int) -> EntryPage:
    """A page, given up to `size + 1` rows."""
    shown, next_cursor = cursors.page(rows, size=size, id_of=lambda row: row.sequence)
    entries = [EntryAnswer(**row.model_dump(exclude={"previous_hash"})) for row in shown]
    return EntryPage(entries=entries, next_cursor=next_cursor)


def dead_letter_list(rows: Sequence[DeadLetterRow]) -> DeadLetterList:
    """The counts of these rows."""
    return DeadLetterList(dead_letters=[DeadLetterAnswer(**row.model_dump()) for row in rows])
