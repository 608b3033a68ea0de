"""The misbehaving cluster does what it is asked to, and the transport gets over it."""

from __future__ import annotations

import asyncio
import weakref
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException, Producer

from tests.parts.waiting import eventually
from treaty_runtime.errors import InvalidSettings
from treaty_runtime.kafka import KafkaProducer
from treaty_runtime.kafka import producer as producing
from treaty_runtime.kafka.config import producer_config
from treaty_runtime.settings import KafkaSettings
from treaty_runtime.testing import chaos as chaos_kit
from treaty_runtime.testing.chaos import Chaos, ChaosRefused, ChaosUnavailable
from treaty_runtime.transport import Delivery, FaultKind, Outgoing

NOT_LEADER, MSG_SIZE_TOO_LARGE, TOPIC_AUTHORIZATION_FAILED, CLUSTER_AUTHORIZATION_FAILED = 6, 10, 29, 31


@pytest.fixture
def chaos() -> Iterator[Chaos]:
    with Chaos(brokers=3) as cluster:
        cluster.topic("t", partitions=3, replication=3)
        yield cluster


def producer_of(chaos: Chaos, seconds: float = 20) -> KafkaProducer:
    settings = KafkaSettings(brokers=chaos.bootstrap, extra={"reconnect.backoff.max.ms": 200})
    return KafkaProducer(producer_config(settings, delivery_timeout=timedelta(seconds=seconds)))


async def send(producer: KafkaProducer, *numbers: int) -> list[Delivery]:
    answers: list[Delivery] = []
    for number in numbers:
        producer.produce(Outgoing(topic="t", key=b"k", value=str(number).encode()), answers.append)
    await eventually(lambda: len(answers) == len(numbers))
    return answers


async def test_records_wait_for_brokers_that_are_down_and_keep_their_order(chaos: Chaos) -> None:
    producer = producer_of(chaos)
    await send(producer, 0)
    with chaos.down():
        sending = asyncio.create_task(send(producer, *range(1, 50)))
        await asyncio.wait({sending}, timeout=0.5)
        assert not sending.done()
    answers = await sending
    offsets = [answer.place.offset for answer in answers if answer.place]
    assert offsets == list(range(1, 50))
    await producer.close()


async def test_errors_on_request_are_survived_and_seen_in_the_list_of_requests(chaos: Chaos) -> None:
    producer = producer_of(chaos)
    await send(producer, 0)
    chaos.watch()
    chaos.fail("Produce", NOT_LEADER, times=2)
    (answer,) = await send(producer, 1)
    assert answer.fault is None
    assert Counter(request.api for request in chaos.requests())["Produce"] == 3
    await producer.close()


async def test_a_leader_can_be_moved(chaos: Chaos) -> None:
    producer = producer_of(chaos)
    for broker in (1, 2, 3):
        for partition in range(3):
            chaos.leader("t", partition, broker=broker)
        answers = await send(producer, *range(20))
        assert all(answer.fault is None for answer in answers)
    await producer.close()


async def test_an_answer_that_takes_long_is_still_an_answer(chaos: Chaos) -> None:
    chaos.rtt(200)
    producer = producer_of(chaos)
    assert (await send(producer, 1))[0].fault is None
    await producer.close()


@pytest.mark.parametrize(
    ("code", "kind"), [(MSG_SIZE_TOO_LARGE, FaultKind.REFUSED), (TOPIC_AUTHORIZATION_FAILED, FaultKind.HELD)]
)
async def test_a_fault_says_what_it_means_for_the_records_behind_it(chaos: Chaos, code: int, kind: FaultKind) -> None:
    producer = producer_of(chaos)
    await send(producer, 0)
    chaos.fail("Produce", code)
    (answer,) = await send(producer, 1)
    assert answer.fault is not None
    assert answer.fault.kind is kind
    await producer.close()


async def test_no_answer_within_the_delivery_time_is_an_outage(chaos: Chaos) -> None:
    producer = producer_of(chaos, seconds=1)
    await send(producer, 0)
    with chaos.down():
        (answer,) = await send(producer, 1)
    assert answer.fault is not None
    assert answer.fault.kind is FaultKind.OUTAGE
    await producer.close()


async def test_purged_records_get_a_fault_and_closing_leaves_no_caller_waiting(chaos: Chaos) -> None:
    producer = producer_of(chaos)
    await send(producer, 0)
    answers: list[Delivery] = []
    with chaos.down():
        for number in range(10):
            producer.produce(Outgoing(topic="t", key=b"k", value=str(number).encode()), answers.append)
        await producer.close()
    await eventually(lambda: len(answers) == 10)
    assert {answer.fault.kind for answer in answers if answer.fault} <= {FaultKind.FENCED, FaultKind.OUTAGE}


def test_a_missing_function_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(chaos_kit._SIGNATURES, "rd_kafka_mock_no_such_thing", (None, []))
    with pytest.raises(ChaosUnavailable, match="rd_kafka_mock_no_such_thing"):
        Chaos()


def test_closing_twice_is_once(chaos: Chaos) -> None:
    chaos.close()
    chaos.close()


async def test_a_producer_that_finds_no_broker_is_replaced_and_says_what_it_held(chaos: Chaos) -> None:
    settings = KafkaSettings(
        brokers=chaos.bootstrap, extra={"statistics.interval.ms": 50, "reconnect.backoff.max.ms": 100}
    )
    producer = KafkaProducer(producer_config(settings, delivery_timeout=timedelta(0)), patience=0.5)
    await send(producer, 0)
    assert not producer.is_replaced
    with chaos.down():
        (answer,) = await send(producer, 1)
        assert answer.fault is not None
        assert answer.fault.kind is FaultKind.OUTAGE
        assert producer.is_replaced
    answers: list[Delivery] = []

    def sent() -> bool:
        """The new client may be replaced once more before the brokers answer."""
        if not answers or answers[-1].fault is not None:
            producer.produce(Outgoing(topic="t", key=b"k", value=b"2"), answers.append)
        return any(each.place is not None for each in answers)

    await eventually(sent)
    await eventually(lambda: not producer.is_replaced)
    await producer.close()


class Listening(KafkaProducer):
    """Counts the statistics that it is told."""

    told = 0

    def _measured(self, statistics: str) -> None:
        self.told += 1
        super()._measured(statistics)


async def test_a_producer_that_sends_nothing_takes_what_its_client_says(chaos: Chaos) -> None:
    """Ten kilobytes each five seconds lay in the client of each service that only consumed, for as long as it ran."""
    settings = KafkaSettings(brokers=chaos.bootstrap, extra={"statistics.interval.ms": 50})
    producer = Listening(producer_config(settings, delivery_timeout=timedelta(seconds=20)))
    assert producer._client is None, "before somebody listens nobody speaks"
    producer.open()
    producer.open()
    await eventually(lambda: producer.told >= 40)
    await producer.close()


async def test_settings_that_are_none_are_told_as_it_opens() -> None:
    settings = KafkaSettings(extra={"no.such.property": "1"})
    producer = KafkaProducer(producer_config(settings, delivery_timeout=timedelta(seconds=20)))
    with pytest.raises(InvalidSettings, match=r"no\.such\.property"):
        producer.open()
    await producer.close()


async def test_a_client_that_cannot_be_replaced_at_the_moment_is_replaced_later(
    chaos: Chaos, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A certificate is just being exchanged, say."""
    settings = KafkaSettings(
        brokers=chaos.bootstrap, extra={"statistics.interval.ms": 50, "reconnect.backoff.max.ms": 100}
    )
    producer, refused = KafkaProducer(producer_config(settings, delivery_timeout=timedelta(0)), patience=0.5), 3

    def made(config: Any) -> Any:
        nonlocal refused
        refused -= 1
        if refused >= 0:
            raise KafkaException(KafkaError(KafkaError._INVALID_ARG, "ssl.ca.location failed"))
        return Producer(config)

    await send(producer, 0)
    monkeypatch.setattr(producing, "Client", made)
    with chaos.down():
        (answer,) = await send(producer, 1)
    assert answer.fault is not None
    assert answer.fault.kind is FaultKind.OUTAGE
    assert refused < 0
    await producer.close()


async def test_a_client_that_failed_for_good_is_replaced_and_what_it_held_may_be_sent_again(chaos: Chaos) -> None:
    producer = producer_of(chaos)
    chaos.fail("InitProducerId", CLUSTER_AUTHORIZATION_FAILED)
    (answer,) = await send(producer, 0)
    assert answer.fault is not None
    assert answer.fault.kind is FaultKind.OUTAGE
    assert "Cluster authorization failed" in answer.fault.text
    while (await send(producer, 1))[0].fault is not None:
        pass  # it is told when the client is replaced
    await producer.close()


def test_a_cluster_that_does_not_do_what_it_was_asked_to_says_so() -> None:
    with Chaos() as one:
        with pytest.raises(ChaosRefused, match="cluster of 1 would not take broker 2 down"), one.down(broker=2):
            pytest.fail("nothing is down")
        one.topic("t")
        with pytest.raises(ChaosRefused, match="let broker 2 lead t/0"):
            one.leader("t", 0, broker=2)
        with pytest.raises(ChaosRefused, match="slow broker 2"):
            one.rtt(300, broker=2)
        with pytest.raises(
            ValueError, match="CreateTopics is no request that can be made to fail; these are: Produce, Fetch"
        ):
            one.fail("CreateTopics", 41)


class Watched(Producer):
    """A client whose end can be noticed."""


async def test_a_closed_producer_gives_its_client_and_its_threads_up(
    chaos: Chaos, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(producing, "Client", Watched)
    producer = producer_of(chaos)
    await send(producer, 0)
    client = weakref.ref(producer._client)
    await producer.close()
    await producer.close()
    producer.purge()
    await eventually(lambda: client() is None)


async def test_a_producer_that_was_closed_unopened_stays_closed() -> None:
    producer = KafkaProducer(producer_config(KafkaSettings(), delivery_timeout=timedelta(seconds=20)))
    await producer.close()
    producer.open()
    producer.purge()
    (answer,) = await send(producer, 0)
    assert answer.fault is not None
    assert answer.fault.kind is FaultKind.FENCED
    assert producer._client is None
