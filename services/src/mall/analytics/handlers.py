"""Groups `analytics-service` (live counters) and `analytics-warehouse` (rows for files)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mall.analytics import store
from mall.analytics.domain import ADDS, sums
from mall.analytics.flattening import WAREHOUSED, flat
from mall.analytics.tables import WarehouseRow
from treaty_runtime.event import BatchContext
from treaty_runtime.handlers import Handlers

AT_ONCE = 500


def counting_handlers() -> Handlers:
    """One statement for up to 500 events of a class."""
    handlers = Handlers()
    for event in ADDS:
        handlers.batch(event, size=AT_ONCE)(_count)
    return handlers


def warehouse_handlers() -> Handlers:
    """Rows that wait for their file, up to 500 of a class in one transaction."""
    handlers = Handlers()
    for event in WAREHOUSED:
        handlers.batch(event, size=AT_ONCE)(_keep)
    return handlers


async def _count(events: Sequence[Any], context: BatchContext) -> None:
    await store.add(context.session, sums(events))


async def _keep(events: Sequence[Any], context: BatchContext) -> None:
    context.session.add_all(
        WarehouseRow(
            event_id=envelope.id,
            record=type(event).__name__,
            topic=envelope.origin.topic,
            partition=envelope.origin.partition,
            offset=envelope.origin.offset,
            day=event.event_time.date(),
            columns=flat(event),
        )
        for event, envelope in zip(events, context.envelopes, strict=True)
    )
