"""``treaty delay`` and ``treaty outbox`` as an operator types them, on a service's real database."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker

from tests.treaty.cli.scratch import Done, Scratch, project
from tests.treaty_runtime.relaying import Service, set_aside
from treaty.ops.service_database import engine_of
from treaty_runtime.admin import Cluster
from treaty_runtime.delay.jobs import DelayedJobs, Taken
from treaty_runtime.delay.schedule import Scheduler
from treaty_runtime.event import Partition, Place
from treaty_runtime.job import Job
from treaty_runtime.kafka.log import Log
from treaty_runtime.publish.backlog import Backlog
from treaty_runtime.sql import database
from treaty_runtime.transport import Outgoing
from treaty_runtime.wire import headers as names

pytestmark = pytest.mark.long

T = TypeVar("T")
SCHEMA = "mall_order"


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'order.db'}"
    return str(request.getfixturevalue("postgres"))


@pytest.fixture
def scratch(tmp_path: Path) -> Scratch:
    return project(tmp_path / "project", toml='[environment.local]\nbrokers = "127.0.0.1:1"\n')


def on(url: str, work: Callable[[AsyncEngine], Awaitable[T]]) -> T:
    """Runs something on the database; its tables are made in the service's schema."""

    is_file = url.startswith("sqlite:///")
    if is_file:
        Path(url.removeprefix("sqlite:///")).touch()

    async def run() -> T:
        engine = engine_of(url, SCHEMA)
        try:
            if not is_file:
                async with engine.begin() as connection:
                    await connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}"))
            await database.create(engine)
            return await work(engine)
        finally:
            await engine.dispose()

    return asyncio.run(run())


def treaty(scratch: Scratch, url: str, *words: str) -> Done:
    return scratch.run(*words, "--schema", SCHEMA, DATABASE_URL=url)


async def schedule(engine: AsyncEngine) -> None:
    """Two failed jobs and one of tomorrow."""
    scheduler, past, future = Scheduler(), datetime(2020, 1, 1, tzinfo=UTC), datetime.now(UTC) + timedelta(days=1)
    jobs = [Job(queue="order.cancel", id=f"o-{each}", due=past, payload=b"ann@example.com") for each in (1, 2)]
    async with async_sessionmaker(engine).begin() as session:
        for job in (*jobs, Job(queue="order.cancel", id="o-3", due=future, payload=b"")):
            scheduler.schedule(session, job)
    for job in jobs:
        assert await DelayedJobs(engine).give_up(Taken(job, attempt=1))


def test_failed_jobs_are_an_exit_code_and_are_retried_and_cancelled(scratch: Scratch, url: str) -> None:
    on(url, schedule)
    done = treaty(scratch, url, "delay", "list", "--format", "json")
    rows = json.loads(done.out)
    assert (done.code, [(row["id"], row["state"]) for row in rows]) == (
        1, [("o-1", "failed"), ("o-2", "failed"), ("o-3", "waiting")],
    )  # fmt: skip
    assert "ann@" not in done.out
    assert "Nothing was changed" in treaty(scratch, url, "delay", "retry", "order.cancel", "--all", "--dry-run").err
    done = treaty(scratch, url, "delay", "retry", "order.cancel", "o-1", "o-3", "--yes")
    assert (done.code, "o-3 is left: it is not failed." in done.err, "1 of 1 done" in done.err) == (1, True, True)
    done = treaty(scratch, url, "delay", "cancel", "order.cancel", "o-2", "o-3", "--yes")
    assert (done.code, "2 of 2 done" in done.err) == (0, True)
    done = treaty(scratch, url, "delay", "list")
    assert (done.code, done.err) == (0, "1 jobs, 0 failed.\n")
    assert "o-1" in done.out
    assert "waiting, late" in done.out


def stage(engine: AsyncEngine, *pairs: tuple[str, int]) -> Awaitable[list[Any]]:
    """Stages events and lets the broker refuse the first."""

    async def run() -> list[Any]:
        service, backlog = Service(engine), Backlog(engine)
        await service.stage(*pairs)
        rows = await backlog.read(range(16), held=(), limit=10)
        await set_aside(engine, rows[0])
        return rows

    return run()


def test_a_refused_row_is_told_with_what_waits_behind_it_and_tried_again(scratch: Scratch, url: str) -> None:
    rows = on(url, lambda engine: stage(engine, ("o-1", 1), ("o-1", 2)))
    done = treaty(scratch, url, "outbox", "status", "--format", "json")
    told = json.loads(done.out)
    assert (done.code, done.err) == (1, "2 rows wait, 1 refused, 0 relays at work.\n")
    assert (told["failed"][0]["id"], told["failed"][0]["behind"]) == (str(rows[0].id), 1)
    assert "MSG_SIZE_TOO_LARGE" in treaty(scratch, url, "outbox", "status").out
    which = treaty(scratch, url, "outbox", "retry")
    assert (which.code, "a --key or a --topic" in which.err) == (2, True)
    assert treaty(scratch, url, "outbox", "retry", "--key", "o-9", "--yes").code == 1
    assert treaty(scratch, url, "outbox", "retry", "--topic", "other-events", "--yes").code == 1
    assert "Nothing was changed" in treaty(scratch, url, "outbox", "retry", "--topic", "order-events", "--dry-run").err
    assert treaty(scratch, url, "outbox", "retry", "--key", "o-1", "--yes").code == 0
    assert treaty(scratch, url, "outbox", "status").code == 0


def test_a_threshold_of_the_url_that_is_none_is_a_fault_of_the_call(scratch: Scratch) -> None:
    done = scratch.run("outbox", "status", "--database", "postgresql://localhost/shop?prepare_threshold=often")
    assert (done.code, "give a number of times, or none" in done.err) == (2, True)


def test_a_missing_database_is_told_and_no_file_is_made(scratch: Scratch, tmp_path: Path) -> None:
    missing = tmp_path / "nowhere.db"
    done = scratch.run("outbox", "status", "--database", f"sqlite:///{missing}")
    assert (done.code, "no database file" in done.err, missing.exists()) == (3, True, False)
    (tmp_path / "empty.db").touch()
    done = scratch.run("delay", "list", "--database", f"sqlite:///{tmp_path / 'empty.db'}")
    assert (done.code, "next: check --database" in done.err) == (3, True)
    assert scratch.run("delay", "list").code == 2, "an address must be given"


@pytest.mark.kafka
def test_a_discard_is_noted_and_a_restored_outbox_forgets_what_was_sent(
    tmp_path: Path, kafka: str, url: str, unique: Callable[[str], str]
) -> None:
    scratch = project(tmp_path / "project", toml=f'[environment.local]\nbrokers = "{kafka}"\n')
    topic = unique("order-events")

    async def on_own_topic(engine: AsyncEngine) -> list[Any]:
        rows = await stage(engine, ("o-1", 1), ("o-1", 2), ("o-2", 1))
        async with engine.begin() as connection:
            await connection.execute(text("UPDATE outbox SET aggregatetype = :topic"), {"topic": topic})
        return rows

    rows = on(url, on_own_topic)
    done = treaty(scratch, url, "outbox", "discard", str(rows[0].id), "--reason", "for ever too large", "--yes")
    assert (done.code, "1 of 1 removed" in done.err) == (0, True), done.err
    with Cluster(kafka) as cluster, Log(kafka) as log:
        notes = [record.value or b"" for record in log.read(log.spans(["_treaty_operations"]))]
        assert [note for note in notes if str(rows[0].id).encode() in note and b"for ever too large" in note]
        cluster.create(topic, partitions=1, replication=1, config={})
        cluster.await_topics([topic])
        log.append(Outgoing(topic=topic, key=b"o-1", value=b"x", headers=((names.ID, str(rows[1].id).encode()),)))
        assert log.span(Partition(topic, 0)) == (0, 1)
    done = treaty(scratch, url, "outbox", "reconcile", "--dry-run")
    assert (done.code, "1 of 2 rows are on their topics already." in done.err) == (0, True), done.err
    assert "1 removed" in treaty(scratch, url, "outbox", "reconcile", "--yes").err
    assert "0 of 1 rows" in treaty(scratch, url, "outbox", "reconcile", "--yes").err
    left = json.loads(treaty(scratch, url, "outbox", "status", "--format", "json").out)
    assert [each["pending"] for each in left["topics"]] == [1]


def test_resending_shows_first_what_was_sent_and_kept(url: str, scratch: Scratch) -> None:
    async def sent(engine: AsyncEngine) -> None:
        service = Service(engine)
        await service.stage(("o-1", 1), ("o-2", 1))
        lease, backlog = service.lease(), Backlog(engine, keeps=True)
        await lease.renew()
        rows = await backlog.read(lease.held, held=(), limit=10)
        places = {row.position: Place("order-events", 0, offset) for offset, row in enumerate(rows)}
        await backlog.delete(rows, owner=lease.owner, epochs=lease.held, places=places)

    on(url, sent)
    words = ("outbox", "resend", "--reason", "the topic was deleted", "--database", url, "--schema", SCHEMA)
    done = scratch.run(*words, "--since", "@-2h", "--dry-run")
    assert (done.code, "2 events were sent" in done.err, "Nothing was changed" in done.err) == (0, True, True)
    assert done.out.splitlines()[1].split()[:2] == ["order-events", "2"]
    assert scratch.run(*words, "--since", "@-2h", "--topic", "other").code == 1
    assert scratch.run(*words, "--since", "yesterday").code == 2
