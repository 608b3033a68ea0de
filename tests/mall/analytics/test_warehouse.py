"""The warehouse: what was handled is in it once, whatever died, and reports say what a recount says."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from sqlalchemy import Engine, event, select

from mall.analytics import parquet, store
from mall.analytics.handlers import warehouse_handlers
from mall.analytics.reports import REPORTS
from mall.analytics.tables import WarehouseFile, WarehouseRow
from mall.analytics.warehouse import Warehouse
from mall_events.order import CancelReason
from mall_events.user import UserActivity
from tests.mall.analytics.feeding import (
    FIRST_ORDER,
    NOON,
    activity,
    cancelled,
    completed,
    failed,
    feed,
    paid,
    placed,
    succeeded,
    viewed,
)
from tests.mall.counter import Counter

ADMIN = 1


def a_day() -> list[Any]:
    return [
        *(placed(FIRST_ORDER + number, pieces=number + 1) for number in range(4)),
        *(paid(FIRST_ORDER + number, total=f"{3.5 * (number + 1):.2f}") for number in range(2)),
        cancelled(FIRST_ORDER + 2),
        cancelled(FIRST_ORDER + 3, reason=CancelReason.BUYER_REQUEST),
        completed(),
        *(viewed() for _ in range(5)),
        viewed(at=NOON + timedelta(days=1)),
        activity(UserActivity.REGISTERED),
        activity(UserActivity.LOGGED_IN),
        *(succeeded() for _ in range(3)),
        failed(),
    ]


EXPECTED = {
    "sales_by_day": [["2026-03-01", "CNY", 2, "10.50"]],
    "funnel": [["viewed", 6], ["ordered", 4], ["paid", 2], ["completed", 1]],
    "top_goods": [[501, "Lamp", 3]],
    "cancel_reasons": [["BUYER_REQUEST", 1], ["PAYMENT_TIMEOUT", 1]],
    "payment_success_rate": [["2026-03-01", 4, 3, 75.0]],
    "time_to_pay": [["2026-03-01", 2, 90.0, 90.0]],
    "registrations_by_day": [["2026-03-01", 1]],
}


async def answers(analytics: Counter) -> dict[str, Any]:
    found = {}
    for name in REPORTS:
        answer = await analytics.call("GET", f"/api/v1/reports/{name}.json", user=ADMIN, admin=True)
        assert answer.status_code == 200, answer.text
        found[name] = answer.json()["rows"]
    return found


async def listed(analytics: Counter) -> list[WarehouseFile]:
    async with analytics.desk.look() as session:
        return list(await store.files(session))


async def test_reports_are_a_recount_before_and_after_rows_get_their_files(
    analytics: Counter, warehouse: Warehouse
) -> None:
    assert (await answers(analytics))["funnel"] == [["viewed", 0], ["ordered", 0], ["paid", 0], ["completed", 0]]
    handlers = warehouse_handlers()
    events = a_day()
    await feed(analytics, handlers, events[:10])
    assert await warehouse.pack(at_least=1_000) == 0
    assert await warehouse.pack() > 0
    await feed(analytics, handlers, events[10:])
    assert await answers(analytics) == EXPECTED
    await warehouse.pack()
    assert await answers(analytics) == EXPECTED
    async with analytics.desk.look() as session:
        assert list(await session.scalars(select(WarehouseRow))) == []
    files = await listed(analytics)
    assert sum(file.rows for file in files) == len(events)
    looks = [file for file in files if file.record == "GoodsViewed"]
    assert {str(file.day) for file in looks} == {"2026-03-01", "2026-03-02"}
    assert all(file.path.startswith("goods-events/GoodsViewed/dt=2026-03-0") for file in looks)
    assert all((warehouse.folder / file.path).is_file() for file in files)


async def test_dropping_rows_is_one_text_for_any_number_of_them(analytics: Counter, warehouse: Warehouse) -> None:
    """A connection keeps what it prepared: a text of its own for each number of rows made it grow by megabytes."""
    deletes: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("DELETE"):
            deletes.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        for looks in (1, 2, 5):
            await feed(analytics, warehouse_handlers(), [viewed() for _ in range(looks)])
            assert await warehouse.pack() == 1
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    assert len(deletes) == 3
    assert len(set(deletes)) == 1


async def test_a_death_between_file_and_table_leaves_every_event_once(
    analytics: Counter, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    await feed(analytics, warehouse_handlers(), a_day())

    async def die(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(store, "drop_rows", die)
        with pytest.raises(KeyboardInterrupt):
            await warehouse.pack()
    written = [path for path in warehouse.folder.rglob("*") if path.is_file()]
    assert len(written) == 1
    assert await answers(analytics) == EXPECTED
    assert await warehouse.clear() == 1
    assert await warehouse.clear() == 0
    await warehouse.pack()
    assert await answers(analytics) == EXPECTED
    assert await warehouse.clear() == 0


def test_a_file_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "file.parquet"
    with pytest.raises(duckdb.Error):
        parquet.write(path, columns={"a": "BIGINT"}, rows=[{"a": "no number"}])
    assert not path.exists()


def test_a_row_that_got_its_file_while_it_was_asked_counts_once(tmp_path: Path) -> None:
    path, columns = tmp_path / "it's.parquet", {"a": "BIGINT"}
    own = {"event_id": "00000000-0000-0000-0000-000000000001", "event_type": "x", "partition": 0, "offset": 2**60}
    rows = [{**own, "a": 9007199254740993}]
    parquet.write(path, columns=columns, rows=rows)
    with parquet.Tables() as tables:
        tables.add("Thing", columns=columns, files=[path], rows=rows)
        assert tables.ask('SELECT a, "offset" FROM Thing')[1] == [[9007199254740993, 2**60]]


async def test_csv_and_page_carry_what_people_typed_as_text_only(analytics: Counter) -> None:
    hostile = '=HYPERLINK("x")<script>alert(1)</script>'
    await feed(analytics, warehouse_handlers(), [placed(title=hostile), paid()])
    csv = await analytics.call("GET", "/api/v1/reports/top_goods.csv", user=ADMIN, admin=True)
    assert csv.headers["content-type"].startswith("text/csv")
    assert csv.text.splitlines()[0] == "goods_id,title,pieces"
    assert "\"'=HYPERLINK" in csv.text
    page = await analytics.call("GET", "/api/v1/report", user=ADMIN, admin=True)
    assert "<script>" not in page.text
    assert "&lt;script&gt;" in page.text
    assert page.text.count("<table>") == len(REPORTS)


async def test_reports_are_for_admins_and_have_names(analytics: Counter) -> None:
    assert (await analytics.call("GET", "/api/v1/reports/funnel.json", user=10)).status_code == 403
    unknown = await analytics.call("GET", "/api/v1/reports/secrets.json", user=ADMIN, admin=True)
    assert unknown.status_code == 404
    assert "sales_by_day" in unknown.json()["message"]
    assert (await analytics.call("GET", "/api/v1/reports/funnel.xml", user=ADMIN, admin=True)).status_code == 422
    assert (await analytics.call("GET", "/api/v1/report")).status_code == 401
