"""What an editor must say about handlers: they take the class they are registered for. This file is only type-checked."""

from __future__ import annotations

from collections.abc import Sequence

from mall_events.order import OrderCreated, OrderPaid
from treaty_runtime.event import BatchContext, Context
from treaty_runtime.handlers import Handlers

handlers = Handlers()


@handlers.on(OrderPaid)
async def tell_seller(event: OrderPaid, context: Context) -> None: ...


@handlers.batch(OrderCreated, size=100)
async def count_orders(events: Sequence[OrderCreated], context: BatchContext) -> None: ...


async def of_another_class(event: OrderPaid, context: Context) -> None: ...


async def several_of_another_class(events: Sequence[OrderPaid], context: BatchContext) -> None: ...


handlers.on(OrderCreated)(of_another_class)  # type: ignore[arg-type]  # the wrong class is an error, as the unused ignore would be
handlers.batch(OrderCreated)(several_of_another_class)  # type: ignore[arg-type]  # as above
handlers.batch(OrderCreated)(of_another_class)  # type: ignore[arg-type]  # one event is not several
