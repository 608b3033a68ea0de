"""The chain over HTTP, for administrators only."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from mall import cursors
from mall.audit import store
from mall.audit.answers import ChainAnswer, DeadLetterList, EntryPage, dead_letter_list, page_answer
from mall.audit.chain import Anchor, verify
from mall.errors import Invalid
from mall.identity import LARGEST_ID
from mall.requests import Text
from mall.web import AtDesk, PageSize, Who

routes = APIRouter(prefix="/api/v1")
Word = Annotated[Text | None, Query(max_length=200)]


@routes.get("/audit")
async def entries(
    *,
    who: Who,
    desk: AtDesk,
    actor: Word = None,
    action: Word = None,
    resource: Word = None,
    resource_id: Word = None,
    source: Word = None,
    cursor: Annotated[str | None, Query(max_length=100)] = None,
    limit: PageSize = cursors.PAGE,
) -> EntryPage:
    """What was done, newest first: by whom, to which thing, where."""
    who.require_admin()
    shown = store.Filter(actor=actor, action=action, resource=resource, resource_id=resource_id, source=source)
    async with desk.look() as session:
        rows = await store.page(session, shown, before=cursors.decode(cursor), size=limit)
    return page_answer(rows, size=limit)


@routes.get("/audit/verify")
async def verify_chain(
    who: Who,
    desk: AtDesk,
    sequence: Annotated[int | None, Query(ge=1, le=LARGEST_ID)] = None,
    hash: Annotated[str | None, Query(pattern="^[0-9a-f]{64}$")] = None,  # noqa: A002  # the field's name in answers
) -> ChainAnswer:
    """Whether the chain holds, from its first entry to its last; and whether it still has an end that was noted elsewhere."""
    who.require_admin()
    if (sequence is None) != (hash is None):
        raise Invalid("sequence and hash go together.")
    anchor = Anchor(sequence=sequence, hash=hash) if sequence is not None and hash is not None else None
    async with desk.look() as session:
        verdict = await verify(session, anchor=anchor)
    broken = verdict.broken
    return ChainAnswer(
        is_intact=broken is None,
        sequence=verdict.sequence,
        hash=verdict.hash,
        broken_at=broken.sequence if broken else None,
        reason=broken.reason if broken else None,
    )


@routes.get("/audit/dead-letters")
async def dead_letters(who: Who, desk: AtDesk) -> DeadLetterList:
    """How many dead letters each service has written, by their cause."""
    who.require_admin()
    async with desk.look() as session:
        return dead_letter_list(await store.dead_letters(session))
