"""A service that is started on the database of an earlier version adds what its tables lack; on both databases."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, MetaData, Table, inspect, text

from mall.database import open_database

EARLIER, LATER = MetaData(), MetaData()
Table("pile", EARLIER, Column("id", BigInteger, primary_key=True))
Table(
    "pile",
    LATER,
    Column("id", BigInteger, primary_key=True),
    Column("beyond", Integer, nullable=False, server_default="0"),
    Column("order", Integer),
    Index("pile_by_order", "order", "id"),
)


async def test_rows_of_an_earlier_version_get_the_columns_and_indexes_that_came_later(database_url: str) -> None:
    earlier, later = (open_database("order", database_url) for _ in range(2))
    await earlier.create(EARLIER)
    async with earlier.sessions.begin() as session:
        await session.execute(text("INSERT INTO pile (id) VALUES (7)"))
    await earlier.engine.dispose()
    for _ in range(2):
        await later.create(LATER)
    async with later.engine.connect() as connection:
        assert (await connection.execute(text("SELECT * FROM pile"))).all() == [(7, 0, None)]
        indexes = await connection.run_sync(lambda sync: inspect(sync).get_indexes("pile"))
    assert [(index["name"], index["column_names"]) for index in indexes] == [("pile_by_order", ["order", "id"])]
    await later.engine.dispose()
