"""``treaty groups`` on a real broker, with a group that reads and then rests."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from confluent_kafka import Producer

from tests.treaty.cli.scratch import Scratch, project
from treaty_runtime.admin import Cluster
from treaty_runtime.event import Partition
from treaty_runtime.kafka.groups import Groups
from treaty_runtime.kafka.log import Log
from treaty_runtime.kafka.source import KafkaSource
from treaty_runtime.transport import Assigned, Outgoing

pytestmark = [pytest.mark.long, pytest.mark.kafka]


@pytest.fixture
def scratch(tmp_path: Path, kafka: str) -> Scratch:
    return project(tmp_path / "project", toml=f'[environment.local]\nbrokers = "{kafka}"\n')


@pytest.fixture
def topic(kafka: str, unique: Callable[[str], str]) -> Iterator[str]:
    """Ten records in partition 0, none in partition 1."""
    name = unique("order-events")
    with Cluster(kafka) as cluster, Log(kafka) as log:
        cluster.create(name, partitions=2, replication=1, config={})
        cluster.await_topics([name])
        for number in range(10):
            log.append(Outgoing(topic=name, key=None, value=b"%d" % number, partition=0))
        yield name


def test_a_group_that_rests_is_moved_shown_and_moved_back(
    scratch: Scratch, kafka: str, topic: str, unique: Callable[[str], str]
) -> None:
    group, partition = unique("order-view"), Partition(topic, 0)
    Groups(kafka).commit(group, {partition: 8})
    told = json.loads(scratch.run("groups", "lag", group, "--format", "json").out)
    (row,) = told["partitions"]
    assert (told["state"], told["lag"], row["committed"], row["end"]) == ("EMPTY", 2, 8, 10)
    assert group in scratch.run("groups", "list").out
    words = ("groups", "reset-offsets", group, "--reason", "a handler was wrong")
    done = scratch.run(*words, "--to", "shift:-5", "--dry-run")
    assert (done.code, "5 records again" in done.err, "Nothing was changed" in done.err) == (0, True, True)
    assert Groups(kafka).committed(group, [partition]) == {partition: 8}
    done = scratch.run(*words, "--to", "shift:-50", "--save", "before.json", "--yes")
    assert (done.code, "clamped" in done.out) == (0, True), done.err
    assert Groups(kafka).committed(group, [partition]) == {partition: 0}
    assert scratch.run(*words, "--from-file", "before.json", "--yes").code == 0
    assert Groups(kafka).committed(group, [partition]) == {partition: 8}
    assert scratch.run(*words, "--to", "soon", "--yes").code == 2
    assert scratch.run("groups", "lag", unique("nobody")).code == 2


def test_the_undo_of_a_former_move_is_not_overwritten(
    scratch: Scratch, kafka: str, topic: str, unique: Callable[[str], str]
) -> None:
    group, partition = unique("order-view"), Partition(topic, 0)
    Groups(kafka).commit(group, {partition: 10})
    words = ("groups", "reset-offsets", group, "--reason", "r", "--save", "before.json", "--yes", "--to")
    assert scratch.run(*words, "-3").code == 0
    undo = (scratch.root / "before.json").read_bytes()
    done = scratch.run(*words, "-6")
    assert (done.code, "before.json is there already" in done.err) == (2, True), done.err
    assert "next: name another file with --save" in done.err
    assert Groups(kafka).committed(group, [partition]) == {partition: 7}, "nothing was moved"
    assert (scratch.root / "before.json").read_bytes() == undo
    done = scratch.run(*(word for word in words if word != "--yes"), "-6", "--dry-run")
    assert (done.code, "is there already" in done.err) == (2, True), "before anybody is asked"
    Groups(kafka).commit(group, {partition: 10})
    assert scratch.run(*words, "-6").code == 0, "the same again, as after a move that the broker refused"


def test_old_records_are_not_read_again_by_surprise(scratch: Scratch, kafka: str, unique: Callable[[str], str]) -> None:
    group, topic = unique("order-view"), unique("order-events")
    with Cluster(kafka) as cluster, Log(kafka) as log:
        cluster.create(topic, partitions=1, replication=1, config={"retention.ms": "-1"})
        cluster.await_topics([topic])
        log.append(Outgoing(topic=topic, key=None, value=b"old", partition=0, timestamp_ms=1_600_000_000_000))
        log.append(Outgoing(topic=topic, key=None, value=b"new", partition=0))
    Groups(kafka).commit(group, {Partition(topic, 0): 2})
    words = ("groups", "reset-offsets", group, "--to", "start", "--reason", "rebuild", "--yes")
    done = scratch.run(*words)
    assert (done.code, "further than inboxes remember" in done.err) == (2, True), done.err
    assert scratch.run(*words, "--beyond-inbox").code == 0
    assert Groups(kafka).committed(group, [Partition(topic, 0)]) == {Partition(topic, 0): 0}


def test_they_are_not_either_where_the_new_place_itself_holds_no_record(
    scratch: Scratch, kafka: str, unique: Callable[[str], str]
) -> None:
    """The first transaction was aborted: the oldest record that is read again lies behind its marker."""
    group, partition = unique("order-view"), Partition(unique("order-events"), 0)
    with Cluster(kafka) as cluster:
        cluster.create(partition.topic, partitions=1, replication=1, config={"retention.ms": "-1"})
        cluster.await_topics([partition.topic])
    producer = Producer({"bootstrap.servers": kafka, "transactional.id": group})
    producer.init_transactions()
    for end in (producer.abort_transaction, producer.commit_transaction):
        producer.begin_transaction()
        producer.produce(partition.topic, value=b"old", timestamp=1_600_000_000_000)
        producer.flush()
        end()
    Groups(kafka).commit(group, {partition: 4})
    words = ("groups", "reset-offsets", group, "--reason", "rebuild", "--yes", "--to")
    done = scratch.run(*words, "start")
    assert (done.code, "further than inboxes remember" in done.err, "2020-09-13" in done.out) == (2, True, True), done
    assert Groups(kafka).committed(group, [partition]) == {partition: 4}
    done = scratch.run(*words, "3")
    assert (done.code, "the end" in done.out) == (0, True), "behind the last marker lies nothing"


async def test_a_group_with_members_is_shown_with_them_and_not_moved(
    scratch: Scratch, kafka: str, topic: str, unique: Callable[[str], str]
) -> None:
    import asyncio

    group = unique("order-view")
    config = {"bootstrap.servers": kafka, "group.id": group, "enable.auto.commit": False, "client.id": "order-1"}
    source = KafkaSource(config, topics=[topic])
    async for event in source.events():
        if isinstance(event, Assigned) and event.partitions:
            break
    try:
        done = await asyncio.to_thread(scratch.run, "groups", "lag", group, "--format", "json")
        told = json.loads(done.out)
        assert (told["state"], [row["member"] for row in told["partitions"]]) == ("STABLE", ["order-1", "order-1"])
        words = ("groups", "reset-offsets", group, "--to", "end", "--reason", "r", "--yes")
        done = await asyncio.to_thread(scratch.run, *words)
        assert (done.code, "has members" in done.err, "next: treaty groups release" in done.err) == (3, True, True), (
            done.err
        )
    finally:
        await source.close()
