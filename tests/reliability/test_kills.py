"""What is promised under deaths, at a size for every day; `python -m tests.reliability` runs the same at full size."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.parts.backend import missing
from tests.reliability.consumers import ConsumerKills
from tests.reliability.crossings import Crossings
from tests.reliability.errands import ERRANDS
from tests.reliability.outages import FAULTS, Outages
from tests.reliability.parts import registry_with, servers
from tests.reliability.relays import RelayKills
from tests.reliability.service import event_on
from tests.reliability.stack import Stack
from tests.reliability.stops import Stops
from treaty.local.errors import NoJars, NoJava, NoServer
from treaty.local.kafka import Kafka
from treaty.local.machine import Machine
from treaty.local.postgres import Postgres
from treaty.local.redis import Redis

pytestmark = [
    pytest.mark.chaos,
    pytest.mark.kafka,
    pytest.mark.postgres,
    pytest.mark.timeout(1800),
    pytest.mark.xdist_group("reliability"),
]


@pytest.fixture
def seed() -> int:
    """Another one each time; `TREATY_RELIABILITY_SEED` repeats one."""
    seed = int(os.environ.get("TREATY_RELIABILITY_SEED") or secrets.randbelow(1 << 32))
    print(f"TREATY_RELIABILITY_SEED={seed}")
    return seed


@pytest.fixture
def stack(kafka: str, postgres: str) -> Stack:
    """Names of the run's own on the shared broker, and a database of its own."""
    return Stack(bootstrap=kafka, database=postgres)


async def test_killed_consumers_lose_nothing_and_do_nothing_twice(stack: Stack, seed: int) -> None:
    outcome = await ConsumerKills(stack, records=4_000, kills=5, seed=seed, members=3).run()
    print(outcome)
    assert not outcome.wrong


async def test_killed_relays_and_a_zombie_lose_nothing_and_keep_each_keys_order(stack: Stack, seed: int) -> None:
    outcome = await RelayKills(stack, rows=3_000, kills=9, seed=seed).run()
    print(outcome)
    assert not outcome.wrong


async def test_fenced_by_transactions_the_log_holds_every_event_once_and_never_goes_back(
    stack: Stack, seed: int
) -> None:
    outcome = await RelayKills(stack, rows=3_000, kills=9, seed=seed, fence="transaction").run()
    print(outcome)
    assert not outcome.wrong


async def test_members_that_are_told_to_stop_under_load_end_well(stack: Stack, seed: int) -> None:
    outcome = await Stops(stack, stops=6, seed=seed).run()
    print(outcome)
    assert not outcome.wrong


@pytest.mark.redis
async def test_killed_once_at_every_call_of_the_outside_every_effect_happens_once(
    stack: Stack, redis: str, tmp_path: Path, seed: int
) -> None:
    with registry_with(event_on(stack.topic), event_on(stack.second_topic)) as port:
        url, few = f"http://127.0.0.1:{port}", ERRANDS[:2]
        run = Crossings(stack, redis, url, tmp_path / "doors", seed, kills=5, errands=few)
        outcome = await run.run()
    print(outcome)
    assert not outcome.wrong


@pytest.fixture
def own_servers(tmp_path_factory: pytest.TempPathFactory, machine: Machine) -> Iterator[tuple[Kafka, Postgres, Redis]]:
    """Servers that may be killed."""
    try:
        with servers(tmp_path_factory.mktemp("servers"), durable=True) as started:
            yield started
    except (NoJava, NoJars, NoServer) as fault:
        missing(fault, machine.env)


@pytest.mark.redis
async def test_dependencies_that_go_away_under_load_dead_letter_nothing(
    own_servers: tuple[Kafka, Postgres, Redis], seed: int
) -> None:
    kafka, postgres, redis = own_servers
    stack = Stack(bootstrap=kafka.bootstrap, database=postgres.url())
    with registry_with(event_on(stack.topic)) as registry:
        outcome = await Outages(
            stack,
            (kafka,),
            postgres=postgres.port,
            redis=redis.port,
            registry=registry,
            seconds=3,
            seed=seed,
            faults=FAULTS[:4],
        ).run()
    print(outcome)
    assert not outcome.wrong
