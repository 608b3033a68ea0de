"""A group without a right: named at once, in `/readyz` and to observers, and over when the right is given."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from confluent_kafka import KafkaError
from confluent_kafka import Producer as Client

from tests.parts.secured_kafka import PASSWORD, GuardedKafka
from tests.parts.waiting import eventually
from tests.treaty_runtime.order_events import FakeRegistry
from tests.treaty_runtime.readiness import readiness_of
from tests.treaty_runtime.scripted import Script
from treaty_runtime.admin import Cluster
from treaty_runtime.errors import InvalidSettings
from treaty_runtime.event import Context, Partition, Place, Record
from treaty_runtime.handlers import Group, Handlers
from treaty_runtime.hooks import OutageBegan, PartBroke, Recovered, RightMissing
from treaty_runtime.kafka.faults import missing_right
from treaty_runtime.rights import Right
from treaty_runtime.runtime import Runtime
from treaty_runtime.settings import KafkaSettings
from treaty_runtime.transport import Assigned, Broken, Fault, FaultKind, Records, Refused
from treaty_runtime.wiring.readiness import Facts, Readiness, readiness

LACKS = "User:billing lacks the right READ on topic orders: Broker: no"
NOT_LET_IN = Fault("GROUP_AUTHORIZATION_FAILED", "lacks the right READ on group billing", FaultKind.HELD)
UNREADABLE = Fault("TOPIC_AUTHORIZATION_FAILED", "lacks the right READ on topic orders", FaultKind.HELD)


@pytest.mark.parametrize(
    ("code", "topic", "user", "told"),
    [
        (KafkaError.TOPIC_AUTHORIZATION_FAILED, "orders", "billing", LACKS),
        (KafkaError.TOPIC_AUTHORIZATION_FAILED, None, "billing", LACKS.replace("topic orders", "one of its topics")),
        (KafkaError.GROUP_AUTHORIZATION_FAILED, None, None, "This client lacks the right READ on group g: Broker: no"),
    ],
)
def test_a_missing_right_names_who_lacks_it_and_on_what(
    code: int, topic: str | None, user: str | None, told: str
) -> None:
    config = {"group.id": "g", "sasl.username": user}
    assert missing_right(KafkaError(code, "Broker: no"), config, topic=topic).text == told


def test_only_a_group_that_gets_nothing_without_the_right_makes_the_process_useless() -> None:
    facts = Facts(groups={"a": None, "b": None}, refusals={"a": LACKS}, idle=frozenset({"a", "b"}))
    down, works = readiness(facts), readiness(Facts(groups={"a": None}, refusals={"a": LACKS}))
    assert (down.status, down.body["groups"]) == (503, {"a": f"down: {LACKS}", "b": "ok"})
    assert (works.status, works.body["groups"]) == (200, {"a": f"degraded: {LACKS}"})


@pytest.mark.parametrize("facts", [Facts(away=frozenset({"database"})), Facts(groups={"a": "database"})])
def test_a_database_that_answers_but_takes_nothing_is_degraded(facts: Facts) -> None:
    assert (readiness(facts).status, readiness(facts).body["database"]) == (200, "degraded")


def running(
    *,
    seen: list[object],
    settings: KafkaSettings | None = None,
    topic: str = "orders",
    group: str = "billing",
    **more: Any,
) -> tuple[Runtime, list[bytes | None]]:
    """A service that notes what it reads of a topic."""
    handlers, read = Handlers(), list[bytes | None]()

    @handlers.raw(topic)
    async def note(record: Record, _context: Context) -> None:
        read.append(record.value)

    runtime = Runtime(
        service="billing",
        settings=settings or KafkaSettings(),
        events={},
        groups=[Group(group, handlers, dead_letter="dlq.billing", has_retry_topics=False)],
        registry=FakeRegistry(),
        observers=[seen.append],
        **more,
    )
    return runtime, read


async def test_a_missing_right_is_told_once_and_is_over_with_what_it_keeps_away() -> None:
    script, seen = Script([Refused(NOT_LET_IN), Refused(NOT_LET_IN)]), list[object]()
    runtime, read = running(seen=seen, connections=script)
    async with runtime:
        assert (await readiness_of(runtime, lambda now: now.status == 503)).body["groups"] == {
            "billing": "down: lacks the right READ on group billing"
        }
        script.next.put_nowait(Assigned(frozenset({Partition("orders", 0)}), {}))
        await readiness_of(runtime, lambda now: now.body["groups"] == {"billing": "ok"})
        script.next.put_nowait(Refused(UNREADABLE, "orders"))
        now = await readiness_of(runtime, lambda now: now.body["groups"] != {"billing": "ok"})
        assert (now.status, now.body["groups"]) == (200, {"billing": "degraded: lacks the right READ on topic orders"})
        script.next.put_nowait(Records([Record(Place("orders", 0, 0), b"k", b"v")]))
        await readiness_of(runtime, lambda now: now.body["groups"] == {"billing": "ok"})
    assert read == [b"v"]
    told = [hook.fault for hook in seen if isinstance(hook, RightMissing)]
    assert told == [NOT_LET_IN.text, UNREADABLE.text]


async def test_a_file_that_is_just_exchanged_while_a_client_is_replaced_is_waited_for() -> None:
    broken = Broken(Fault("_SSL", "handshake failed", FaultKind.OUTAGE))
    script = Script([broken], InvalidSettings(["no such file"]), [Assigned(frozenset(), {})])
    seen: list[object] = []
    runtime, _ = running(seen=seen, connections=script)
    async with runtime:
        await eventually(lambda: any(isinstance(hook, Recovered) for hook in seen))
    assert [hook.error for hook in seen if isinstance(hook, OutageBegan)] == ["_SSL: handshake failed"]


async def test_settings_that_the_first_client_refuses_end_the_service() -> None:
    seen: list[object] = []
    runtime, _ = running(seen=seen, connections=Script(InvalidSettings(["no such file"])))
    with pytest.raises(InvalidSettings, match="no such file"):
        async with runtime:
            await runtime.until_signal()
    assert any(isinstance(hook, PartBroke) for hook in seen)


@pytest.mark.kafka
@pytest.mark.parametrize("protocol", ["classic", "consumer"])
async def test_a_real_broker_names_each_right_that_a_group_lacks_until_it_is_given(
    guarded: GuardedKafka, protocol: str
) -> None:
    topic = group = f"orders-{protocol}"
    settings = KafkaSettings(
        brokers=guarded.sasl,
        security_protocol="SASL_SSL",
        sasl_mechanism="PLAIN",
        sasl_username="billing",
        sasl_password=PASSWORD,
        ssl_ca_file=guarded.authority.certificate,
        group_protocol=protocol,
        extra={"consumer.topic.metadata.refresh.interval.ms": 500},
    )
    producer = Client({"bootstrap.servers": guarded.bootstrap})
    seen: list[object] = []
    runtime, read = running(seen=seen, settings=settings, topic=topic, group=group)
    with Cluster(guarded.bootstrap) as cluster:
        cluster.create(topic, partitions=1, replication=1, config={})
        cluster.await_topics([topic])
        producer.produce(topic, b"paid")
        assert producer.flush(60) == 0
        async with runtime:
            # The newer protocol does not say which topic it is.
            unread = f"topic {topic}" if protocol == "classic" else "one of its topics"
            for resource, name, told in (("GROUP", group, f"group {group}"), ("TOPIC", topic, unread)):
                lacks = f"down: User:billing lacks the right READ on {told}: "
                now = await readiness_of(runtime, partial(_begins, group, lacks))
                assert now.status == 503
                cluster.allow([Right(principal="User:billing", resource=resource, name=name, operation="READ")])
            await eventually(lambda: read == [b"paid"])
            await readiness_of(runtime, lambda now: _told(now, group) == "ok")
            deaf = "User:billing lacks the right READ on topic _treaty_control: "
            await eventually(lambda: [each for each in seen if isinstance(each, RightMissing) and deaf in each.fault])


def _begins(group: str, text: str, now: Readiness) -> bool:
    return _told(now, group).startswith(text)


def _told(now: Readiness, group: str) -> str:
    groups = now.body["groups"]
    assert isinstance(groups, dict)
    return str(groups[group])
