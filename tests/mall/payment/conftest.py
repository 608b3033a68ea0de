"""The payment service behind its counter, with a sandbox channel."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from mall.payment.api import routes
from mall.payment.tables import metadata
from tests.mall.counter import Clock, Tokens, opened
from tests.mall.payment.shop import Shop, opened_shop


@pytest.fixture
async def shop(database_url: str, clock: Clock, tokens: Tokens) -> AsyncIterator[Shop]:
    """The payment service without Kafka."""
    async with opened(
        "payment", database_url, metadata=metadata, routers=[routes], clock=clock, tokens=tokens
    ) as counter:
        counter.app.state.new_uuid = uuid4
        yield opened_shop(counter, now=clock)
