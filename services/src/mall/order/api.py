"""Orders over HTTP."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse
from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncSession

from mall import cursors
from mall.errors import Forbidden, NotFound
from mall.idempotency import Attempt
from mall.identity import Identity
from mall.order import store
from mall.order.answers import HistoryAnswer, OrderAnswer, OrderPage, history_answer, list_answer, order_answer
from mall.order.domain import Trigger, Wanted
from mall.order.paying import ask_back, by_hand
from mall.order.placing import Wish, place_order
from mall.order.tables import OrderRow, idempotency_keys
from mall.order.transition import Step, carry_out
from mall.requests import Body, Id, Note, Text
from mall.web import AtDesk, IdempotencyKey, PageSize, PathId, Who
from mall.work import Work
from mall_events.order import OrderStatus

routes = APIRouter(prefix="/api/v1")


class WantedLine(Body):
    """Goods and pieces; the price is the listing's, never the buyer's."""

    goods_id: Id
    quantity: Annotated[int, Field(strict=True, ge=1, le=99)]


class PlaceOrder(Body):
    """A new order."""

    lines: Annotated[list[WantedLine], Field(min_length=1, max_length=20)]
    note: Note | None = None
    shipping_address: Annotated[Text, Field(max_length=500)] | None = None


class Remark(Body):
    """A note that goes into the events of a step."""

    note: Note | None = None


@routes.post("/orders", status_code=201, response_model=OrderAnswer)
async def place(body: PlaceOrder, who: Who, desk: AtDesk, idempotency_key: IdempotencyKey = None) -> JSONResponse:
    """Place an order: its goods are reserved until it is paid, cancelled or timed out."""
    attempt = Attempt(key=idempotency_key, user_id=who.user_id, operation="place_order", body=body)
    wish = Wish(
        wanted=[Wanted(goods_id=line.goods_id, quantity=line.quantity) for line in body.lines],
        note=body.note,
        shipping_address=body.shipping_address,
    )
    async with desk.open() as work:

        async def once() -> OrderAnswer:
            row = await place_order(work, buyer=who, wish=wish)
            return order_answer(row, await store.lines_of(work.session, row.id or 0))

        answer = await idempotency_keys.once(work.session, attempt, now=work.now, work=once)
    return JSONResponse(answer, status_code=201)


@routes.get("/orders")
async def orders(
    *,
    who: Who,
    desk: AtDesk,
    role: Literal["buyer", "seller"] = "buyer",
    status: OrderStatus | None = None,
    cursor: Annotated[str | None, Query(max_length=100)] = None,
    limit: PageSize = cursors.PAGE,
) -> OrderPage:
    """The caller's orders, newest first."""
    async with desk.look() as session:
        rows = await store.view_page(
            session, user_id=who.user_id, role=role, status=status, before=cursors.decode(cursor), size=limit
        )
    return list_answer(rows, size=limit)


@routes.get("/orders/{order_id}")
async def order(order_id: PathId, who: Who, desk: AtDesk) -> OrderAnswer:
    """One order, for its buyer, its seller and admins."""
    async with desk.look() as session:
        row = await _own(session, order_id, who)
        return order_answer(row, await store.lines_of(session, order_id))


@routes.get("/orders/{order_id}/history")
async def history(order_id: PathId, who: Who, desk: AtDesk) -> HistoryAnswer:
    """Who did what to the order, first to last."""
    async with desk.look() as session:
        await _own(session, order_id, who)
        return history_answer(order_id, await store.history(session, order_id))


@routes.post("/orders/{order_id}/cancel")
async def cancel(order_id: PathId, who: Who, desk: AtDesk, body: Remark | None = None) -> OrderAnswer:
    """Cancel an unpaid order, as its buyer or its seller."""
    async with desk.open() as work:
        row = await _own(work.session, order_id, who, lock=True)
        if who.user_id not in (row.buyer_id, row.seller_id):
            raise Forbidden("Only the buyer or the seller cancels an order.")
        is_buyer = who.user_id == row.buyer_id
        trigger = Trigger.CANCELLED_BY_BUYER if is_buyer else Trigger.CANCELLED_BY_SELLER
        return await _advanced(work, row, trigger, who, body)


@routes.post("/orders/{order_id}/ship")
async def ship(order_id: PathId, who: Who, desk: AtDesk, body: Remark | None = None) -> OrderAnswer:
    """Say that a paid order was shipped, as its seller."""
    async with desk.open() as work:
        row = await _own(work.session, order_id, who, lock=True)
        if who.user_id != row.seller_id:
            raise Forbidden("Only the seller ships an order.")
        return await _advanced(work, row, Trigger.SHIPPED, who, body)


@routes.post("/orders/{order_id}/confirm")
async def confirm(order_id: PathId, who: Who, desk: AtDesk, body: Remark | None = None) -> OrderAnswer:
    """Say that a shipped order arrived, as its buyer."""
    async with desk.open() as work:
        row = await _own(work.session, order_id, who, lock=True)
        if who.user_id != row.buyer_id:
            raise Forbidden("Only the buyer confirms an order.")
        return await _advanced(work, row, Trigger.CONFIRMED, who, body)


@routes.post("/orders/{order_id}/refund")
async def refund(order_id: PathId, who: Who, desk: AtDesk) -> OrderAnswer:
    """Ask for the money of a paid order back; until it is there, the order is neither shipped nor confirmed."""
    async with desk.open() as work:
        row = await _own(work.session, order_id, who, lock=True)
        await ask_back(work, row=row, operator=who.operator)
        return order_answer(row, await store.lines_of(work.session, order_id))


@routes.post("/orders/{order_id}/mark-paid")
async def mark_paid(order_id: PathId, who: Who, desk: AtDesk, body: Remark | None = None) -> OrderAnswer:
    """Record a payment made by hand (cash on a campus), as an admin.

    The payment's id is derived from the order's, so that recording it twice is one payment.
    """
    who.require_admin()
    async with desk.open() as work:
        row = await _own(work.session, order_id, who, lock=True)
        return await _advanced(work, row, Trigger.PAID, who, body or Remark(note="recorded by hand"))


async def _own(session: AsyncSession, order_id: int, who: Identity, *, lock: bool = False) -> OrderRow:
    row = await store.find_order(session, order_id, lock=lock)
    if row is None or not (who.is_admin or who.user_id in (row.buyer_id, row.seller_id)):
        raise NotFound
    return row


async def _advanced(work: Work, row: OrderRow, trigger: Trigger, who: Identity, body: Remark | None) -> OrderAnswer:
    step = Step(
        trigger=trigger,
        operator=who.operator,
        note=body.note if body else None,
        payment_id=by_hand(row.id or 0) if trigger is Trigger.PAID else None,
    )
    await carry_out(work, row=row, step=step)
    return order_answer(row, await store.lines_of(work.session, row.id or 0))
