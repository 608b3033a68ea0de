"""The order and the payment service on databases of their own, and between them a Kafka that has a bad day.

Events of different keys and topics overtake each other, some come twice, a handler dies between any two of its steps, the channel
charges and says nothing. Only what must hold is kept: an event that was staged is delivered in the end.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any
from uuid import UUID, uuid4

from mall.order import confirming, timeout
from mall.order.api import routes as order_routes
from mall.order.handlers import handlers as order_handlers
from mall.order.tables import metadata as order_tables
from mall.payment import jobs
from mall.payment.api import routes as payment_routes
from mall.payment.channel import ChannelSilent
from mall.payment.domain import Answer
from mall.payment.sandbox import SandboxChannel
from mall.payment.tables import metadata as payment_tables
from tests.mall.counter import Clock, Counter, Tokens, opened
from tests.mall.order.market import ADMIN, BUYER, LAMP, SELLER, stock_up
from tests.mall.payment.shop import Shop, opened_shop
from treaty_runtime.event import Event
from treaty_runtime.handlers import Handlers

BAD_DAY = 0.15


class Killed(Exception):
    """The process ended here."""


class DyingChannel(SandboxChannel):
    """Answers after the caller's death, now and then."""

    def __init__(self, sessions: Any, *, rng: Random) -> None:
        super().__init__(sessions)
        self._rng = rng

    async def charge(self, payment_id: UUID, *, amount: int, currency: str) -> Answer:
        self._perhaps_die()
        answer = await super().charge(payment_id, amount=amount, currency=currency)
        self._perhaps_die()
        return answer

    async def refund(self, refund_id: UUID, *, payment_id: UUID, amount: int, currency: str) -> Answer:
        self._perhaps_die()
        answer = await super().refund(refund_id, payment_id=payment_id, amount=amount, currency=currency)
        self._perhaps_die()
        return answer

    def _perhaps_die(self) -> None:
        if self._rng.random() < BAD_DAY:
            raise Killed


@dataclass
class TwoServices:
    """Both services and what is on its way between them: (handlers, counter, event, event id)."""

    orders: Counter
    shop: Shop
    clock: Clock
    rng: Random
    on_its_way: list[tuple[Handlers, Counter, Event, UUID]] = field(default_factory=list)
    handled: set[tuple[int, UUID]] = field(default_factory=set)

    async def new_order(self, *, price_goods: int = LAMP, quantity: int = 1) -> int:
        """A placed order."""
        body = {"lines": [{"goods_id": price_goods, "quantity": quantity}]}
        answer = await self.orders.call("POST", "/api/v1/orders", user=BUYER, json=body)
        assert answer.status_code == 201, answer.text
        return int(answer.json()["order_id"])

    async def step(self, order_id: int) -> None:
        """Something that somebody does about an order; refusals are fine."""
        kind = self.rng.choice(["pay", "pay", "pay", "cancel", "ship", "confirm", "refund", "pay-cash"])
        if kind == "pay":
            await self.shop.ask(order_id)
            return
        user = {"ship": SELLER, "pay-cash": ADMIN}.get(kind, BUYER)
        step = {"pay-cash": "mark-paid"}.get(kind, kind)
        await self.orders.call("POST", f"/api/v1/orders/{order_id}/{step}", user=user, admin=user == ADMIN)

    async def deliver_some(self, share: float) -> None:
        """Deliver a part of what is on its way, in any order; what fails is delivered again later."""
        self._collect()
        self.rng.shuffle(self.on_its_way)
        for _ in range(round(len(self.on_its_way) * share)):
            letter = self.on_its_way.pop()
            if self.rng.random() < BAD_DAY:
                self.on_its_way.append(letter)
            await self._deliver(letter)
            self._collect()

    async def let_everything_end(self) -> None:
        """Let hours pass, with all their jobs and sweeps, until nothing is on its way."""
        for _ in range(40):
            self._collect()
            while self.on_its_way:
                await self.deliver_some(1.0)
            self.clock.move(minutes=3)
            await self.shop.run_due_jobs()
            await jobs.sweep(self.shop.counter.desk)
            await timeout.sweep(self.orders.desk)
            await confirming.sweep(self.orders.desk)

    def _collect(self) -> None:
        for counter in (self.orders, self.shop.counter):
            for event in counter.told.events:
                event_id = uuid4()
                self.on_its_way += [
                    (*reader, event, event_id) for reader in self._readers() if type(event) in reader[0].events
                ]
            counter.told.events.clear()

    def _readers(self) -> list[tuple[Handlers, Counter]]:
        own = (self.shop.gateway, self.shop.adapter, self.shop.accounting)
        return [(order_handlers, self.orders), *((handlers, self.shop.counter) for handlers in own)]

    async def _deliver(self, letter: tuple[Handlers, Counter, Event, UUID]) -> None:
        handlers, counter, event, event_id = letter
        has_inbox = handlers.events[type(event)].inbox
        if has_inbox and (id(handlers), event_id) in self.handled:
            return  # the inbox knows it
        try:
            await counter.handle(handlers, event, event_id=event_id)
        except (Killed, ChannelSilent):
            self.on_its_way.insert(0, letter)
            return
        self.handled.add((id(handlers), event_id))


@asynccontextmanager
async def opened_services(
    order_url: str, payment_url: str, *, tokens: Tokens, rng: Random
) -> AsyncIterator[TwoServices]:
    """Both services with goods to sell, on two databases."""
    clock = Clock()
    async with (
        opened("order", order_url, metadata=order_tables, routers=[order_routes], clock=clock, tokens=tokens) as orders,
        opened(
            "payment", payment_url, metadata=payment_tables, routers=[payment_routes], clock=clock, tokens=tokens
        ) as payments,
    ):
        payments.app.state.new_uuid = uuid4
        channel = DyingChannel(payments.database.sessions, rng=rng)
        await stock_up(orders, listed=10_000)
        yield TwoServices(orders, opened_shop(payments, now=clock, channel=channel), clock, rng)
