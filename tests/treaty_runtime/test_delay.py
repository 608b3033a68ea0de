"""Delayed jobs on a real Redis: once, never early, whatever Redis forgets and whoever dies."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from psycopg.errors import DeadlockDetected, QueryCanceled
from redis.asyncio import Redis
from sqlalchemy import select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from tests.treaty_runtime.relaying import until
from tests.treaty_runtime.workplace import QUEUE, Workplace, running
from treaty_runtime.delay.due_times import Claimed
from treaty_runtime.delay.jobs import Taken
from treaty_runtime.delay.redis import RedisDelays
from treaty_runtime.delay.runner import JobContext
from treaty_runtime.errors import Outage
from treaty_runtime.hooks import OutageBegan, Recovered
from treaty_runtime.job import Job
from treaty_runtime.retry import RetryPolicy
from treaty_runtime.sql.tables import DelayedRow

pytestmark = pytest.mark.redis
Sessions = async_sessionmaker[AsyncSession]
NEVER = 3_600.0
"""Seconds that no test lasts, however busy its machine."""


@pytest.fixture
async def client(redis: str) -> AsyncIterator[Redis]:
    made = Redis.from_url(redis)
    yield made
    await made.aclose()


@pytest.fixture
async def place(database: AsyncEngine, redis: str) -> Workplace:
    async with database.begin() as connection:
        await connection.execute(text("CREATE TABLE ran (id varchar(255))"))
    return Workplace(database, redis)


async def test_a_job_runs_once_and_not_before_it_is_due(place: Workplace) -> None:
    async with running(place.workers()):
        await place.schedule("later", after=0.4)
        await place.schedule("now")
        await until(lambda: place.outcomes().count("done") == 2)
    assert await place.ran() == ["later", "now"]
    assert place.early == []


async def test_two_processes_run_each_job_once(place: Workplace) -> None:
    names = [f"o-{number:03}" for number in range(60)]
    async with running(place.workers(), place.workers()):
        await place.schedule(*names)
        await until(lambda: place.outcomes().count("done") == 60)
    assert await place.ran() == names


async def test_jobs_survive_a_flushed_redis(place: Workplace, client: Redis) -> None:
    await place.schedule("a", "b", after=0.3)
    await client.flushall()
    async with running(place.workers(sweep_every=0.2)):
        await client.flushall()
        await until(lambda: place.outcomes().count("done") == 2)
    assert await place.ran() == ["a", "b"]
    assert place.early == []


async def test_without_redis_the_table_is_polled(place: Workplace) -> None:
    place.redis = "redis://127.0.0.1:1/0"
    async with running(place.workers()):
        await place.schedule("a", after=0.2)
        await until(lambda: "done" in place.outcomes())
    assert await place.ran() == ["a"]
    assert place.early == []
    assert any(isinstance(hook, OutageBegan) and hook.dependency == "redis" for hook in place.seen)


async def test_a_failing_job_follows_the_schedule_and_then_waits_for_an_operator(place: Workplace) -> None:
    place.failing.add("bad")
    async with running(place.workers()):
        await place.schedule("bad")
        await until(lambda: "failed" in place.outcomes())
    assert [outcome for outcome in place.outcomes() if outcome != "duplicate"] == ["retried", "retried", "failed"]
    assert await place.ran() == [], "what a failed attempt wrote is rolled back"
    async with place.sessions() as session:
        (row,) = await session.scalars(select(DelayedRow))
    assert (row.attempts, row.done_at) == (3, None)
    assert row.failed_at is not None


async def test_a_moved_job_runs_at_its_new_time_only(place: Workplace) -> None:
    async with running(place.workers()):
        await place.schedule("a", after=NEVER)
        await place.schedule("a", after=0.4, replace=True)
        await until(lambda: "done" in place.outcomes())
    assert await place.ran() == ["a"]
    assert place.early == []


async def test_a_job_that_was_moved_while_redis_did_not_hear_of_it_runs_at_its_new_time(
    place: Workplace, client: Redis
) -> None:
    await RedisDelays(client).push(QUEUE, [("a", datetime.now(UTC) + timedelta(seconds=NEVER))])
    await place.schedule("a")  # nobody listens yet: what was said of it is lost
    async with running(place.workers(sweep_every=0.2)):
        await until(lambda: "done" in place.outcomes())
    assert await place.ran() == ["a"]


@pytest.mark.parametrize("delays", [(), ("1s",)], ids=["given up", "later"])
async def test_a_job_that_was_scheduled_anew_while_it_failed_has_not_failed(
    place: Workplace, delays: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    place.retry, attempts = RetryPolicy(delays=delays, jitter=0), []
    roll_back = AsyncSession.rollback

    async def handle(_: Job, context: JobContext) -> None:
        attempts.append(context.attempt)
        if len(attempts) == 1:
            context.session.rollback = anew.__get__(context.session)
            raise ZeroDivisionError

    async def anew(session: AsyncSession) -> None:
        await roll_back(session)
        await place.schedule("a", replace=True)

    monkeypatch.setattr(place, "handle", handle)
    async with running(place.workers()):
        await place.schedule("a")
        await until(lambda: "done" in place.outcomes())
    assert attempts == [1, 1]
    async with place.sessions() as session:
        (row,) = await session.scalars(select(DelayedRow))
    assert (row.attempts, row.failed_at) == (0, None)


async def test_a_job_whose_handler_awaits_what_is_cancelled_has_failed(
    place: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def handle(_: Job, __: JobContext) -> None:
        waiting = asyncio.create_task(asyncio.sleep(NEVER))
        asyncio.get_running_loop().call_soon(waiting.cancel)
        await waiting

    monkeypatch.setattr(place, "handle", handle)
    async with running(place.workers()):
        await place.schedule("a")
        await until(lambda: "failed" in place.outcomes())


@pytest.mark.parametrize(("losses", "outcomes"), [(5, ["done"]), (6, ["retried", "done"])])
async def test_a_job_that_loses_against_others_runs_again_at_once_and_has_failed_after_five_more(
    place: Workplace, losses: int, outcomes: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    attempts: list[int] = []

    async def handle(_: Job, context: JobContext) -> None:
        attempts.append(context.attempt)
        if len(attempts) <= losses:
            raise OperationalError("UPDATE", {}, DeadlockDetected("deadlock detected"))

    monkeypatch.setattr(place, "handle", handle)
    async with running(place.workers()):
        await place.schedule("a")
        await until(lambda: "done" in place.outcomes())
    assert [outcome for outcome in place.outcomes() if outcome != "duplicate"] == outcomes
    assert attempts == [1] * 6 + [2] * (losses - 5)


async def test_a_statement_that_took_longer_than_the_server_allows_is_told_and_the_job_comes_again(
    place: Workplace, client: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    take, asked = place.jobs.take, list[str]()

    async def slow_at_first(session: AsyncSession, *, queue: str, job_id: str) -> Taken | datetime | None:
        asked.append(job_id)
        if len(asked) == 1:
            raise OperationalError("UPDATE delayed", {}, QueryCanceled("canceling statement due to statement timeout"))
        return await take(session, queue=queue, job_id=job_id)

    monkeypatch.setattr(place.jobs, "take", slow_at_first)
    async with running(place.workers()):
        await place.schedule("a")
        await until(lambda: any(isinstance(hook, OutageBegan) and hook.dependency == "database" for hook in place.seen))
        await _end_leases(client)
        await until(lambda: "done" in place.outcomes())
    assert await place.ran() == ["a"]


async def test_what_a_handler_needs_is_back_when_one_of_its_queue_succeeds(
    place: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, away = place.handle, [True]

    async def handle(job: Job, context: JobContext) -> None:
        if away:
            away.clear()
            raise Outage(dependency="mail")
        await whole(job, context)

    monkeypatch.setattr(place, "handle", handle)
    async with running(place.workers()):
        await place.schedule("a")
        await until(lambda: not away)
        place.failing.add("bad")
        await place.schedule("bad")
        await until(lambda: "failed" in place.outcomes())
        assert not [hook for hook in place.seen if isinstance(hook, Recovered)], "a failure says nothing of it"
        await place.schedule("b")
        await until(lambda: any(isinstance(hook, Recovered) and hook.dependency == "mail" for hook in place.seen))


async def test_an_error_that_is_no_jobs_ends_the_workers_and_is_raised(
    place: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refused(*_: object, **__: object) -> None:
        raise LookupError("no such table")

    monkeypatch.setattr(place.jobs, "take", refused)
    await place.schedule("a")
    with pytest.raises(LookupError, match="no such table"):
        await asyncio.wait_for(place.workers(sweep_every=0.2).run(), 60)


async def test_a_cancelled_job_does_not_run(place: Workplace) -> None:
    workers = place.workers()  # who hear of the job, and do not work yet
    await place.schedule("gone")
    async with place.sessions.begin() as session:
        place.scheduler.cancel(session, QUEUE, "gone")
    async with running(workers):
        await until(lambda: "duplicate" in place.outcomes())
    assert await place.ran() == []


async def test_a_job_of_a_killed_worker_runs_elsewhere(
    place: Workplace, client: Redis, database_url: str, redis: str
) -> None:
    """A real process dies by SIGKILL between its effect and the commit; the effect is made once."""
    await place.schedule("a")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.treaty_runtime.stuck_job", database_url, redis, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    assert await asyncio.wait_for(process.stdout.readline(), 240) == b"inside\n"
    process.send_signal(signal.SIGKILL)
    await process.wait()
    assert await place.ran() == []
    await _end_leases(client)
    async with running(place.workers()):
        await until(lambda: "done" in place.outcomes())
    assert await place.ran() == ["a"]


async def test_an_expired_claim_goes_to_the_next_and_the_former_answer_counts_no_more(client: Redis) -> None:
    delays = RedisDelays(client)
    await delays.push(QUEUE, [("a", datetime.now(UTC))])
    (first,) = (await _claim(delays)).claims
    assert (await delays.claim(QUEUE, limit=10)).claims == []
    await _end_leases(client)
    (second,) = (await _claim(delays)).claims
    assert first.token != second.token
    assert not await delays.acknowledge(QUEUE, first)
    assert not await delays.extend(QUEUE, first)
    assert not await delays.again(QUEUE, first, due=datetime.now(UTC))
    assert await delays.extend(QUEUE, second)
    assert await delays.acknowledge(QUEUE, second)
    assert (await delays.claim(QUEUE, limit=10)).claims == []


async def test_a_job_under_way_is_not_queued_again_by_the_sweeper(client: Redis) -> None:
    delays = RedisDelays(client)
    await delays.push(QUEUE, [("a", datetime.now(UTC))])
    (claim,) = (await _claim(delays)).claims
    await delays.push(QUEUE, [("a", datetime.now(UTC))])
    assert await delays.acknowledge(QUEUE, claim)
    assert await delays.claim(QUEUE, limit=10) == ([], None)


async def test_nobody_waits_behind_jobs_that_were_replaced_while_they_run(client: Redis) -> None:
    delays, now = RedisDelays(client), datetime.now(UTC)
    running = [f"running-{number}" for number in range(3)]
    await delays.push(QUEUE, [(job_id, now) for job_id in running])
    assert len((await _claim(delays)).claims) == len(running)
    await delays.push(QUEUE, [(job_id, now - timedelta(seconds=1)) for job_id in running], replace=True)
    await delays.push(QUEUE, [("free-1", now), ("free-2", now), ("free-3", now)])
    claimed = await delays.claim(QUEUE, limit=2)
    assert [claim.job_id for claim in claimed.claims] == ["free-1", "free-2"]


async def test_one_process_sweeps_a_queue(client: Redis) -> None:
    delays = RedisDelays(client)
    assert await delays.may_sweep(QUEUE, owner="a", seconds=60)
    assert not await delays.may_sweep(QUEUE, owner="b", seconds=60)


async def _claim(delays: RedisDelays) -> Claimed:
    """What is due now: Redis may be a millisecond behind this host."""
    found: list[Claimed] = []

    async def is_due() -> bool:
        found.append(await delays.claim(QUEUE, limit=10))
        return bool(found[-1].claims)

    await until(is_due)
    return found[-1]


async def _end_leases(client: Redis) -> None:
    key = f"treaty:delay:{{{QUEUE}}}:lease"
    await client.zunionstore(key, {key: 0})
