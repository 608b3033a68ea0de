"""Lanes are shared out fairly, owned by one relay at a time, and fenced by their epoch."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert, text, update
from sqlalchemy.ext.asyncio import AsyncEngine

from treaty_runtime.publish.lease import TAKE_ABANDONED, TIMES, Lease, fair_share
from treaty_runtime.publish.outbox_desk import OutboxDesk
from treaty_runtime.sql.database import autocommit
from treaty_runtime.sql.tables import LaneRow, RelayRow

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


class Clock:
    """A monotonic clock that a test moves."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        """The seconds now."""
        return self.seconds


@pytest.mark.parametrize(("live", "share"), [(0, 16), (1, 16), (2, 8), (3, 6), (5, 4), (16, 1), (40, 1)])
def test_the_share_is_rounded_up_so_that_no_lane_is_left_over(live: int, share: int) -> None:
    assert fair_share(16, live=live) == share


async def test_a_lone_relay_takes_every_lane(database: AsyncEngine) -> None:
    lease = _lease(database, "a")
    assert await lease.renew() == frozenset()
    assert lease.held == dict.fromkeys(range(16), 1)
    assert lease.is_safe


async def test_a_second_relay_gets_its_half_after_the_first_gave_it_back(database: AsyncEngine) -> None:
    first, second = _lease(database, "a"), _lease(database, "b")
    await first.renew()
    await second.renew()
    assert second.held == {}
    await first.renew()
    assert first.surplus == frozenset(range(8, 16))
    assert len(first.held) == 16, "what is not drained yet is kept"
    await first.give_back(first.surplus)
    await second.renew()
    assert first.held.keys() == set(range(8))
    assert second.held == dict.fromkeys(range(8, 16), 2)
    assert (first.surplus, second.surplus) == (frozenset(), frozenset())


async def test_the_lanes_of_a_dead_relay_are_taken_under_a_new_epoch(database: AsyncEngine) -> None:
    dead, heir = _lease(database, "dead"), _lease(database, "heir")
    await dead.renew()
    await _pass_ten_seconds(database)
    await heir.renew()
    assert heir.held == dict.fromkeys(range(16), 2)
    assert await dead.renew() == frozenset(range(16))
    assert dead.held == {}


async def test_an_owner_that_comes_back_in_time_keeps_its_epoch(database: AsyncEngine) -> None:
    lease = _lease(database, "a")
    await lease.renew()
    await _pass_ten_seconds(database)
    assert await lease.renew() == frozenset()
    assert lease.held == dict.fromkeys(range(16), 1)


async def test_sending_stops_before_the_lease_ends(database: AsyncEngine) -> None:
    clock = Clock()
    lease = Lease(database, owner="a", clock=clock)
    assert not lease.is_safe
    await lease.renew()
    epochs = dict(lease.held)
    clock.seconds += TIMES.lease_seconds - TIMES.margin_seconds - 0.001
    assert lease.covers(epochs)
    clock.seconds += 0.001
    assert not lease.covers(epochs)


async def test_a_lane_that_came_back_under_another_epoch_is_not_covered(database: AsyncEngine) -> None:
    lease = _lease(database, "a")
    await lease.renew()
    epochs = dict(lease.held)
    await lease.give_back({3})
    await lease.renew()
    assert lease.held.keys() == epochs.keys()
    assert not lease.covers(epochs)


async def test_leaving_frees_the_lanes_at_once(database: AsyncEngine) -> None:
    first, second = _lease(database, "a"), _lease(database, "b")
    await first.renew()
    await first.leave()
    await second.renew()
    assert len(second.held) == 16


async def test_after_the_databases_clock_was_set_back_the_lanes_of_a_dead_relay_are_free_after_a_lease(
    database: AsyncEngine,
) -> None:
    await _died_in_the_future(database)
    clock = Clock()
    heir = Lease(database, owner="heir", clock=clock)
    for waited in (0.0, TIMES.lease_seconds - 0.001):
        clock.seconds = 100.0 + waited
        await heir.renew()
        assert heir.held == {}, "its owner may be alive, and believes in its lease for as long"
    clock.seconds += 0.001
    await heir.renew()
    assert heir.held == dict.fromkeys(range(16), 2), "all of them: who was seen in the future counts for nobody"
    assert [relay.owner for relay in await OutboxDesk(database).relays()] == ["heir"]


async def test_an_owner_that_prolongs_its_lease_keeps_it_whatever_the_databases_clock_says(
    database: AsyncEngine,
) -> None:
    owner, clock = _lease(database, "owner"), Clock()
    await owner.renew()
    heir = Lease(database, owner="heir", clock=clock)
    for _ in range(8):
        await heir.renew()
        clock.seconds += TIMES.renew_seconds
        await owner.renew()
    assert (len(owner.held), heir.held) == (16, {})


async def test_of_two_heirs_one_takes_what_stood_still(database: AsyncEngine) -> None:
    await _died_in_the_future(database)
    clock = Clock()
    heirs = [Lease(database, owner=owner, clock=clock) for owner in ("a", "b")]
    for _ in range(2):
        for heir in heirs:
            await heir.renew()
        clock.seconds += TIMES.lease_seconds
    assert [len(heir.held) for heir in heirs] == [8, 8]
    assert not heirs[0].held.keys() & heirs[1].held.keys()


async def test_a_slow_database_makes_the_wait_longer_and_never_shorter(database: AsyncEngine) -> None:
    await _died_in_the_future(database)
    made, asked, answered, asked_again, answered_late = 100.0, 100.0, 105.0, 114.9, 130.0
    moments = iter([made, asked, answered, asked_again, answered_late, 115.0, 131.0])
    heir = Lease(database, owner="heir", clock=lambda: next(moments))
    for taken in (0, 0, 16):
        await heir.renew()
        assert len(heir.held) == taken


async def test_a_lease_that_was_prolonged_since_it_was_looked_at_is_not_taken(database: AsyncEngine) -> None:
    owner = _lease(database, "owner")
    await owner.renew()
    async with autocommit(database).connect() as connection:
        seen = await connection.scalar(text("SELECT until FROM outbox_lane WHERE lane = 0"))
        await owner.renew()
        law = TAKE_ABANDONED[database.dialect.name]
        given = {"owner": "heir", "seconds": 10.0, "lane": 0, "until": seen}
        assert (await connection.execute(law, given)).all() == []
    assert await owner.renew() == frozenset()


async def _died_in_the_future(engine: AsyncEngine) -> None:
    hour = datetime.now(UTC) + timedelta(hours=1)
    async with engine.begin() as connection:
        await connection.execute(update(LaneRow).values(owner="dead", epoch=1, until=hour))
        await connection.execute(insert(RelayRow).values(owner="dead", seen=hour))


def _lease(engine: AsyncEngine, owner: str) -> Lease:
    return Lease(engine, owner=owner, clock=Clock())


async def _pass_ten_seconds(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await connection.execute(update(LaneRow).values(until=LONG_AGO))
        await connection.execute(update(RelayRow).values(seen=LONG_AGO))
