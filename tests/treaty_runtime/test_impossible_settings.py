"""What can never work is refused where it is made, with what to write instead."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, wraps
from typing import Any, cast

import pytest
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine

from tests.treaty_runtime.order_events import OrderCreated
from treaty_runtime.errors import InvalidSettings
from treaty_runtime.handlers import Group, Handlers
from treaty_runtime.runtime import Runtime
from treaty_runtime.settings import KafkaSettings
from treaty_runtime.testing import MemoryRegistry
from treaty_runtime.transport.memory import MemoryBroker
from treaty_runtime.wiring.connections import MemoryConnections


def plain(_event: object, _context: object) -> None:
    """Has nothing to await."""


async def good(_event: object, _context: object) -> None:
    """A coroutine function."""


@wraps(good)
def wrapped(event: object, context: object) -> Any:
    """What a decorator makes of one."""
    return good(event, context)


class Shop:
    """An object of which nobody knows."""

    async def __call__(self, _event: object, _context: object) -> None:
        """Is awaited."""

    async def method(self, _event: object, _context: object) -> None:
        """Is one too."""

    def plain(self, _event: object, _context: object) -> None:
        """Is none."""


@pytest.mark.parametrize("function", [plain, partial(plain), Shop().plain, lambda *_: None])
def test_a_function_without_anything_to_await_is_refused(function: Callable[..., Any]) -> None:
    for register in (
        Handlers().on(OrderCreated),
        Handlers().batch(OrderCreated),
        Handlers().any("orders"),
        Handlers().raw("orders"),
    ):
        with pytest.raises(InvalidSettings, match="is no coroutine function: write `async def`"):
            register(cast("Any", function))


@pytest.mark.parametrize("function", [good, partial(good), wrapped, Shop(), Shop().method])
def test_whatever_can_be_awaited_is_taken(function: Callable[..., Any]) -> None:
    Handlers().on(OrderCreated)(cast("Any", function))


def test_a_group_without_workers_is_refused() -> None:
    handlers = Handlers()
    handlers.on(OrderCreated)(good)
    with pytest.raises(InvalidSettings, match="workers is at least 1, not 0"):
        Group("g", handlers, dead_letter="dlq.g", workers=0)


@pytest.mark.parametrize(
    ("sessions", "said"),
    [
        (async_sessionmaker(), "has no engine"),
        (async_sessionmaker(create_async_engine("sqlite+aiosqlite://", isolation_level="AUTOCOMMIT")), "AUTOCOMMIT"),
        (
            async_sessionmaker(
                create_async_engine("sqlite+aiosqlite://").execution_options(isolation_level="AUTOCOMMIT")
            ),
            "AUTOCOMMIT",
        ),
        (
            async_sessionmaker(create_async_engine("postgresql+psycopg://127.0.0.1/x", isolation_level="AUTOCOMMIT")),
            "AUTOCOMMIT",
        ),
    ],
)
async def test_sessions_that_keep_nothing_together_are_refused(sessions: async_sessionmaker[Any], said: str) -> None:
    with pytest.raises(InvalidSettings, match=said):
        Runtime(
            service="shop",
            settings=KafkaSettings(),
            events={},
            sessions=sessions,
            connections=MemoryConnections(MemoryBroker()),
            registry=MemoryRegistry(),
        )
