"""Goods over HTTP."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Header, Query, Response
from fastapi.responses import JSONResponse
from pydantic import Field, model_validator

from mall import cursors
from mall.errors import Invalid, NotFound, Refusal, VersionDiffers, VersionMissing
from mall.goods import events, store
from mall.goods.answers import GoodsAnswer, GoodsPage, goods_answer, page_answer
from mall.goods.changing import may_see, own_goods, take
from mall.goods.domain import VISIBLE, Action, Changed, Refused, act, edit
from mall.goods.tables import GoodsRow, idempotency_keys
from mall.idempotency import Attempt
from mall.identity import LARGEST_ID, Identity
from mall.requests import Body, Line, Note, Text
from mall.web import AtDesk, IdempotencyKey, MaybeWho, PageSize, PathId, Who
from mall.work import Work
from mall_events.goods import GoodsStatus, GoodsViewed, ViewSource

routes = APIRouter(prefix="/api/v1")
Price = Annotated[Decimal, Field(ge=0, le=Decimal("9999999999.99"), decimal_places=2)]
Quantity = Annotated[int, Field(strict=True, ge=1, le=1_000_000)]
Description = Annotated[Text, Field(max_length=5_000)]


class NewGoods(Body):
    """A draft."""

    title: Line
    description: Description = ""
    category: Line
    price: Price
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")] = "CNY"
    listed_quantity: Quantity = 1


class EditGoods(Body):
    """New values; what is left out stays."""

    title: Line | None = None
    description: Description | None = None
    category: Line | None = None
    price: Price | None = None
    listed_quantity: Quantity | None = None

    @model_validator(mode="after")
    def _says_something(self) -> EditGoods:
        if not self.model_dump(exclude_none=True):
            raise ValueError("the edit changes no field")
        return self


class Remark(Body):
    """Why: goes into the event."""

    note: Note | None = None


@routes.post("/goods", status_code=201, response_model=GoodsAnswer)
async def create(body: NewGoods, who: Who, desk: AtDesk, idempotency_key: IdempotencyKey = None) -> JSONResponse:
    """Write a draft; nobody else sees it until it is approved."""
    attempt = Attempt(key=idempotency_key, user_id=who.user_id, operation="create_goods", body=body)
    async with desk.open() as work:

        async def once() -> GoodsAnswer:
            fields = body.model_dump()
            row = GoodsRow(
                seller_id=who.user_id, status=GoodsStatus.DRAFT.name, created_at=work.now, updated_at=work.now, **fields
            )
            work.session.add(row)
            await work.session.flush()
            first = events.updated(row.value(), images=(), changed=sorted(fields), now=work.now, operator=who.operator)
            work.stage(first)
            return goods_answer(row, ())

        answer = await idempotency_keys.once(work.session, attempt, now=work.now, work=once)
    return JSONResponse(answer, status_code=201)


@routes.get("/goods")
async def goods_list(
    *,
    who: MaybeWho,
    desk: AtDesk,
    category: Annotated[Text | None, Query(max_length=200)] = None,
    seller_id: Annotated[int | None, Query(ge=1, le=LARGEST_ID)] = None,
    title: Annotated[Text | None, Query(max_length=200)] = None,
    mine: bool = False,
    cursor: Annotated[str | None, Query(max_length=100)] = None,
    limit: PageSize = cursors.PAGE,
) -> GoodsPage:
    """Goods that are for sale, newest first; with `mine`, all of the caller's."""
    if mine and who is None:
        raise Invalid("mine: needs a token.")
    shown = store.Filter(
        category=category, seller_id=seller_id, title=title, own_by=who.user_id if mine and who else None
    )
    async with desk.look() as session:
        rows = await store.page(session, shown, before=cursors.decode(cursor), size=limit)
        images = await store.images_of_all(session, [row.id or 0 for row in rows])
    return page_answer(rows, images=images, size=limit)


@routes.get("/goods/{goods_id}")
async def goods(
    *,
    goods_id: PathId,
    who: MaybeWho,
    desk: AtDesk,
    response: Response,
    source: ViewSource = ViewSource.DIRECT,
    x_session_id: Annotated[str | None, Header(min_length=1, max_length=100)] = None,
) -> GoodsAnswer:
    """One kind of goods. A look at it counts as a view, once per session (header X-Session-Id, else the user) in 30 s."""
    async with desk.open() as work:
        row = await store.find_goods(work.session, goods_id)
        if row is None or not may_see(row, who):
            raise NotFound
        session_id = x_session_id or (f"user:{who.user_id}" if who else None)
        if session_id and GoodsStatus[row.status] in VISIBLE:
            await _view(work, goods_id, who, session_id, source)
        response.headers["ETag"] = f'"{row.version}"'
        return goods_answer(row, await store.images_of(work.session, goods_id))


@routes.patch("/goods/{goods_id}")
async def change(
    *,
    goods_id: PathId,
    body: EditGoods,
    who: Who,
    desk: AtDesk,
    response: Response,
    if_match: Annotated[str | None, Header(max_length=40)] = None,
) -> GoodsAnswer:
    """Edit one's goods, if they are still at the version of If-Match."""
    async with desk.open() as work:
        row = await own_goods(work.session, goods_id, who)
        if if_match is None:
            raise VersionMissing
        if if_match.strip().removeprefix("W/").strip('"') != str(row.version):
            raise VersionDiffers(f"The goods are at version {row.version}.", version=row.version)
        outcome = edit(row.value(), body.model_dump(exclude_none=True))
        if isinstance(outcome, Changed):
            await take(work, row, outcome, operator=who.operator)
        response.headers["ETag"] = f'"{row.version}"'
        return goods_answer(row, await store.images_of(work.session, goods_id))


@routes.post("/goods/{goods_id}/submit")
async def submit(goods_id: PathId, who: Who, desk: AtDesk, body: Remark | None = None) -> GoodsAnswer:
    """Ask for a review, as the seller."""
    return await _acted(desk, goods_id, who, Action.SUBMIT, body)


@routes.post("/goods/{goods_id}/approve")
async def approve(goods_id: PathId, who: Who, desk: AtDesk, body: Remark | None = None) -> GoodsAnswer:
    """Let the goods go on sale, as an admin."""
    return await _acted(desk, goods_id, who, Action.APPROVE, body)


@routes.post("/goods/{goods_id}/reject")
async def reject(goods_id: PathId, who: Who, desk: AtDesk, body: Remark | None = None) -> GoodsAnswer:
    """Send the goods back to their seller, as an admin; the note says why."""
    return await _acted(desk, goods_id, who, Action.REJECT, body)


@routes.post("/goods/{goods_id}/shelve")
async def shelve(goods_id: PathId, who: Who, desk: AtDesk, body: Remark | None = None) -> GoodsAnswer:
    """Put the goods back on the shelf, as the seller."""
    return await _acted(desk, goods_id, who, Action.SHELVE, body)


@routes.post("/goods/{goods_id}/unshelve")
async def unshelve(goods_id: PathId, who: Who, desk: AtDesk, body: Remark | None = None) -> GoodsAnswer:
    """Take the goods off the shelf, as the seller."""
    return await _acted(desk, goods_id, who, Action.UNSHELVE, body)


async def _acted(desk: AtDesk, goods_id: int, who: Identity, action: Action, body: Remark | None) -> GoodsAnswer:
    async with desk.open() as work:
        if action in (Action.APPROVE, Action.REJECT):
            who.require_admin()
            row = await store.find_goods(work.session, goods_id, lock=True)
            if row is None:
                raise NotFound
        else:
            row = await own_goods(work.session, goods_id, who)
        outcome = act(row.value(), action)
        if isinstance(outcome, Refused):
            raise Refusal("illegal_transition", outcome.message, next_step="Read the goods again.")
        await take(work, row, outcome, operator=who.operator, note=body.note if body else None)
        return goods_answer(row, await store.images_of(work.session, goods_id))


async def _view(work: Work, goods_id: int, who: Identity | None, session_id: str, source: ViewSource) -> None:
    if not await store.count_view(work.session, goods_id, session_id=session_id, now=work.now):
        return
    await store.forget_views(work.session, session_id=session_id, now=work.now)
    work.stage(
        GoodsViewed(
            goods_id=goods_id,
            viewer_id=who.user_id if who else None,
            session_id=session_id,
            source=source,
            event_time=work.now,
            operator=who.operator if who else None,
        )
    )
