"""The goods service behind its counter."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from mall.goods.api import routes
from mall.goods.tables import metadata
from tests.mall.counter import Clock, Counter, Tokens, opened


@pytest.fixture
async def shelf(database_url: str, clock: Clock, tokens: Tokens) -> AsyncIterator[Counter]:
    """The goods service without Kafka."""
    async with opened(
        "goods", database_url, metadata=metadata, routers=[routes], clock=clock, tokens=tokens
    ) as counter:
        yield counter
