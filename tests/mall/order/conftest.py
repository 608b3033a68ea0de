"""The order service behind its counter, with goods to sell."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from mall.order.api import routes
from mall.order.tables import metadata
from tests.mall.counter import Clock, Counter, Tokens, opened


@pytest.fixture
async def orders(database_url: str, clock: Clock, tokens: Tokens) -> AsyncIterator[Counter]:
    """The order service without Kafka."""
    async with opened(
        "order", database_url, metadata=metadata, routers=[routes], clock=clock, tokens=tokens
    ) as counter:
        yield counter
