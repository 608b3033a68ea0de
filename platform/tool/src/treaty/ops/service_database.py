"""A service's own database, opened for one question of an operator's."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine

from treaty.config import shown
from treaty.errors import EnvironmentFault, UsageError
from treaty_runtime.errors import InvalidSettings, LaneCountDiffers, LayoutDiffers, TablesMissing
from treaty_runtime.sql import database

T = TypeVar("T")

_SCHEMA = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")
_NEXT = "check --database (or DATABASE_URL), and --schema on PostgreSQL"


def ask(url: str, schema: str | None, work: Callable[[AsyncEngine], Awaitable[T]]) -> T:
    """What ``work`` answers; the connections end with it.

    Raises ``UsageError`` for an address or a schema that is none, ``EnvironmentFault`` for a database that is away or is not ours.
    """
    return asyncio.run(_asked(engine_of(url, schema), url, work))


def engine_of(url: str, schema: str | None) -> AsyncEngine:
    """An engine whose statements look for their tables in ``schema``, as the service's own do; a file must be there."""
    if schema is not None and not _SCHEMA.fullmatch(schema):
        raise UsageError(f"`{schema}` is no schema's name.")
    try:
        parsed = make_url(url)
        if schema is not None and parsed.get_backend_name() != "sqlite":
            parsed = parsed.update_query_dict({"options": f"-csearch_path={schema}"})
        if parsed.get_backend_name() == "sqlite" and parsed.database and not Path(parsed.database).is_file():
            # SQLite would make an empty file of a misspelt name.
            raise EnvironmentFault(f"There is no database file {parsed.database}.", next_step=_NEXT)
        return database.open_engine(parsed)
    except InvalidSettings as error:
        raise UsageError(str(error)) from error
    except (ArgumentError, ImportError) as error:
        raise UsageError(
            "The database's address is none.", next_step="write sqlite:///file or postgresql://…"
        ) from error


async def _asked(engine: AsyncEngine, url: str, work: Callable[[AsyncEngine], Awaitable[T]]) -> T:
    try:
        await _check(engine)
        return await work(engine)
    except (DBAPIError, PoolTimeout, OSError) as error:
        told = str(getattr(error, "orig", None) or error).splitlines()[0]
        raise EnvironmentFault(f"The database {shown(url)} does not answer: {told}", next_step=_NEXT) from error
    finally:
        await engine.dispose()


async def _check(engine: AsyncEngine) -> None:
    """Asks nothing of a database that is not a service's."""
    try:
        await database.check(engine)
    except LaneCountDiffers:
        return  # an outbox may have any number of lanes: we only look at rows
    except (TablesMissing, LayoutDiffers) as fault:
        raise EnvironmentFault(str(fault), next_step=_NEXT) from fault
