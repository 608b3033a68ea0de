"""The servers that a run needs, and names of its own on them."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import LiteralString

import psycopg
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.reliability.tables import METADATA
from treaty_runtime.admin import Cluster
from treaty_runtime.sql import database as runtime_database

PARTITIONS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """A real broker and an empty database; ``name`` is in every topic and group of the run."""

    bootstrap: str
    database: str
    name: str = field(default_factory=lambda: f"run-{secrets.token_hex(4)}")
    replication: int = 1

    @property
    def topic(self) -> str:
        """Where the run's events go."""
        return f"{self.name}.orders"

    @property
    def dead_letter(self) -> str:
        """Where nothing may arrive."""
        return f"{self.name}.dlq"

    @property
    def group(self) -> str:
        """The group that consumes."""
        return f"{self.name}-service"

    @property
    def second_topic(self) -> str:
        """Where the second group's events go, if the run has one."""
        return f"{self.name}.second"

    @property
    def second_group(self) -> str:
        """The group whose failures go through a retry topic."""
        return f"{self.name}-second"

    async def prepare(self, *, pool_size: int = 4) -> AsyncEngine:
        """Makes topics and tables; answers an engine for whoever drives the run."""
        with Cluster(self.bootstrap, timeout=60) as cluster:
            safe = {"min.insync.replicas": "2"} if self.replication > 2 else {}
            for topic, partitions in ((self.topic, PARTITIONS), (self.dead_letter, 1)):
                cluster.create(topic, partitions=partitions, replication=self.replication, config=safe)
            cluster.await_topics([self.topic, self.dead_letter])
        engine = runtime_database.open_engine(self.database, pool_size=pool_size)
        await runtime_database.create(engine)
        async with engine.begin() as connection:
            await connection.run_sync(METADATA.create_all)
        return engine


class Counter:
    """Counts effects on a connection that is kept."""

    def __init__(self, database: str) -> None:
        self._connection = psycopg.connect(database.replace("+psycopg", ""), autocommit=True)

    def effects(self) -> int:
        """Rows, doubled ones too."""
        return self._number("SELECT count(*) FROM effect")

    def events(self) -> int:
        """Events that had an effect."""
        return self._number("SELECT count(DISTINCT event_id) FROM effect")

    def waiting(self) -> int:
        """Rows in the outbox."""
        return self._number("SELECT count(*) FROM outbox")

    def jobs(self) -> int:
        """Delayed jobs that ran; one that ran twice counts twice."""
        return self._number("SELECT count(*) FROM ran")

    def failed_jobs(self, names: Sequence[str]) -> int:
        """How many of these jobs have failed for good."""
        return self._number("SELECT count(*) FROM delayed WHERE failed_at IS NOT NULL AND id = ANY(%s)", list(names))

    def delayed(self, names: Sequence[str]) -> int:
        """How many of these jobs there are."""
        return self._number("SELECT count(*) FROM delayed WHERE id = ANY(%s)", list(names))

    def refused(self, key: str) -> int:
        """How many rows of a key the broker refused."""
        return self._number("SELECT count(*) FROM outbox_failed WHERE aggregateid = %s", key)

    def at_work(self, names: Sequence[str]) -> set[str]:
        """Which of these lives have had effects."""
        rows = self._connection.execute("SELECT DISTINCT process FROM effect WHERE process = ANY(%s)", [list(names)])
        return {row[0] for row in rows}

    def undone(self) -> int:
        """Effects that were begun and rolled back: kills in the middle of a transaction, and planted failures."""
        return self._number("SELECT coalesce(max(at), 0) - count(*) FROM effect")

    def close(self) -> None:
        """Ends the connection."""
        self._connection.close()

    def _number(self, sql: LiteralString, *given: object) -> int:
        row = self._connection.execute(sql, given).fetchone()
        assert row is not None
        return int(row[0])
