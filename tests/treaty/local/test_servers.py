"""The three real servers start, serve, stop, and keep their data."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest
import redis as redis_client
from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from tests.parts.waiting import wait_until
from treaty.local.errors import StartFailed
from treaty.local.kafka import Kafka
from treaty.local.machine import Machine
from treaty.local.postgres import Postgres
from treaty.local.redis import Redis


def test_redis_has_its_keys_again_after_a_restart(machine: Machine, tmp_path: Path) -> None:
    server = Redis(tmp_path / "redis", machine=machine).start()
    with redis_client.Redis.from_url(server.url) as client:
        client.set("key", "value")
    assert server.stop() == 0
    server.start()
    with redis_client.Redis.from_url(server.url) as client:
        assert client.get("key") == b"value"
    server.stop()


def test_postgres_has_its_rows_again_after_a_restart(machine: Machine, tmp_path: Path) -> None:
    server = Postgres(tmp_path / "postgres", machine=machine).start()
    with psycopg.connect(server.url(driver="postgresql"), autocommit=True) as connection:
        connection.execute("CREATE TABLE t AS SELECT 42 AS n")
    assert server.stop() == 0
    server.start()
    with psycopg.connect(server.url(driver="postgresql")) as connection:
        assert connection.execute("SELECT n FROM t").fetchone() == (42,)
    server.stop()


@pytest.mark.kafka
def test_kafka_has_its_records_again_after_a_restart(machine: Machine, tmp_path: Path) -> None:
    server = Kafka(tmp_path / "a folder with spaces and 中文", machine=machine).start()
    admin = AdminClient({"bootstrap.servers": server.bootstrap})
    admin.create_topics([NewTopic("kept", 1)])["kept"].result(60)
    producer = Producer({"bootstrap.servers": server.bootstrap})
    producer.produce("kept", b"value", key=b"key")
    assert producer.flush(60) == 0
    assert server.stop(seconds=90) == 0
    server.start()
    consumer = Consumer({"bootstrap.servers": server.bootstrap, "group.id": "g", "auto.offset.reset": "earliest"})
    consumer.subscribe(["kept"])
    message = wait_until(lambda: consumer.poll(1))  # the group has to gather first
    consumer.close()
    assert (message.error(), message.value()) == (None, b"value")
    server.stop()


def test_a_server_that_cannot_start_says_so_with_its_last_lines(machine: Machine, tmp_path: Path) -> None:
    first = Redis(tmp_path / "one", machine=machine).start()
    with pytest.raises(StartFailed, match="Address already in use"):
        Redis(tmp_path / "two", machine=machine, port=first.port).start()
    first.stop()


def test_fixtures_give_real_empty_servers(postgres: str, redis: str, kafka: str) -> None:
    with psycopg.connect(postgres.replace("+psycopg", "")) as connection:
        assert connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone() == (0,)
    with redis_client.Redis.from_url(redis) as client:
        assert client.dbsize() == 0
    assert AdminClient({"bootstrap.servers": kafka}).list_topics(timeout=60).controller_id == 1
