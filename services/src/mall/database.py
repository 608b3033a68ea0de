"""A service's own database: a SQLite file, or the schema `mall_<name>` of a Postgres server."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass

from sqlalchemy import MetaData, QueuePool, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from mall.additions import add_missing
from treaty_runtime.sql import database

Sessions = async_sessionmaker[AsyncSession]
AWAY = (OperationalError, InterfaceError, PoolTimeout, OSError)
"""What a command meets when the database, the broker or the disk is away: a fault of the place, not of the program."""
_CREATE_LOCK = 0x6D616C6C  # "mall": one creator at a time


@dataclass(frozen=True, slots=True)
class Database:
    """The engine of one service and its sessions; `readers` give sessions that only read, without a transaction."""

    engine: AsyncEngine
    sessions: Sessions
    readers: Sessions
    schema: str | None

    async def create(self, metadata: MetaData) -> None:
        """Create the service's tables and the runtime's where they are missing, and what theirs got since.

        Of a file every connection is open afterwards, so that a service has the descriptors and threads of its busiest hour from
        the start; those to a server are opened as they are needed, since services share what it allows.
        """
        async with self.engine.begin() as connection:
            if self.schema:
                # Two instances of a service may start at once; CREATE SCHEMA IF NOT EXISTS alone still collides.
                await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _CREATE_LOCK})
                await connection.execute(text(f'CREATE SCHEMA IF NOT EXISTS "{self.schema}"'))
            await connection.run_sync(metadata.create_all)
            await connection.run_sync(add_missing, metadata)
        await database.create(self.engine)
        if not self.schema:
            await self._open_all()

    async def _open_all(self) -> None:
        async with AsyncExitStack() as held:
            for engine in (self.engine, database.reading(self.engine)):
                size = engine.pool.size() if isinstance(engine.pool, QueuePool) else 0  # one in memory has one
                for _ in range(size):
                    await held.enter_async_context(engine.connect())


def open_database(service: str, url: str) -> Database:
    """The database of `service` at `url`; nothing is connected yet.

    On Postgres all statements run with `search_path=mall_<service>`, so services may share a server.
    """
    parsed = make_url(url)
    schema = None
    if parsed.get_backend_name() != "sqlite":
        schema = f"mall_{service}"
        parsed = parsed.update_query_dict({"options": f"-csearch_path={schema}"})
    engine = database.open_engine(parsed)
    return Database(
        engine,
        async_sessionmaker(engine, expire_on_commit=False),
        async_sessionmaker(database.reading(engine), expire_on_commit=False),
        schema,
    )


def first_line(error: Exception) -> str:
    """What an error says, in one line."""
    return (str(error) or type(error).__name__).partition("\n")[0]
