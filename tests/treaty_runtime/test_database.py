"""Engines and tables: what delivery depends on holds on SQLite and on PostgreSQL."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event, func, insert, inspect, select, text, update
from sqlalchemy.engine import make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, IntegrityError, PendingRollbackError
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

from treaty_runtime.errors import InvalidSettings, LaneCountDiffers, LayoutDiffers, TablesMissing, TransactionAborted
from treaty_runtime.sql import database as runtime_database
from treaty_runtime.sql.database import autocommit
from treaty_runtime.sql.tables import InboxRow, LaneRow, LayoutRow, OutboxRow
from treaty_runtime.wire.failure import describe

SECRET = "s3cr3t-t0k3n"


def _staged(**columns: object) -> dict[str, object]:
    row = {"id": "", "aggregatetype": "orders", "aggregateid": "o-1", "type": "order.created", "lane": 1}
    return row | {"dataschema": "mall.order.OrderCreated", "payload": b"\x00", "headers": "{}"} | columns


async def test_creating_twice_changes_nothing(database: AsyncEngine) -> None:
    await runtime_database.create(database)
    async with database.connect() as connection:
        assert await connection.scalar(select(func.count()).select_from(LaneRow)) == runtime_database.LANES


async def test_two_programs_may_create_at_the_same_moment(database_url: str) -> None:
    engines = [runtime_database.open_engine(database_url) for _ in range(2)]
    await asyncio.gather(*(runtime_database.create(engine) for engine in engines))
    for engine in engines:
        await engine.dispose()


async def test_another_number_of_lanes_is_refused(database: AsyncEngine) -> None:
    with pytest.raises(LaneCountDiffers, match="created with 16 lanes, not 8"):
        await runtime_database.create(database, lanes=8)
    with pytest.raises(LaneCountDiffers, match="1 to 64 lanes, not 65"):
        await runtime_database.create(database, lanes=65)


async def test_missing_tables_are_named_before_work_starts(database_url: str) -> None:
    engine = runtime_database.open_engine(database_url)
    with pytest.raises(TablesMissing):
        await runtime_database.check(engine)
    await engine.dispose()


async def test_another_layout_names_the_statement_to_apply(database: AsyncEngine) -> None:
    async with database.begin() as connection:
        await connection.execute(update(LayoutRow).where(LayoutRow.part == "tables").values(version=1))
    with pytest.raises(LayoutDiffers, match=r"Outbox layout is 1, this release needs 3: apply database.sql\("):
        await runtime_database.check(database)


async def test_the_printed_statements_make_the_same_tables(database_url: str) -> None:
    engine = runtime_database.open_engine(database_url)
    async with engine.begin() as connection:
        for statement in runtime_database.sql(engine.dialect.name).split(";\n"):
            if statement:
                await connection.execute(text(statement.replace(":", r"\:")))
    await runtime_database.check(engine)
    await runtime_database.create(engine)
    await engine.dispose()


def test_an_up_to_date_layout_needs_no_statement() -> None:
    assert runtime_database.sql("postgresql", since=3) == ""


OLDER = {
    1: [
        "DROP TABLE held",
        "DROP TABLE outbox_sent",
        "DROP INDEX delayed_waiting",
        "DROP INDEX delayed_done",
        "CREATE INDEX delayed_due ON delayed (queue, due_at)",
    ],
    2: [
        "DROP INDEX delayed_waiting",
        "DROP INDEX delayed_done",
        "CREATE INDEX delayed_due ON delayed (queue, due_at)",
    ],
}
"""What makes an older layout of the newest."""


@pytest.mark.parametrize("by_statements", [True, False])
@pytest.mark.parametrize("layout", OLDER)
async def test_an_older_layout_is_raised_by_its_statements_and_by_creating_again(
    database_url: str, layout: int, *, by_statements: bool
) -> None:
    engine = runtime_database.open_engine(database_url)
    await runtime_database.create(engine)
    async with engine.begin() as connection:
        for statement in OLDER[layout]:
            await connection.execute(text(statement))
        await connection.execute(update(LayoutRow).where(LayoutRow.part == "tables").values(version=layout))
        for statement in runtime_database.sql(engine.dialect.name, since=layout).split(";\n") if by_statements else ():
            if statement:
                await connection.execute(text(statement))
    if not by_statements:
        await runtime_database.create(engine)
    await runtime_database.check(engine)
    async with engine.connect() as connection:
        names = await connection.run_sync(lambda sync: {each["name"] for each in inspect(sync).get_indexes("delayed")})
        tables = await connection.run_sync(lambda sync: set(inspect(sync).get_table_names()))
    assert names == {"delayed_waiting", "delayed_done"}
    assert {"held", "outbox_sent"} <= tables
    await engine.dispose()


async def test_times_come_from_the_database_and_are_aware(database: AsyncEngine) -> None:
    async with database.begin() as connection:
        row = {"consumer": "c", "event_id": _uuid(1), "topic": "t", "partition": 0, "offset": 0}
        await connection.execute(insert(InboxRow).values(row))
        handled_at = await connection.scalar(select(InboxRow.handled_at))
    assert handled_at is not None
    assert handled_at.tzinfo is UTC
    assert abs(datetime.now(UTC) - handled_at) < timedelta(minutes=1)


async def test_a_position_is_never_given_twice(database: AsyncEngine) -> None:
    positions: list[int] = []
    for number in (1, 2):
        async with database.begin() as connection:
            await connection.execute(insert(OutboxRow).values(_staged(id=_uuid(number))))
            positions += (await connection.scalars(select(OutboxRow.position))).all()
            await connection.execute(text("DELETE FROM outbox"))
    assert positions[0] < positions[1]


async def test_writers_of_sqlite_wait_for_each_other_rather_than_fail(tmp_path: Path) -> None:
    engine = runtime_database.open_engine(f"sqlite:///{tmp_path / 'busy.sqlite'}")
    await runtime_database.create(engine)

    async def read_then_write(number: int) -> None:
        async with engine.begin() as connection:
            await connection.execute(select(OutboxRow.position))
            await asyncio.sleep(0)
            await connection.execute(insert(OutboxRow).values(_staged(id=_uuid(number))))

    await asyncio.gather(*(read_then_write(number) for number in range(20)))
    async with runtime_database.autocommit(engine).connect() as connection:
        assert await connection.scalar(select(func.count()).select_from(OutboxRow)) == 20
    await engine.dispose()


async def test_a_reader_of_sqlite_does_not_wait_for_the_writer(tmp_path: Path) -> None:
    engine = runtime_database.open_engine(f"sqlite:///{tmp_path / 'reader.sqlite'}")
    await runtime_database.create(engine)
    async with engine.begin() as writer:
        await writer.execute(insert(OutboxRow).values(_staged(id=_uuid(1))))
        async with runtime_database.autocommit(engine).connect() as reader:
            assert await reader.scalar(select(func.count()).select_from(OutboxRow)) == 0
    await engine.dispose()


async def test_a_reader_of_sqlite_does_not_wait_for_those_who_wait_to_write(tmp_path: Path) -> None:
    """Nor does a writer that reads apart: who waits to write holds every other connection, until SQLite gives it up."""
    engine = runtime_database.open_engine(f"sqlite:///{tmp_path / 'reader.sqlite'}")
    pool: QueuePool = engine.sync_engine.pool  # type: ignore[assignment]  # one of its kind
    all_taken = asyncio.Event()
    event.listen(engine.sync_engine, "connect", _wait_long)
    event.listen(pool, "checkout", lambda *_: all_taken.set() if pool.checkedout() == pool.size() else None)
    await runtime_database.create(engine)

    async def write(number: int) -> None:
        async with engine.begin() as connection:
            await connection.execute(insert(OutboxRow).values(_staged(id=_uuid(number))))

    async with engine.begin() as writer:
        await writer.execute(insert(OutboxRow).values(_staged(id=_uuid(0))))
        waiting = [asyncio.create_task(write(number)) for number in range(1, 5)]
        await asyncio.wait_for(all_taken.wait(), 30)
        async with runtime_database.reading(engine).connect() as reader:
            assert await reader.scalar(select(func.count()).select_from(OutboxRow)) == 0
        assert not any(task.done() for task in waiting)
    await asyncio.gather(*waiting)
    await engine.dispose()


async def test_where_one_only_reads_sqlite_refuses_to_write_and_memory_and_postgresql_share_their_pool(
    tmp_path: Path,
) -> None:
    engine = runtime_database.open_engine(f"sqlite:///{tmp_path / 'reader.sqlite'}")
    await runtime_database.create(engine)
    readers = runtime_database.reading(engine)
    async with readers.connect() as reader:
        with pytest.raises(DBAPIError, match="readonly"):
            await reader.execute(insert(OutboxRow).values(_staged(id=_uuid(1))))
    assert readers.sync_engine.pool.checkedin() == 1  # type: ignore[attr-defined]  # a queue's
    await engine.dispose()
    assert readers.sync_engine.pool.checkedin() == 0  # type: ignore[attr-defined]  # a queue's
    for url in ("sqlite://", "postgresql://nobody@127.0.0.1:1/none"):
        other = runtime_database.open_engine(url)
        assert runtime_database.reading(other).sync_engine.pool is other.sync_engine.pool


@pytest.mark.parametrize(("pragma", "value"), [("journal_mode", "wal"), ("synchronous", 2), ("busy_timeout", 5000)])
async def test_sqlite_is_opened_for_durability(tmp_path: Path, pragma: str, value: object) -> None:
    engine = runtime_database.open_engine(f"sqlite:///{tmp_path / 'pragmas.sqlite'}")
    async with engine.connect() as connection:
        assert await connection.scalar(text(f"PRAGMA {pragma}")) == value
    await engine.dispose()


async def test_connections_of_a_file_stay_instead_of_coming_and_going(tmp_path: Path) -> None:
    """Each has a thread: those that come and go leave the allocator's arenas larger each time."""
    engine = runtime_database.open_engine(f"sqlite:///{tmp_path / 'a.db'}")
    made: list[object] = []
    event.listen(engine.sync_engine, "connect", lambda connection, _entry: made.append(connection))
    reading = runtime_database.autocommit(engine)

    async def ask() -> None:
        async with reading.connect() as connection:
            await connection.scalar(text("SELECT 1"))

    for _ in range(3):
        await asyncio.gather(*(ask() for _ in range(30)))
    assert 1 <= len(made) <= 5
    await engine.dispose()


async def test_everybody_shares_the_one_connection_of_a_database_in_memory() -> None:
    engine = runtime_database.open_engine("sqlite://")
    await runtime_database.create(engine)
    await runtime_database.check(engine)
    await engine.dispose()


async def test_an_unreachable_database_is_away_and_no_conflict() -> None:
    engine = runtime_database.open_engine("postgresql://nobody@127.0.0.1:1/none")
    with pytest.raises(DBAPIError) as refused:
        async with engine.connect():
            pass
    assert runtime_database.is_away(refused.value)
    assert not runtime_database.is_conflict(refused.value)


async def test_a_broken_statement_is_neither_away_nor_a_conflict(database: AsyncEngine) -> None:
    async with database.connect() as connection:
        with pytest.raises(DBAPIError) as broken:
            await connection.execute(text("SELECT nothing FROM nowhere"))
    assert not runtime_database.is_away(broken.value)
    assert not runtime_database.is_conflict(broken.value)


@pytest.mark.parametrize("limit", ["max_page_count = 1", "query_only = ON"], ids=["full", "read-only"])
async def test_a_file_that_cannot_be_written_is_away(tmp_path: Path, limit: str) -> None:
    engine = runtime_database.open_engine(f"sqlite:///{tmp_path / 'shop.db'}")
    async with engine.begin() as connection:
        await connection.execute(text("CREATE TABLE notes (body text)"))
    async with autocommit(engine).connect() as connection:
        await connection.execute(text(f"PRAGMA {limit}"))
        with pytest.raises(DBAPIError) as refused:
            await connection.execute(text("INSERT INTO notes VALUES (:body)"), {"body": "x" * 100_000})
    assert runtime_database.is_away(refused.value)
    assert not runtime_database.is_conflict(refused.value)
    await engine.dispose()


@pytest.mark.postgres
async def test_a_server_that_became_a_copy_which_only_reads_is_away(postgres: str) -> None:
    engine = runtime_database.open_engine(postgres)
    async with engine.connect() as connection:
        await connection.execute(text("SET TRANSACTION READ ONLY"))
        with pytest.raises(DBAPIError) as refused:
            await connection.execute(text("CREATE TABLE notes (body text)"))
    assert runtime_database.is_away(refused.value)
    await engine.dispose()


@pytest.mark.postgres
async def test_a_lock_that_does_not_come_in_the_servers_time_is_somebody_elses(postgres: str) -> None:
    engine = runtime_database.open_engine(postgres)
    async with engine.connect() as holder, engine.connect() as waiter:
        await holder.execute(text("SELECT pg_advisory_xact_lock(4711)"))
        await waiter.execute(text("SET LOCAL lock_timeout = '10ms'"))
        with pytest.raises(DBAPIError) as refused:
            await waiter.execute(text("SELECT pg_advisory_xact_lock(4711)"))
    assert runtime_database.is_locked(refused.value)
    assert runtime_database.is_passing(refused.value)
    assert not runtime_database.is_away(refused.value)
    await engine.dispose()


@pytest.mark.postgres
@pytest.mark.parametrize("is_ours", [True, False], ids=["opened by us", "a service's own"])
async def test_a_transaction_that_went_on_after_an_error_is_not_taken_for_committed(
    postgres: str, is_ours: bool
) -> None:
    """PostgreSQL answers its COMMIT with ROLLBACK, and no driver tells: what was staged would be lost without a word."""
    if is_ours:
        engine = runtime_database.open_engine(postgres)
    else:
        engine = create_async_engine(make_url(postgres).set(drivername="postgresql+psycopg"))
        for _ in range(2):
            runtime_database.guard(engine)
    async with engine.begin() as connection:
        await connection.execute(text("CREATE TABLE notes (body text PRIMARY KEY)"))
    with pytest.raises(TransactionAborted, match="begin_nested"):
        await _write_twice(engine)
    for _ in range(2):  # the connection is as good as before
        async with engine.begin() as connection:
            assert await connection.scalar(text("SELECT count(*) FROM notes")) == 0
    await engine.dispose()


@pytest.mark.postgres
async def test_what_a_pooler_forgot_costs_a_connection_and_is_no_failure_of_whoever_asked(postgres: str) -> None:
    """In transaction mode it lends another server's connection each time, where nobody prepared anything."""
    engine = runtime_database.open_engine(postgres, pool_size=1)
    asked = text("SELECT CAST(:number AS integer)")
    async with autocommit(engine).connect() as connection:
        for number in range(7):  # prepared at the sixth
            assert await connection.scalar(asked, {"number": number}) == number
        await connection.exec_driver_sql("SELECT 1")
        driver: Any = (await connection.get_raw_connection()).driver_connection
        driver.pgconn.exec_(b"DEALLOCATE ALL")  # below the driver, which would notice
        with pytest.raises(DBAPIError, match="does not exist") as refused:
            await connection.scalar(asked, {"number": 1})
    assert runtime_database.is_away(refused.value)
    async with engine.connect() as connection:
        assert await connection.scalar(asked, {"number": 2}) == 2
    await engine.dispose()


@pytest.mark.postgres
async def test_a_statement_that_somebody_named_and_never_prepared_is_their_own_fault(postgres: str) -> None:
    engine = runtime_database.open_engine(postgres)
    async with engine.connect() as connection:
        with pytest.raises(DBAPIError, match="does not exist") as refused:
            await connection.exec_driver_sql("EXECUTE stock_of(1)")
    assert not runtime_database.is_passing(refused.value)
    await engine.dispose()


@pytest.mark.postgres
async def test_a_connection_that_was_lost_in_a_savepoint_is_still_lost_when_the_savepoint_was_given_up(
    postgres: str,
) -> None:
    engine = runtime_database.open_engine(postgres)
    async with async_sessionmaker(engine)() as session:
        with suppress(DBAPIError):
            async with session.begin_nested():
                await session.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
        with pytest.raises(PendingRollbackError) as lost:
            await session.commit()
    assert runtime_database.is_away(lost.value)
    await engine.dispose()


@pytest.mark.postgres
@pytest.mark.parametrize(("threshold", "prepared"), [("none", 0), ("0", 1), ("2", 1), ("5", 0)])
async def test_the_url_says_whether_statements_are_prepared(postgres: str, threshold: str, prepared: int) -> None:
    engine = runtime_database.open_engine(f"{postgres}?prepare_threshold={threshold}")
    async with autocommit(engine).connect() as connection:
        for number in range(4):
            await connection.scalar(text("SELECT CAST(:number AS bigint)"), {"number": number})
        listed = "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE 'SELECT CAST%'"
        assert await connection.scalar(text(listed)) == prepared
    await engine.dispose()


@pytest.mark.parametrize("threshold", ["often", "-1", "1&prepare_threshold=2"])
def test_a_threshold_that_is_none_is_refused_in_a_sentence(threshold: str) -> None:
    with pytest.raises(InvalidSettings, match="give a number of times, or none"):
        runtime_database.open_engine(f"postgresql://localhost/shop?prepare_threshold={threshold}")


async def _write_twice(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        for _ in range(2):
            with suppress(IntegrityError):
                await connection.execute(text("INSERT INTO notes VALUES ('once')"))


async def test_a_file_that_another_keeps_locked_is_away(tmp_path: Path) -> None:
    engine = runtime_database.open_engine(f"sqlite:///{tmp_path / 'shop.db'}")
    async with engine.connect() as holder, autocommit(engine).connect() as waiter:
        await holder.execute(text("CREATE TABLE notes (body text)"))
        await waiter.execute(text("PRAGMA busy_timeout = 0"))
        with pytest.raises(DBAPIError) as refused:
            await waiter.execute(text("CREATE TABLE others (body text)"))
    assert runtime_database.is_away(refused.value)
    assert not runtime_database.is_conflict(refused.value)
    await engine.dispose()


async def test_what_was_to_be_stored_is_in_no_error_text(database: AsyncEngine) -> None:
    async with database.begin() as connection:
        await connection.execute(text("CREATE TABLE tokens (token varchar(36) PRIMARY KEY)"))
    for engine in (database, autocommit(database)):
        with pytest.raises(DBAPIError) as refused:
            await _store_twice(engine)
        failure = describe(refused.value)
        assert "tokens" in failure.message
        assert SECRET not in failure.message + failure.stack


async def _store_twice(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        for _ in range(2):
            await connection.execute(text("INSERT INTO tokens VALUES (:token)"), {"token": SECRET})


@pytest.mark.postgres
async def test_a_killed_connection_is_away(postgres: str) -> None:
    engine = runtime_database.open_engine(postgres)
    async with engine.connect() as connection:
        with pytest.raises(DBAPIError) as killed:
            await connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
        assert runtime_database.is_away(killed.value)
        await connection.invalidate()
    await engine.dispose()


def _wait_long(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    """However slow the machine, nobody gives up."""
    cursor = connection.cursor()
    cursor.execute("PRAGMA busy_timeout=120000")
    cursor.close()


def _uuid(number: int) -> UUID:
    return UUID(int=number)
