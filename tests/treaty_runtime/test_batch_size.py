"""How many rows a relay reads at once, by how large the last ones were."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.treaty_runtime.relaying import Service, lasting, renewed
from treaty_runtime.publish.backlog import Backlog, Pending
from treaty_runtime.publish.batch_size import BATCH_BYTES, FIRST_ROWS, BatchSize

MOST, MEGABYTE = 1_000, 1 << 20


def rows(count: int, size: int) -> list[Pending]:
    row = Pending(1, "", "orders", "o-1", "order.created", "mall.order.OrderCreated", bytes(size), "{}", None, 0)
    return [row] * count


@pytest.mark.parametrize(
    ("seen", "next_rows"),
    [
        (rows(100, 200), MOST),
        (rows(100, MEGABYTE), BATCH_BYTES // MEGABYTE),
        (rows(1, MEGABYTE), BATCH_BYTES // MEGABYTE),
        (rows(1, 2 * BATCH_BYTES), 1),
        (rows(3, 0), MOST),
        ([], FIRST_ROWS),
    ],
    ids=["small", "large", "one large", "huge", "empty payloads", "none"],
)
def test_as_many_rows_as_fit(seen: list[Pending], next_rows: int) -> None:
    size = BatchSize(MOST)
    assert size.rows == FIRST_ROWS, "a process that died of large rows begins with few"
    size.saw(seen)
    assert size.rows == next_rows


def test_a_small_setting_is_never_exceeded() -> None:
    size = BatchSize(7)
    assert size.rows == 7
    size.saw(rows(7, 1))
    assert size.rows == 7


async def test_a_relay_reads_fewer_large_rows_at_once(database: AsyncEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    service, limits = Service(database), list[int]()

    class Watched(Backlog):
        async def read(self, lanes: Iterable[int], **how: Any) -> list[Pending]:
            limits.append(how["limit"])
            return await super().read(lanes, **how)

    monkeypatch.setattr("treaty_runtime.publish.batch_size.FIRST_ROWS", 4)
    monkeypatch.setattr("treaty_runtime.publish.batch_size.BATCH_BYTES", 40)
    await service.stage(*((f"o-{number % 3}", number) for number in range(30)))
    staged = await service.staged()
    relay = await renewed(service.relay(lease=lasting(service), backlog=Watched(service.engine)))
    while await relay._round():
        pass
    await relay._ahead.ended()
    assert service.sent() == staged
    assert limits[0] == 4
    assert max(limits) < 10
