"""Two relays that skip locked rows: whoever comes takes what nobody has locked, and nobody owns a key."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import text
from sqlalchemy.engine import CursorResult
from sqlalchemy.ext.asyncio import AsyncConnection

from tests.mutants.designs.mutant import Mutant, Swap
from treaty_runtime.publish import backlog as product
from treaty_runtime.publish.backlog import Backlog, Pending
from treaty_runtime.publish.lease import Lease
from treaty_runtime.sql.database import LANES

_TAKE = text(f"{product._ROWS} ORDER BY position LIMIT :limit FOR UPDATE SKIP LOCKED")
_DROP = text("DELETE FROM outbox WHERE position = ANY(:positions)")
_open: WeakKeyDictionary[Backlog, AsyncConnection] = WeakKeyDictionary()


async def _everybodys(lease: Lease) -> frozenset[int]:
    """Everybody may send everything."""
    lease.held = dict.fromkeys(range(LANES), 0)
    lease._ends = lease._clock() + lease.times.lease_seconds
    return frozenset()


async def _take(backlog: Backlog, _lanes: Iterable[int], *, limit: int, **_: object) -> list[Pending]:
    """The rows stay locked until they are deleted."""
    connection = await backlog._whole.connect()
    rows = [Pending(*row) for row in await connection.execute(_TAKE, {"limit": limit})]
    if rows:
        _open[backlog] = connection
    else:
        await connection.close()
    return rows


async def _drop(backlog: Backlog, rows: Sequence[Pending], **_: Any) -> int:
    connection = _open.pop(backlog)
    deleted = await connection.execute(_DROP, {"positions": [row.position for row in rows]})
    assert isinstance(deleted, CursorResult)
    await connection.commit()
    await connection.close()
    return deleted.rowcount


MUTANT = Mutant(
    wrong="Relays share rows by FOR UPDATE SKIP LOCKED instead of owning lanes, so one sends past what another has locked.",
    swaps=(Swap(Lease, "renew", _everybodys), Swap(Backlog, "read", _take), Swap(Backlog, "delete", _drop)),
    tests=(
        "tests/treaty_runtime/test_relay_order.py::test_while_one_relay_waits_for_a_row_no_other_sends_the_next_of_its_key[postgres]",
    ),
)
