"""The payment service behind its counter, with orders to pay and a channel; what it tells is handed to its own groups."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import col

from mall.payment import jobs, store
from mall.payment.answers import conservation_answer
from mall.payment.channel import Channel
from mall.payment.handlers import accounting_handlers, channel_handlers, gateway_handlers
from mall.payment.sandbox import SandboxChannel
from mall.payment.tables import LedgerAccountRow, LedgerEntryRow, PaymentRow, SagaRow
from mall.payment.till import Till
from mall_events.order import OrderCreated, OrderLine, OrderStatus, OrderStatusChanged
from mall_events.saga import CompensationStep, PaymentSagaCompensationRequested
from tests.mall.counter import Counter
from treaty_runtime.delay.runner import JobContext
from treaty_runtime.event import Event
from treaty_runtime.handlers import Handlers

BUYER, SELLER, STRANGER, ADMIN = 10, 20, 30, 1
ORDER = 9007199254740993
PAYMENTS = "/api/v1/payments"
FEE_BPS = 60
ANNOUNCE = {jobs.SAGA_QUEUE: jobs.announce_saga, jobs.REFUND_QUEUE: jobs.announce_refund}


@dataclass
class Shop:
    """Pays orders and delivers events."""

    counter: Counter
    channel: SandboxChannel
    now: Callable[[], Any]
    gateway: Handlers
    adapter: Handlers
    accounting: Handlers
    delivered: int = 0
    seen: list[Event] = field(default_factory=list)

    async def learn_order(self, order_id: int = ORDER, *, total: str = "12.34", **changes: Any) -> None:
        """Tell the service of an order that is not paid yet."""
        created = OrderCreated(
            order_id=order_id,
            order_no=f"20260301-{order_id}",
            buyer_id=changes.pop("buyer", BUYER),
            seller_id=SELLER,
            lines=[OrderLine(goods_id=501, title="Lamp", unit_price=Decimal(total), quantity=1)],
            total=Decimal(total),
            pay_before=changes.pop("pay_before", self.now() + timedelta(minutes=30)),
            event_time=self.now(),
            **changes,
        )
        await self.counter.handle(self.gateway, created)

    async def move_order(self, order_id: int, *, to: OrderStatus, version: int) -> None:
        """Tell the service that an order moved on."""
        changed = OrderStatusChanged(
            order_id=order_id,
            buyer_id=BUYER,
            seller_id=SELLER,
            previous_status=OrderStatus.PENDING_PAYMENT,
            current_status=to,
            order_version=version,
            event_time=self.now(),
        )
        await self.counter.handle(self.gateway, changed)

    async def ask(self, order_id: int = ORDER, *, user: int = BUYER, **rest: Any) -> Any:
        """The answer to a wish to pay."""
        body = {"order_id": order_id, "method": "CARD", **rest.pop("body", {})}
        return await self.counter.call("POST", PAYMENTS, user=user, json=body, **rest)

    async def pay(self, order_id: int = ORDER, *, total: str = "12.34", buyer: int = BUYER) -> UUID:
        """A new payment of a new order; nothing of it is delivered yet."""
        await self.learn_order(order_id, total=total, buyer=buyer)
        answer = await self.ask(order_id, user=buyer)
        assert answer.status_code == 201, answer.text
        return UUID(answer.json()["payment_id"])

    async def payment(self, payment_id: UUID) -> dict[str, Any]:
        """A payment as its payer sees it."""
        answer = await self.counter.call("GET", f"{PAYMENTS}/{payment_id}", user=ADMIN, admin=True)
        shown: dict[str, Any] = answer.json()
        return shown

    async def status(self, payment_id: UUID) -> str:
        """Where a payment stands."""
        return str((await self.payment(payment_id))["status"])

    async def saga(self, payment_id: UUID) -> SagaRow:
        """Its saga."""
        async with self.counter.desk.look() as session:
            return await session.get_one(SagaRow, payment_id)

    async def give(self, event: Event) -> None:
        """Hand one event to every group that handles it."""
        for handlers in (self.gateway, self.adapter, self.accounting):
            if type(event) in handlers.events:
                await self.counter.handle(handlers, event)

    async def deliver(self) -> None:
        """Hand on what was told, until nothing new is."""
        while self.delivered < len(self.counter.told.events):
            event = self.counter.told.events[self.delivered]
            self.delivered += 1
            await self.give(event)

    async def compensate(
        self, payment_id: UUID, *, step: CompensationStep = CompensationStep.ORDER, reason: str = "refund_requested"
    ) -> None:
        """What the order service asks for."""
        event = PaymentSagaCompensationRequested(
            saga_id=payment_id,
            payment_id=payment_id,
            order_id=ORDER,
            step=step,
            reason=reason,
            event_time=self.now(),
        )
        await self.give(event)

    async def run_due_jobs(self) -> int:
        """Run scheduled jobs that are due, as the delay queue would; how many."""
        due = {(job.queue, job.id): job for job in self.counter.told.jobs if job.due <= self.now()}
        for job in due.values():
            self.counter.told.jobs.remove(job)
            async with self.counter.database.sessions.begin() as session:
                told = self.counter.told
                context = JobContext(session=session, attempt=1, stager=told.stage, scheduler=told.schedule)
                await jobs.worker(ANNOUNCE[job.queue], now=self.now)(job, context)
        return len(due)

    async def conservation(self) -> dict[str, int]:
        """Both sides of the ledger's law; raises AssertionError where entries and balances disagree."""
        async with self.counter.desk.look() as session:
            sums = conservation_answer(await store.conservation(session)).model_dump()
            kinds = select(func.sum(col(LedgerEntryRow.amount))).group_by(col(LedgerEntryRow.transaction_id))
            assert set(await session.scalars(kinds)) <= {0}
            booked = select(col(LedgerEntryRow.account), func.sum(col(LedgerEntryRow.amount)))
            entries = {
                name: int(total) for name, total in await session.execute(booked.group_by(col(LedgerEntryRow.account)))
            }
            accounts = {row.account: row.balance for row in await session.scalars(select(LedgerAccountRow))}
        assert {name: total for name, total in accounts.items() if total or name in entries} == entries
        return dict(sums)

    async def payments(self) -> list[PaymentRow]:
        """All rows."""
        async with self.counter.desk.look() as session:
            return list(await session.scalars(select(PaymentRow)))

    def shuffled(self, rng: Random) -> list[Event]:
        """What was told and not delivered, in another order, some of it twice."""
        waiting = self.counter.told.events[self.delivered :]
        self.delivered = len(self.counter.told.events)
        waiting += rng.sample(waiting, k=len(waiting) // 3)
        rng.shuffle(waiting)
        return waiting


def opened_shop(counter: Counter, *, now: Callable[[], Any], channel: Channel | None = None) -> Shop:
    """A shop at a counter of the payment service; with the sandbox, if no other channel is given."""
    sandbox = SandboxChannel(counter.database.sessions)
    till = Till(sessions=counter.database.sessions, channel=channel or sandbox, now=now)
    return Shop(
        counter=counter,
        channel=sandbox,
        now=now,
        gateway=gateway_handlers(till),
        adapter=channel_handlers(till),
        accounting=accounting_handlers(fee_bps=FEE_BPS),
    )
