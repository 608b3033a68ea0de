"""Read models in tables made anew: equal to what the running service made, whatever was done to them, on both databases."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from mall.analytics import app as analytics
from mall.analytics import rebuild as analytics_rebuild
from mall.analytics.domain import ADDS, NAMES, TOLD_BY
from mall.analytics.tables import RebuiltFile
from mall.analytics.tables import metadata as analytics_tables
from mall.analytics.warehouse import Warehouse
from mall.database import open_database
from mall.rebuilt import Change, History, RebuildRefused
from mall.retelling import Model, rebuild_tables
from mall.shadow import Shadow, opened_shadow
from mall.work import Desk
from mall_events.goods import GoodsViewed
from tests.mall.analytics.feeding import FIRST_ORDER, NOON, completed, paid, placed, viewed
from tests.mall.counter import Told
from tests.mall.past import Past, past
from treaty_runtime.errors import TreatyError

COUNTERS = "SELECT name, minute, value FROM counter"
FILES = "SELECT path, record, day, rows FROM warehouse_file"
WAITING = "SELECT record, day, count(*) FROM warehouse_row GROUP BY record, day"


@pytest.fixture
async def market(database_url: str, tmp_path: Path) -> AsyncIterator[Past]:
    """The analytics service, which has handled ten orders of two days, one of them told twice."""
    database = open_database("analytics", database_url)
    market = await past("analytics", database, analytics_tables, analytics.groups(), url=database_url, folder=tmp_path)
    for number in range(10):
        await market.tell(placed(FIRST_ORDER + number, at=NOON + timedelta(hours=4 * number)))
    twice = uuid4()
    await market.tell(paid(), event_id=twice)
    await market.tell(paid(), event_id=twice)
    await handled(market)
    yield market
    await database.engine.dispose()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The warehouse's."""
    return tmp_path / "warehouse"


def files_in(folder: Path) -> list[Path]:
    return list(folder.rglob("*.parquet"))


async def handled(market: Past) -> None:
    await market.live("analytics-service")
    await market.live("analytics-warehouse")


def warehouse(market: Past, folder: Path) -> Warehouse:
    told = Told()
    sessions = {"sessions": market.database.sessions, "readers": market.database.readers}
    return Warehouse(folder=folder, desk=Desk(**sessions, stage=told.stage, schedule=told.schedule, now=lambda: NOON))


async def rebuild(market: Past, folder: Path, *, despite_failures: bool = False) -> list[str]:
    rebuilding = analytics_rebuild.Rebuilding(warehouse(market, folder))
    model = analytics_rebuild.model(rebuilding)
    done = await rebuild_tables(
        model, runtime=market.runtime, settings=market.settings, despite_failures=despite_failures, now=lambda: NOON
    )
    await rebuilding.end()
    return [str(change) for change in done.changes]


async def test_a_damaged_model_is_mended_and_one_that_is_right_is_not_written(market: Past, folder: Path) -> None:
    await warehouse(market, folder).pack()
    right = await market.rows(COUNTERS), sum(row[3] for row in await market.rows(FILES))
    await market.change("UPDATE counter SET value = value + 5", "DELETE FROM warehouse_file")
    await market.change("DELETE FROM counter WHERE name = 'orders_paid'")
    await rebuild(market, folder)
    assert (await market.rows(COUNTERS), sum(row[3] for row in await market.rows(FILES))) == right
    assert "counter: 0 put in, 0 taken out." in await rebuild(market, folder)
    assert await warehouse(market, folder).clear() > 0  # what the table had lost, as at the service's next start
    listed = {row[0] for row in await market.rows(FILES)}
    assert {str(path.relative_to(folder)) for path in files_in(folder)} == listed
    assert await market.rows("SELECT path FROM warehouse_rebuilt_file") == []


async def test_what_the_rebuild_has_handled_the_running_service_does_not_do_again(market: Past, folder: Path) -> None:
    await market.tell(placed(FIRST_ORDER + 50), completed())
    await rebuild(market, folder)
    after = await market.rows(COUNTERS)
    await handled(market)
    assert await market.rows(COUNTERS) == after
    assert sum(row[2] for row in after if row[0] == "orders_created") == 11
    await market.tell(placed(FIRST_ORDER + 51))
    await handled(market)
    assert sum(row[2] for row in await market.rows(COUNTERS) if row[0] == "orders_created") == 12


async def test_what_the_topics_no_longer_tell_stays(market: Past, folder: Path) -> None:
    await warehouse(market, folder).pack()
    right = await market.rows(COUNTERS)
    files = {row[0] for row in await market.rows(FILES)}
    market.connections.gone["order-events"] = 7
    await market.change("DELETE FROM counter WHERE minute > '2026-03-02 20:00'")
    told = await rebuild(market, folder)
    assert await market.rows(COUNTERS) == right
    assert any("kept that the topics no longer tell" in line for line in told)
    kept = files & {row[0] for row in await market.rows(FILES)}
    assert {path.split("dt=")[1][:10] for path in kept} == {"2026-03-01", "2026-03-02"}
    assert sum(row[3] for row in await market.rows(FILES)) == 11


async def test_a_failing_record_keeps_the_old_model_unless_that_is_accepted(
    market: Past, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await market.tell(viewed())
    await market.change("UPDATE counter SET value = 77")

    def broken(_event: object) -> dict[str, int]:
        raise TreatyError("no")

    monkeypatch.setitem(ADDS, GoodsViewed, broken)
    with pytest.raises(RebuildRefused, match="1 records could not be handled, so the old read model stays"):
        await rebuild(market, folder)
    assert {row[2] for row in await market.rows(COUNTERS)} == {77}
    await rebuild(market, folder, despite_failures=True)
    assert 77 not in {row[2] for row in await market.rows(COUNTERS)}


async def test_a_death_before_the_swap_leaves_files_that_the_next_rebuild_removes(market: Past, folder: Path) -> None:
    await warehouse(market, folder).pack()
    dead, before = analytics_rebuild.Rebuilding(warehouse(market, folder)), await market.rows(FILES)

    async def die(_shadow: Shadow, _history: History) -> list[Change]:
        raise KeyboardInterrupt

    model = analytics_rebuild.model(dead)
    fatal = Model(
        metadata=model.metadata,
        groups=model.groups,
        tables=model.tables,
        swap=die,
        prepare=model.prepare,
    )
    with pytest.raises(KeyboardInterrupt):
        await rebuild_tables(
            fatal, runtime=market.runtime, settings=market.settings, despite_failures=False, now=lambda: NOON
        )
    assert await market.rows(FILES) == before
    assert await warehouse(market, folder).clear() == 0
    left = len(files_in(folder))
    assert left > len(before)
    await rebuild(market, folder)
    assert len(files_in(folder)) < left


async def test_a_starting_service_spares_the_file_that_a_rebuild_is_writing(market: Past, folder: Path) -> None:
    async with market.database.sessions.begin() as session:
        session.add(RebuiltFile(path="order-events/new.parquet"))
    spared, left = folder / "order-events" / "new.unfinished", folder / "order-events" / "dead.unfinished"
    spared.parent.mkdir(parents=True)
    for path in (spared, left):
        path.write_text("")
    assert await warehouse(market, folder).clear() == 1
    assert spared.exists()
    await analytics_rebuild.Rebuilding(warehouse(market, folder))._clear_left()
    assert not spared.exists()


async def test_one_rebuild_at_a_time(market: Past) -> None:
    again = open_database("analytics", market.settings.database_url)
    async with opened_shadow(market.database, analytics_tables, service="analytics"):
        with pytest.raises(RebuildRefused, match="Another rebuild of this service is at work"):
            async with opened_shadow(again, analytics_tables, service="analytics"):
                pytest.fail("two at once")
    await again.engine.dispose()


def test_every_counter_has_the_event_that_it_counts() -> None:
    assert set(TOLD_BY) == set(NAMES)
