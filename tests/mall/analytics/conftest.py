"""The analytics service behind its counter, with a warehouse."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mall.analytics import api, reports_api, socket
from mall.analytics.board import Board
from mall.analytics.tables import metadata
from mall.analytics.warehouse import Warehouse
from mall.limits import Limits
from tests.mall.counter import Clock, Counter, Tokens, opened


@pytest.fixture
async def analytics(database_url: str, clock: Clock, tokens: Tokens, tmp_path: Path) -> AsyncIterator[Counter]:
    """The analytics service without Kafka."""
    routers = [api.routes, reports_api.routes, socket.routes]
    async with opened(
        "analytics", database_url, metadata=metadata, routers=routers, clock=clock, tokens=tokens
    ) as counter:
        counter.app.state.board = Board(desk=counter.desk, now=clock)
        counter.app.state.limits = Limits(None, now=clock)
        counter.app.state.warehouse = Warehouse(folder=tmp_path / "warehouse", desk=counter.desk)
        yield counter


@pytest.fixture
def warehouse(analytics: Counter) -> Warehouse:
    """Its warehouse."""
    kept: Warehouse = analytics.app.state.warehouse
    return kept
