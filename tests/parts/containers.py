"""The same servers in containers, by testcontainers: where the local programs are missing, or when asked for by name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

KAFKA, POSTGRES, REDIS = "confluentinc/cp-kafka:8.0.0", "postgres:17-alpine", "redis:7-alpine"
PROBE_SECONDS = 1


@cache
def engine() -> tuple[bool, str]:
    """Whether a container engine answers, and what it said: a client on PATH or an importable package says nothing."""
    try:
        import docker
    except ImportError:
        return False, "the package docker is not installed"
    try:
        client = docker.from_env(timeout=PROBE_SECONDS)
        version = client.version()
        client.close()
    except (docker.errors.DockerException, OSError) as error:
        return False, f"no engine: {str(error)[:120]}"
    return True, f"container engine {version['Version']}"


@contextmanager
def container(name: str) -> Iterator[str]:
    """A server's address within: as ``TREATY_TEST_<NAME>`` would give it."""
    yield from {"kafka": kafka, "postgres": postgres, "redis": redis}[name]()


def kafka() -> Iterator[str]:
    from testcontainers.community.kafka import KafkaContainer

    with KafkaContainer(KAFKA).with_kraft().with_env("KAFKA_AUTO_CREATE_TOPICS_ENABLE", "false") as server:
        yield str(server.get_bootstrap_server())


def postgres() -> Iterator[str]:
    from testcontainers.community.postgres import PostgresContainer

    with PostgresContainer(POSTGRES, driver="psycopg") as server:
        yield str(server.get_connection_url())


def redis() -> Iterator[str]:
    from testcontainers.community.redis import RedisContainer

    with RedisContainer(REDIS) as server:
        yield f"redis://{server.get_container_host_ip()}:{server.get_exposed_port(6379)}"
