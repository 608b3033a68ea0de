"""Payments and the ledger over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Request
from fastapi.responses import JSONResponse
from pydantic import Field

from mall.errors import NotFound
from mall.idempotency import Attempt
from mall.payment import store
from mall.payment.answers import (
    BalanceAnswer,
    ConservationAnswer,
    PaymentAnswer,
    balance_answer,
    conservation_answer,
    payment_answer,
)
from mall.payment.opening import Wish, open_payment
from mall.payment.retrying import retry_refund
from mall.payment.tables import idempotency_keys
from mall.requests import Body, Id, Text
from mall.web import AtDesk, IdempotencyKey, Who
from mall_events.payment import PaymentMethod

routes = APIRouter(prefix="/api/v1")


def _new_uuid(request: Request) -> UUID:
    made: Callable[[], UUID] = request.app.state.new_uuid
    return made()


NewId = Annotated[UUID, Depends(_new_uuid)]
Kept = Annotated[
    dict[Annotated[Text, Field(min_length=1, max_length=50)], Annotated[Text, Field(max_length=200)]],
    Field(max_length=20),
]
AccountName = Annotated[str, Path(pattern=r"^(clearing|fees|(payer|merchant):[1-9][0-9]{0,18})$")]


class Pay(Body):
    """A new payment; what it costs is the order's total, never the client's word."""

    order_id: Id
    method: Literal["BALANCE", "CARD", "WALLET"]
    metadata: Kept = Field(default_factory=dict)


@routes.post("/payments", status_code=201, response_model=PaymentAnswer)
async def pay(body: Pay, who: Who, desk: AtDesk, new_id: NewId, idempotency_key: IdempotencyKey = None) -> JSONResponse:
    """Pay one's order: the order is held and the channel asked; look the payment up to see how it ends."""
    attempt = Attempt(key=idempotency_key, user_id=who.user_id, operation="pay", body=body)
    wish = Wish(order_id=body.order_id, method=PaymentMethod[body.method], metadata=body.metadata)
    async with desk.open() as work:

        async def once() -> PaymentAnswer:
            return payment_answer(await open_payment(work, payer=who, wish=wish, payment_id=new_id), None)

        answer = await idempotency_keys.once(work.session, attempt, now=work.now, work=once)
    return JSONResponse(answer, status_code=201)


@routes.get("/payments/{payment_id}")
async def payment(payment_id: UUID, who: Who, desk: AtDesk) -> PaymentAnswer:
    """One payment, for its payer, its merchant and admins."""
    async with desk.look() as session:
        row = await store.find_payment(session, payment_id)
        if row is None or not (who.is_admin or who.user_id in (row.payer_id, row.merchant_id)):
            raise NotFound
        return payment_answer(row, await store.refund_of_payment(session, payment_id))


@routes.post("/payments/{payment_id}/retry-refund")
async def retry(payment_id: UUID, who: Who, desk: AtDesk) -> PaymentAnswer:
    """Have the channel asked once more for a refund that it refused four times, as an admin."""
    who.require_admin()
    async with desk.open() as work:
        return payment_answer(*await retry_refund(work, payment_id, operator=who.operator))


@routes.get("/accounting/balances/{account}")
async def balance(account: AccountName, who: Who, desk: AtDesk) -> BalanceAnswer:
    """What an account holds, for its owner and admins: `merchant:<user id>`, `payer:<user id>`, `clearing`, `fees`."""
    async with desk.look() as session:
        row = await store.find_account(session, account)
    if row is None or not (who.is_admin or who.user_id == row.owner_id):
        raise NotFound
    return balance_answer(row)


@routes.get("/accounting/conservation")
async def conservation(who: Who, desk: AtDesk) -> ConservationAnswer:
    """Whether all money is where it should be, for admins: charged - refunded = clearing + settled + fees."""
    who.require_admin()
    async with desk.look() as session:
        return conservation_answer(await store.conservation(session))
