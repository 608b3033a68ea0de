"""Rights on a cluster out of ``topics.toml``: the least that each service needs, on a broker that checks them."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer

from tests.parts.secured_kafka import GuardedKafka
from tests.parts.waiting import wait_until
from treaty.cli import treaty
from treaty.config import Settings
from treaty.errors import EnvironmentFault, UsageError
from treaty.ops.plan import Plan, acls
from treaty.ops.topics import apply_topics, plan_topics
from treaty_codegen import Catalog, load_catalog
from treaty_runtime.admin import Cluster
from treaty_runtime.rights import Right

ORDER = '{"type": "record", "namespace": "mall", "name": "OrderPaid", "fields": [{"name": "order_id", "type": "long"}]}'
TOPICS = """format = 1
[topic."order-events"]
doc = "d"
owner = "@o"
key = "order_id"
events = ["mall.OrderPaid"]
producers = ["%s"]
[topic."order-events".consumer.billing-view]
service = "billing"
[topic."order-events".consumer."push-*"]
service = "push"
[topic."order-events".consumer.partner]
external = "@partner/x"
[service.order]
owner = "@o"
code = ""
dead_letter = "dlq.order"
[service.billing]
owner = "@b"
code = ""
dead_letter = "dlq.billing"
[service.push]
owner = "@p"
code = ""
dead_letter = "dlq.push"
"""
SHARED = ("order-events", "_treaty_control", "dlq.billing", "retry.billing-view.0s")


def catalog(producer: str = "order") -> Catalog:
    return load_catalog({"order_paid.avsc": ORDER}, topics=TOPICS % producer)


def told(rights: frozenset[Right], principal: str) -> list[str]:
    return sorted(right.told for right in rights if right.principal == principal)


def test_a_service_gets_what_it_writes_and_reads_and_nothing_else() -> None:
    rights = acls.desired(catalog(), namespace="mall")
    control = [f"{what} topic _treaty_control" for what in ("describe", "read", "write")]
    relay = [
        *(f"{what} transactional-id treaty-outbox-order-*" for what in ("describe", "write")),
        *(f"{what} group treaty-outbox-order-*" for what in ("describe", "read")),
    ]
    written = [f"{what} topic order-events" for what in ("describe", "write")]
    assert told(rights, "User:mall-order") == sorted([*control, *relay, *written])
    assert told(rights, "User:mall-push") == sorted(
        [
            *control,
            *(f"{what} topic order-events" for what in ("describe", "read")),
            *(f"{what} group push-*" for what in ("describe", "read")),
            *(f"{what} topic dlq.push" for what in ("describe", "read", "write")),
        ]
    ), "a group for each process has no retry topics"
    assert "write topic retry.billing-view.10s" in told(rights, "User:mall-billing")
    assert {right.principal for right in rights} == {"User:mall-order", "User:mall-billing", "User:mall-push"}


def test_a_topic_that_anybody_writes_to_is_every_services() -> None:
    rights = acls.desired(catalog("*"), namespace="")
    assert all("write topic order-events" in told(rights, f"User:{name}") for name in ("billing", "push"))


def test_a_name_whose_right_would_cover_what_is_anothers_is_refused() -> None:
    longer = (TOPICS % "order").replace('["order"]', '["order", "order-archive"]')
    with pytest.raises(UsageError, match=r"service order to its relay's names would cover those of order-archive"):
        acls.desired(load_catalog({"order_paid.avsc": ORDER}, topics=longer), namespace="mall")
    every = (TOPICS % "order").replace('"push-*"', '"*"')
    with pytest.raises(UsageError, match=r"group of order-events is called \*"):
        acls.desired(load_catalog({"order_paid.avsc": ORDER}, topics=every), namespace="mall")


def test_only_gits_own_principals_lose_rights_and_strangers_are_drift() -> None:
    wanted = acls.desired(catalog(), namespace="")
    needless = Right(principal="User:order", resource="TOPIC", name="*", operation="ALL")
    stranger = Right(principal="User:x", resource="TOPIC", name="order-", pattern="PREFIXED", operation="READ")
    elsewhere = Right(principal="User:x", resource="TOPIC", name="theirs", operation="READ")
    refused = Right(principal="User:order", resource="GROUP", name="g", operation="READ", is_allowed=False)
    actual = {*wanted, needless, stranger, elsewhere, refused}
    give, take = acls.changes(wanted, actual)
    assert give == []
    assert [(action, subject) for action, subject, _, _ in take] == [("disallow", "User:order topic *")]
    assert [row.what for row in acls.drift(wanted, actual, topics=["order-events"])] == [
        "is refused read group g: git never refuses, look who did",
        "may read topic order-*, but git names no such service",
    ]
    assert acls.rights_in(take[0][2]) == [needless]


def test_acl_is_true_or_false(tmp_path: Path) -> None:
    assert not project(tmp_path, "localhost:1", acl="false").has_rights("prod")
    with pytest.raises(UsageError, match="acl is true or false, not `yes`"):
        project(tmp_path, "localhost:1", acl='"yes"').has_rights("prod")


def project(folder: Path, brokers: str, *, acl: str = "true", producer: str = "order") -> Settings:
    (folder / "schemas").mkdir(exist_ok=True)
    (folder / "schemas/order_paid.avsc").write_text(ORDER, encoding="utf-8")
    (folder / "schemas/topics.toml").write_text(TOPICS % producer, encoding="utf-8")
    (folder / "treaty.toml").write_text(f'[environment.prod]\nbrokers = "{brokers}"\nacl = {acl}\n', encoding="utf-8")
    return Settings.load(folder / "treaty.toml", {}, start=folder)


def fault_of_writing(broker: GuardedKafka, user: str) -> int | None:
    """Code with which a record of a user is refused; None where it arrives."""
    faults: list[KafkaError | None] = []

    def delivered(error: KafkaError | None, _message: Message) -> None:
        faults.append(error)

    # Not idempotent: a new right would be seen too, but a refused idempotent producer is lost for good.
    producer = Producer({**broker.client(user), "message.timeout.ms": 120_000})
    producer.produce("order-events", b"x", on_delivery=delivered)
    assert producer.flush(150) == 0
    (fault,) = faults
    return None if fault is None else fault.code()


def fault_of_reading(broker: GuardedKafka, user: str, group: str) -> int | None:
    """Code with which a reader is refused; None where the first record reaches it."""
    options = {"group.id": group, "auto.offset.reset": "earliest"}
    consumer = Consumer({**broker.client(user), **options})
    try:
        consumer.subscribe(["order-events"])
        message = wait_until(lambda: consumer.poll(1))
        error = message.error()
        return None if error is None else error.code()
    except KafkaException as refused:
        return int(refused.args[0].code())
    finally:
        consumer.close()


def applied(settings: Settings, cluster: Cluster) -> Plan:
    made = plan_topics(settings, cluster, environment="prod")
    assert apply_topics(made, cluster, done=lambda *_: None) == len(made.steps)
    assert plan_topics(settings, cluster, environment="prod").steps == ()
    assert apply_topics(made, cluster, done=lambda *_: None) == 0, "the same plan may be run again"
    return made


@pytest.mark.long
@pytest.mark.kafka
def test_on_a_real_broker_declared_services_work_and_all_others_are_refused(
    guarded: GuardedKafka, tmp_path: Path
) -> None:
    refused = KafkaError.TOPIC_AUTHORIZATION_FAILED
    with Cluster(guarded.bootstrap) as cluster:
        first = applied(project(tmp_path, guarded.bootstrap), cluster)
        actions = [step.action for step in first.steps]
        assert actions == sorted(actions, reverse=True), (
            "topics first: create before allow would be the other way round"
        )
        assert fault_of_writing(guarded, "order") is None
        assert fault_of_writing(guarded, "billing") == fault_of_writing(guarded, "stranger") == refused
        assert fault_of_reading(guarded, "billing", "billing-view") is None
        assert fault_of_reading(guarded, "billing", "another") == KafkaError.GROUP_AUTHORIZATION_FAILED
        assert fault_of_reading(guarded, "order", "treaty-outbox-order-x") == refused

        by_hand = Right(principal="User:stranger", resource="TOPIC", name="order-events", operation="WRITE")
        cluster.allow([by_hand])
        cluster.await_rights([by_hand], [])
        words = ["topics", "plan", "--env", "prod", "--config", str(tmp_path / "treaty.toml")]
        moved = project(tmp_path, guarded.bootstrap, producer="billing")
        shown = CliRunner().invoke(treaty, words, standalone_mode=False)
        assert shown.return_value == 1
        assert (
            "drift          User:stranger may write topic order-events, but git names no such service" in shown.stdout
        )
        assert "+ allow          User:billing topic order-events  write" in shown.stdout

        second = applied(moved, cluster)
        acted = [step.action for step in second.steps]
        assert acted == sorted(acted), "rights are given before others are taken"
        assert "disallow" in acted
        assert fault_of_writing(guarded, "order") == refused
        assert fault_of_writing(guarded, "billing") is None
        assert fault_of_writing(guarded, "stranger") is None, "told as drift, never changed"
        assert Plan.from_json(second.to_json()) == second


@pytest.mark.kafka
def test_a_broker_without_an_authorizer_says_so_in_one_sentence(kafka: str, tmp_path: Path) -> None:
    settings = project(tmp_path, kafka)
    with (
        Cluster(kafka) as cluster,
        pytest.raises(EnvironmentFault, match=r"has no authorizer: whoever connects") as fault,
    ):
        plan_topics(settings, cluster, environment="prod")
    assert fault.value.next_step == "set authorizer.class.name on the brokers, or take `acl` out of [environment.NAME]"
