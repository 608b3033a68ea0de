"""Carries out `domain.place`: one transaction holds the order, the reservation and their events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from mall.errors import Refusal, Unprocessable
from mall.identity import Identity
from mall.order import events, store
from mall.order.domain import Order, OutOfStock, Placed, Refused, Wanted, place
from mall.order.tables import OrderRow, StockRow
from mall.order.timeout import timeout_job
from mall.work import Work

UNPROCESSABLE = {"duplicate_line", "several_sellers", "several_currencies", "total_too_large"}
NEXT_STEPS = {
    "not_on_sale": "Look the goods up again; they may be off the shelf.",
    "own_goods": "Order somebody else's goods.",
    "duplicate_line": "Add the quantities up in one line.",
    "several_sellers": "Place one order per seller.",
    "several_currencies": "Place one order per currency.",
    "total_too_large": "Split the order.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A buyer's wish, as the request said it."""

    wanted: Sequence[Wanted]
    note: str | None = None
    shipping_address: str | None = None


async def place_order(work: Work, *, buyer: Identity, wish: Wish) -> OrderRow:
    """Write an order in the caller's transaction, or raise why not (Refusal, Unprocessable)."""
    goods_ids = {line.goods_id for line in wish.wanted}
    stock_rows = await store.lock_stock(work.session, goods_ids)
    placed = _or_raise(
        place(
            buyer.user_id,
            wanted=wish.wanted,
            listings=await store.listings(work.session, goods_ids),
            stock={goods_id: store.stock_of(row) for goods_id, row in stock_rows.items()},
            now=work.now,
        )
    )
    row, order = await _write(work, buyer.user_id, placed, wish)
    operator = f"user:{buyer.user_id}"
    work.stage(
        events.placed(order, now=work.now, shipping_address=wish.shipping_address, note=wish.note, operator=operator)
    )
    work.stage(events.placed_with_merchant(order, now=work.now, operator=operator))
    _reserve(work, order, placed, stock_rows)
    work.schedule(timeout_job(order.order_id, due=order.pay_before))
    return row


def _or_raise(outcome: Placed | OutOfStock | Refused) -> Placed:
    match outcome:
        case Placed():
            return outcome
        case OutOfStock(goods_id=goods_id, available=available):
            raise Refusal(
                "out_of_stock",
                f"Of goods {goods_id} only {available} are available.",
                next_step="Order fewer, or wait until an unpaid order times out.",
                goods_id=goods_id,
                available=available,
            )
        case Refused(code=code, message=message):
            kind = Unprocessable if code in UNPROCESSABLE else Refusal
            raise kind(code, message, next_step=NEXT_STEPS[code])


async def _write(work: Work, buyer_id: int, placed: Placed, wish: Wish) -> tuple[OrderRow, Order]:
    row = _row(buyer_id, placed, wish, work.now)
    work.session.add(row)
    await work.session.flush()
    order = store.order_of(row, placed.lines)
    store.add_lines(work.session, order.order_id, placed.lines)
    return row, order


def _row(buyer_id: int, placed: Placed, wish: Wish, now: datetime) -> OrderRow:
    return OrderRow(
        buyer_id=buyer_id,
        seller_id=placed.seller_id,
        total=placed.total,
        currency=placed.currency,
        pay_before=placed.pay_before,
        note=wish.note,
        shipping_address=wish.shipping_address,
        created_at=now,
        updated_at=now,
    )


def _reserve(work: Work, order: Order, placed: Placed, rows: Mapping[int, StockRow]) -> None:
    operator = f"user:{order.buyer_id}"
    for stock in placed.stock:
        rows[stock.goods_id].take(stock)
        work.stage(events.stock_changed(stock, now=work.now, order_id=order.order_id, operator=operator))
