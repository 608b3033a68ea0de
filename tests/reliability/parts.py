"""Servers for a run that is started by hand: each a process of its own, gone when the run ends."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx

from tests.parts.three_brokers import three_brokers
from treaty.local.kafka import Kafka
from treaty.local.machine import Machine
from treaty.local.postgres import Postgres
from treaty.local.redis import Redis
from treaty.local.server import Server
from treaty.registry.testing import registry
from treaty_runtime.event import Event


@contextmanager
def servers(folder: Path, *, durable: bool = False) -> Iterator[tuple[Kafka, Postgres, Redis]]:
    """Kafka, PostgreSQL and Redis; ``durable``: those that are killed in the run must not forget what they promised."""
    machine = Machine(env=dict(os.environ))
    folder.chmod(0o755)  # the database's own user has to reach its folder in it
    kafka = Kafka(folder / "kafka", machine=machine)
    postgres = Postgres(folder / "postgres", machine=machine, durable=durable)
    redis = Redis(folder / "redis", machine=machine, durable=durable)
    with ExitStack() as ending:
        for server in (kafka, postgres, redis):
            server.start()
            ending.callback(_stop, server)
        yield kafka, postgres, redis


@contextmanager
def broker_servers(folder: Path) -> Iterator[tuple[tuple[Kafka, ...], Postgres, Redis]]:
    """Three brokers, PostgreSQL and Redis."""
    machine = Machine(env=dict(os.environ))
    folder.chmod(0o755)
    postgres = Postgres(folder / "postgres", machine=machine, durable=False)
    redis = Redis(folder / "redis", machine=machine, durable=False)
    with ExitStack() as ending:
        nodes = ending.enter_context(three_brokers(folder, machine=machine))
        for server in (postgres, redis):
            server.start()
            ending.callback(_stop, server)
        yield nodes, postgres, redis


@contextmanager
def registry_with(*events: type[Event]) -> Iterator[int]:
    """The port of a registry that knows the classes."""
    with registry() as url:
        for event in events:
            httpx.post(
                f"{url}/subjects/{event.__subject__}/versions", json={"schema": event.__avro_schema__}, timeout=60
            ).raise_for_status()
        yield int(url.rpartition(":")[2])


def _stop(server: Server) -> None:
    server.stop()
