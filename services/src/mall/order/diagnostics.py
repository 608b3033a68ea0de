"""Group `quick-check`: a test event's way through Kafka, told to the person who sent it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

from mall.order import store
from mall_events.order import TestEvent
from treaty_runtime.event import Context
from treaty_runtime.handlers import Handlers

log = logging.getLogger("mall.order.quick_check")


def diagnostics_handlers(*, now: Callable[[], datetime]) -> Handlers:
    """The handlers of the group; `now` times the arrival."""
    handlers = Handlers()

    @handlers.on(TestEvent)
    async def note_arrival(event: TestEvent, context: Context) -> None:
        envelope = context.envelope
        log.info(
            "%s arrived: topic=%s key=%s event_id=%s note=%s",
            envelope.type,
            envelope.place.topic,
            event.test_id,
            envelope.id,
            event.note,
        )
        row = await store.diagnostic(context.session, envelope.id)
        if row.consumed_at is None:
            row.sent_at, row.consumed_at = envelope.time, now()

    return handlers
