"""The search service behind its counter."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from mall.search.api import routes
from mall.search.tables import metadata
from tests.mall.counter import Clock, Counter, Tokens, opened


@pytest.fixture
async def search(database_url: str, clock: Clock, tokens: Tokens) -> AsyncIterator[Counter]:
    """The search service without Kafka."""
    async with opened(
        "search", database_url, metadata=metadata, routers=[routes], clock=clock, tokens=tokens
    ) as counter:
        yield counter
