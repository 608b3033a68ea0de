"""The notification service behind its counter, and on a real port for WebSockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import count

import pytest

from mall.notification import api, socket
from mall.notification.handlers import inbox_handlers, push_handlers
from mall.notification.hub import Hub
from mall.notification.inbox import Readership
from mall.notification.tables import metadata
from mall.serving import server
from mall_events.notification import UserNotified
from tests.mall.counter import Clock, Counter, Tokens, opened
from tests.parts.waiting import eventually
from treaty_runtime.event import Event


@dataclass(frozen=True)
class Office:
    """The notification service: its counter, its hub, its address."""

    counter: Counter
    hub: Hub
    address: str

    async def tell(self, *events: Event) -> None:
        """Let the inbox group handle events."""
        for event in events:
            await self.counter.handle(inbox_handlers(Readership(locale="en")), event)

    async def push(self) -> None:
        """Let the push group handle everything told so far."""
        for event in self.counter.told.of(UserNotified):
            await self.counter.handle(push_handlers(self.hub), event)


@pytest.fixture
async def office(database_url: str, clock: Clock, tokens: Tokens, port: int) -> AsyncIterator[Office]:
    """The notification service without Kafka, listening."""
    routers = [api.routes, socket.routes]
    hub, tickets = Hub(), count(1)
    async with opened(
        "notification", database_url, metadata=metadata, routers=routers, clock=clock, tokens=tokens
    ) as counter:
        state = counter.app.state
        state.hub, state.allowed_origins = hub, frozenset({"https://shop.test"})
        state.new_ticket = lambda: f"ticket-{next(tickets)}"
        state.new_secret = lambda: f"secret-{next(tickets)}"
        state.webhook_allow_loopback = True
        listening = server(counter.app, host="127.0.0.1", port=port)
        serving = asyncio.create_task(listening.serve())
        await eventually(lambda: listening.started)
        yield Office(counter, hub, f"127.0.0.1:{port}")
        listening.should_exit = True
        await serving
