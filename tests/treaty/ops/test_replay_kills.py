"""A replay that is killed wherever it stands, and run again until it is done: every effect once, in the order of its key."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, ClassVar

import pytest
from sqlalchemy import Column, Integer, MetaData, String, Table, insert, select
from sqlalchemy.ext.asyncio import async_sessionmaker

from tests.treaty.cli.scratch import Scratch, project
from tests.treaty_runtime.order_events import FakeRegistry, OrderCreated
from tests.treaty_runtime.relaying import until
from treaty_runtime.admin import Cluster
from treaty_runtime.errors import Reject
from treaty_runtime.event import Context, Event
from treaty_runtime.handlers import Group, Handlers
from treaty_runtime.runtime import Runtime
from treaty_runtime.settings import KafkaSettings
from treaty_runtime.sql import database

pytestmark = pytest.mark.kafka

ORDERS, EVENTS_EACH, KILLS = 4, 10, 8
DONE = Table(
    "done",
    MetaData(),
    Column("at", Integer, primary_key=True),
    Column("order_id", String(20)),
    Column("number", Integer),
)


class Shop:
    """A service whose handler refuses everything until it is mended."""

    def __init__(self, kafka: str, folder: Path, unique: Callable[[str], str]) -> None:
        self.kafka, self.is_mended = kafka, False
        self.engine = database.open_engine(f"sqlite:///{folder / 'shop.sqlite'}")
        self.sessions = async_sessionmaker(self.engine, expire_on_commit=False)
        self.event, self.group, self.dead = _event_on(unique("order-events")), unique("order-view"), unique("dlq.order")

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Runtime]:
        retry = [f"retry.{self.group}.{delay}" for delay in ("0s", "10s", "60s")]
        with Cluster(self.kafka) as cluster:
            for topic in (self.event.__topic__, self.dead, *retry):
                cluster.create(topic, partitions=2, replication=1, config={})
            cluster.await_topics([self.event.__topic__, self.dead, *retry])
        await database.create(self.engine)
        async with self.engine.begin() as connection:
            await connection.run_sync(DONE.metadata.create_all)
        handlers = Handlers()

        @handlers.on(self.event)
        async def fulfil(order: Any, context: Context) -> None:
            if not self.is_mended:
                raise Reject("the price is unknown")
            await context.session.execute(insert(DONE).values(order_id=order.order_id, number=order.number))

        runtime = Runtime(
            service="order",
            settings=KafkaSettings(brokers=self.kafka),
            events={self.event.__avro_fullname__: self.event},
            sessions=self.sessions,
            groups=[Group(self.group, handlers, dead_letter=self.dead)],
            registry=FakeRegistry(self.event),
        )
        async with runtime:
            yield runtime
        await self.engine.dispose()

    async def done(self) -> list[tuple[str, int]]:
        async with self.sessions() as session:
            return [(row.order_id, row.number) for row in await session.execute(select(DONE).order_by(DONE.c.at))]


@pytest.mark.timeout(400)
async def test_a_killed_replay_that_is_run_again_has_every_effect_once_and_in_order(
    kafka: str, unique: Callable[[str], str], tmp_path: Path
) -> None:
    shop = Shop(kafka, tmp_path, unique)
    scratch = project(tmp_path / "project", toml=f'[environment.local]\nbrokers = "{kafka}"\n')
    async with shop.open() as runtime:
        async with shop.sessions.begin() as session:
            for number in range(EVENTS_EACH):
                for order in range(ORDERS):
                    runtime.outbox.stage(session, shop.event(order_id=f"o-{order}", number=number))  # type: ignore[call-arg]  # the Protocol has no constructor
        total = ORDERS * EVENTS_EACH
        await until(lambda: _length(kafka, shop.dead) == total, deadline=120)
        assert await shop.done() == []
        shop.is_mended = True
        words = ("dlq", "replay", "--all", "--topic", shop.dead, "--rate", "500", "--yes")
        for kill in range(KILLS):
            await asyncio.to_thread(_killed, scratch, words, after=kill)
        last = await asyncio.to_thread(scratch.run, *words)
        assert last.code == 0, last.err

        async def all_are_done() -> bool:
            return len(await shop.done()) >= total

        await until(all_are_done, deadline=120)
        code, err = await asyncio.to_thread(_settled, scratch, shop.dead)
        assert code == 0, err
    done = await shop.done()
    assert len(done) == len(set(done)) == total
    for order in range(ORDERS):
        assert [number for order_id, number in done if order_id == f"o-{order}"] == list(range(EVENTS_EACH))
    assert _length(kafka, f"retry.{shop.group}.0s") >= total


def _killed(scratch: Scratch, words: tuple[str, ...], *, after: int) -> None:
    """Starts the command and kills it when it has told of so many records; the one after may be anywhere."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("TREATY_")}
    with subprocess.Popen(
        [sys.executable, "-m", "treaty", *words],
        cwd=scratch.root,
        env=environ,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
    ) as process:
        assert process.stderr is not None
        told = 0
        for line in process.stderr:
            told += "→".encode() in line
            if told >= after and b"to replay" not in line:
                break
            if after == 0 and b"to replay" in line:
                break
        process.send_signal(signal.SIGKILL)


def _settled(scratch: Scratch, topic: str) -> tuple[int, str]:
    done = scratch.run("dlq", "list", "--topic", topic)
    return done.code, done.err


def _length(kafka: str, topic: str) -> int:
    from treaty_runtime.kafka.log import Log

    with Log(kafka) as log:
        return sum(end - start for start, end in log.spans([topic]).values())


def _event_on(topic: str) -> type[Event]:
    """OrderCreated on a topic of the test's own: the broker is shared."""

    class Own(OrderCreated):
        __slots__ = ()
        __topic__: ClassVar[str] = topic
        __subject__: ClassVar[str] = f"{topic}-mall.order.OrderCreated"

        @staticmethod
        def __avro_types__() -> Mapping[str, type]:
            return {"mall.order.OrderCreated": Own}

    return Own
