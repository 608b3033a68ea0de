"""The connections of a service to its own database."""

from __future__ import annotations

import asyncio
from pathlib import Path

from sqlalchemy import Column, Integer, MetaData, Table, event, text
from sqlalchemy.ext.asyncio import AsyncEngine

from mall.database import open_database
from treaty_runtime.sql.database import reading

METADATA = MetaData()
NOTES = Table("notes", METADATA, Column("number", Integer, primary_key=True))
WRITERS, READERS = 12, 12


async def test_a_file_has_all_its_connections_from_the_start(tmp_path: Path) -> None:
    opened = open_database("order", f"sqlite:///{tmp_path / 'order.db'}")
    readers = reading(opened.engine)
    try:
        await opened.create(METADATA)
        later: list[object] = []
        for engine in (opened.engine, readers):
            event.listen(engine.sync_engine, "connect", lambda connection, _: later.append(connection))
        at_once = [_writes(opened.engine, number) for number in range(WRITERS)]
        await asyncio.gather(*at_once, *(_reads(readers) for _ in range(READERS)))
        assert not later
        assert await _reads(readers) == WRITERS
    finally:
        await opened.engine.dispose()


async def test_a_database_in_memory_is_opened_too() -> None:
    opened = open_database("order", "sqlite://")
    try:
        await opened.create(METADATA)
        await _writes(opened.engine, 1)
        assert await _reads(reading(opened.engine)) == 1
    finally:
        await opened.engine.dispose()


async def _writes(engine: AsyncEngine, number: int) -> None:
    async with engine.begin() as connection:
        await connection.execute(NOTES.insert(), {"number": number})


async def _reads(engine: AsyncEngine) -> int:
    async with engine.connect() as connection:
        return int((await connection.execute(text("SELECT count(*) FROM notes"))).scalar_one())
