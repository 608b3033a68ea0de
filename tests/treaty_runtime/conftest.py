"""Databases, of which each test that asks for one gets two in turn, a SQLite file and a real PostgreSQL; and a shop on mock brokers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from tests.treaty_runtime.order_events import OrderSeen
from tests.treaty_runtime.shop import TOPIC, Shop
from treaty_runtime.sql import database as runtime_database
from treaty_runtime.testing.chaos import Chaos


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Address of an empty database of the test's own."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'service.sqlite'}"
    return str(request.getfixturevalue("postgres"))


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[AsyncEngine]:
    """An engine on a database that has the runtime's tables."""
    engine = runtime_database.open_engine(database_url)
    await runtime_database.create(engine)
    yield engine
    await engine.dispose()


@pytest.fixture
def sessions(database: AsyncEngine) -> async_sessionmaker[AsyncSession]:
    """Sessions on that database, as a service makes them."""
    return async_sessionmaker(database, expire_on_commit=False)


@pytest.fixture
def chaos() -> Iterator[Chaos]:
    """A mock cluster with the shop's topics."""
    with Chaos() as cluster:
        for topic in (TOPIC, OrderSeen.__topic__, "bytes", "dlq.order", "retry.order.0s", "retry.order.100ms"):
            cluster.topic(topic, partitions=1 if topic.startswith("dlq") else 2)
        yield cluster


@pytest.fixture
async def shop(chaos: Chaos) -> AsyncIterator[Shop]:
    """A service on the mock cluster."""
    made = Shop(chaos.bootstrap)
    yield made
    await made.producer.close()
