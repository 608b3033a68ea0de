"""The chat service behind its counter."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from mall.chat.api import routes
from mall.chat.tables import metadata
from tests.mall.counter import Clock, Counter, Tokens, opened


@pytest.fixture
async def chat(database_url: str, clock: Clock, tokens: Tokens) -> AsyncIterator[Counter]:
    """The chat service without Kafka."""
    async with opened("chat", database_url, metadata=metadata, routers=[routes], clock=clock, tokens=tokens) as counter:
        yield counter
