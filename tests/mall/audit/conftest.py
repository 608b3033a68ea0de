"""The audit service behind its counter."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from mall.audit.api import routes
from mall.audit.tables import metadata
from tests.mall.counter import Clock, Counter, Tokens, opened


@pytest.fixture
async def archive(database_url: str, clock: Clock, tokens: Tokens) -> AsyncIterator[Counter]:
    """The audit service without Kafka."""
    async with opened(
        "audit", database_url, metadata=metadata, routers=[routes], clock=clock, tokens=tokens
    ) as counter:
        yield counter
