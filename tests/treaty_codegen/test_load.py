"""The catalog: schemas with what topics.toml says of them, and a sentence with a line for every fault."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

import pytest

from treaty_avro import SchemaError
from treaty_codegen import Catalog, CatalogError, EventSettings, for_env, load_catalog

SCHEMAS = Path(__file__).parents[2] / "schemas"


def event(name: str) -> str:
    return json.dumps(
        {"type": "record", "name": name, "namespace": "mall.order", "fields": [{"name": "id", "type": "long"}]}
    )


FILES = {"order/order_created.avsc": event("OrderCreated"), "order/order_paid.avsc": event("OrderPaid")}

TOPICS = """\
format = 1
[defaults]
partitions = 6
config = { "min.insync.replicas" = { prod = "2", "*" = "1" }, "segment.bytes" = "1MiB" }
[topic."order-events"]
doc = "Orders."
owner = "@mall/orders"
event_type = "upper"
key = "id"
events = [
  "mall.order.OrderCreated",  # the first ] of many
  "mall.order.OrderPaid",
]
producers = ["order"]
retention = { prod = "30d", "*" = "90s" }
config = { "retention.bytes" = 1000, "segment.ms" = "15m" }
[topic."order-events".event.OrderPaid]
key = "paid:{id}"
environments = ["local"]
[topic."order-events".consumer.order-view]
service = "order"
events = ["OrderPaid"]
[topic."order-events".consumer.billing]
external = "@partner/billing"
reads = ["OrderPaid.*"]
[service.order]
owner = "@mall/orders"
code = "services/order"
[[removed]]
topic = "order-events"
event = "mall.order.OrderArchived"
reason = "replaced"
approved_by = "@mall/orders"
soft_after = "2026-12-01"
permanent_after = 2027-06-01
"""


def load(topics: str = TOPICS) -> Catalog:
    return load_catalog(FILES, topics=topics)


def test_a_topic_has_the_defaults_and_its_own_values() -> None:
    topic = load().topics["order-events"]
    assert for_env(topic.partitions, "prod") == 6
    assert for_env(topic.replication, "prod") == 1
    assert for_env(topic.retention, "prod") == timedelta(days=30)
    assert for_env(topic.retention, "local") == timedelta(seconds=90)
    assert topic.compatibility == "FULL_TRANSITIVE"
    assert topic.line == 5


def test_broker_settings_are_merged_and_written_as_the_broker_wants_them() -> None:
    config = {name: for_env(value, "prod") for name, value in load().topics["order-events"].config.items()}
    assert config == {
        "min.insync.replicas": "2",
        "segment.bytes": "1048576",
        "retention.bytes": "1000",
        "segment.ms": "900000",
    }


def test_events_go_by_full_names_after_loading() -> None:
    topic = load().topics["order-events"]
    view, billing = topic.consumers
    assert (view.group, view.events, view.line) == ("order-view", ("mall.order.OrderPaid",), 20)
    assert (billing.external, billing.reads) == ("@partner/billing", ("OrderPaid.*",))
    assert topic.settings_of("mall.order.OrderPaid") == EventSettings(key="paid:{id}", environments=("local",))
    assert topic.settings_of("mall.order.OrderCreated") == EventSettings()


def test_a_service_without_a_word_gets_its_own_dead_letters_and_three_retries() -> None:
    service = load().services["order"]
    assert (service.dead_letter, service.retry) == ("dlq.order", ("1s", "10s", "60s"))


def test_a_removal_takes_dates_bare_or_as_text() -> None:
    (removal,) = load().removals
    assert (removal.soft_after, removal.permanent_after) == (date(2026, 12, 1), date(2027, 6, 1))


def test_a_tombstone_of_a_shared_type_names_no_topic() -> None:
    text = (
        TOPICS
        + '[[removed]]\ntype = "mall.order.OrderLine"\nreason = "nobody holds it"\napproved_by = "@mall/orders"\n'
    )
    event, shared = load(text).removals
    assert (event.type, shared.type, shared.topic, shared.event) == (None, "mall.order.OrderLine", "", None)
    assert not event.is_of_topic
    assert not shared.is_of_topic
    with pytest.raises(CatalogError, match="a tombstone is of a shared `type`, which is on no topic, or of a `topic`"):
        load(text.replace('type = "mall', 'topic = "order-events"\ntype = "mall'))


def test_the_topic_of_an_event_is_found_and_shared_types_have_none() -> None:
    catalog = load()
    assert catalog.topic_of("mall.order.OrderPaid") is catalog.topics["order-events"]
    assert catalog.topic_of("mall.order.OrderLine") is None


def test_without_topics_the_catalog_holds_the_schemas_alone() -> None:
    catalog = load_catalog(FILES, topics=None)
    assert (set(catalog.by_name), catalog.topics) == ({"mall.order.OrderCreated", "mall.order.OrderPaid"}, {})


def test_the_order_of_the_files_does_not_matter() -> None:
    backwards = load_catalog(dict(reversed(FILES.items())), topics=TOPICS)
    assert list(backwards.files) == list(load().files)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('key = "id"', 'keys = "id"', "topics.toml:9: unknown key `keys`; did you mean `key`?"),
        ("partitions = 6", "partition = 6", "topics.toml:3: unknown key `partition`; did you mean `partitions`?"),
        ("format = 1", "format = 2", "topics.toml:1: `format` is not 1; write `format = 1` at the top"),
        ("format = 1", "", "topics.toml: `format` is not 1; write `format = 1` at the top"),
        ("[defaults]", "[defaults", "topics.toml:2: not TOML: "),
        ("[service.order]", "[services.order]", "topics.toml:26: unknown key `services`; did you mean `service`?"),
        ('"upper"', '"uper"', "topics.toml:8: `event_type` is 'uper'; it is one of upper, dotted, topic; did you mean"),
        (
            '"mall.order.OrderPaid",',
            '"mall.order.OrderPayed",',
            "topics.toml:10: no schema defines `mall.order.OrderPayed`",
        ),
        (
            'events = ["OrderPaid"]',
            'events = ["OrderPay"]',
            "topics.toml:22: `OrderPay` is no event of this topic; did you",
        ),
        ('"90s"', '"90 seconds"', "topics.toml:15: `retention`: '90 seconds' is not a duration"),
        ('prod = "30d", "*" = "90s"', 'prod = "30d"', "topics.toml:15: `retention` says nothing for the other env"),
        ("partitions = 6", "partitions = 0", "topics.toml:3: `partitions`: 0 is not a whole number of 1 or more"),
        ("partitions = 6", "partitions = true", "topics.toml:3: `partitions`: True is not a whole number"),
        (
            'service = "order"',
            'service = "order"\nexternal = "x"',
            "topics.toml:20: consumer `order-view` names either",
        ),
        ('service = "order"\n', "", "topics.toml:20: consumer `order-view` names either its `service` or"),
        ('doc = "Orders."', "", "topics.toml:5: `doc` is missing"),
        ('doc = "Orders."', "doc = 7", "topics.toml:6: `doc` is not a text"),
        ('producers = ["order"]', 'producers = ["order", 1]', "topics.toml:14: `producers` is an array of texts"),
        ('"paid:{id}"', '"paid:{id"', "topics.toml:18: `key`: 'paid:{id' has unpaired braces"),
        ('[topic."order-events"]', '[topic."order events"]', "topics.toml:5: 'order events' is not a topic name"),
        (
            "retention = { prod",
            'subject = "topic"\nretention = { prod',
            'topics.toml:15: `subject = "topic"` allows one',
        ),
        ('code = "services/order"', 'code = "x"\nretry = ["1x"]', "topics.toml:29: `retry`: '1x' is not a duration"),
        ('"2026-12-01"', '"soon"', "topics.toml:34: `soft_after` is 'soon'; write a date like 2026-12-01"),
        ("2027-06-01", "2027-06-01T00:00:00", "topics.toml:35: `permanent_after` is not a date like 2026-12-01"),
        ("[[removed]]", "[removed]", "topics.toml:29: `removed` is not an array of tables"),
        (
            '"retention.bytes" = 1000',
            '"retention.bytes" = [1]',
            "topics.toml:16: `retention.bytes`: a broker setting is",
        ),
    ],
)
def test_a_fault_is_named_with_its_line_and_what_was_meant(old: str, new: str, says: str) -> None:
    changed = TOPICS.replace(old, new, 1)
    assert changed != TOPICS
    with pytest.raises(CatalogError) as caught:
        load(changed)
    assert str(caught.value).startswith(says)


def test_one_event_may_have_a_subject_by_its_topic() -> None:
    topics = TOPICS.replace('  "mall.order.OrderCreated",  # the first ] of many\n', 'subject = "topic"\n', 0)
    topics = topics.replace('"mall.order.OrderCreated",', "", 1).replace('doc = "', 'subject = "topic"\ndoc = "', 1)
    assert load(topics).topics["order-events"].subject == "topic"


def test_a_schema_that_does_not_parse_stops_everything_with_its_place() -> None:
    with pytest.raises(SchemaError) as caught:
        load_catalog({**FILES, "order/bad.avsc": '{"type": "record"}'}, topics=TOPICS)
    assert caught.value.path == "order/bad.avsc"


def test_the_mall_has_a_topic_for_every_event_and_a_service_for_every_reader() -> None:
    files = {path.relative_to(SCHEMAS).as_posix(): path.read_text("utf-8") for path in SCHEMAS.rglob("*.avsc")}
    catalog = load_catalog(files, topics=(SCHEMAS / "topics.toml").read_text("utf-8"))
    events = {name for name, file in catalog.by_name.items() if '"event_time"' in file.text}
    assert {name for topic in catalog.topics.values() for name in topic.events} == events
    dead = {service.dead_letter for service in catalog.services.values()}
    assert {name for name, topic in catalog.topics.items() if not topic.events} == dead
    for topic in catalog.topics.values():
        assert {consumer.service for consumer in topic.consumers} <= set(catalog.services)
        assert set(topic.producers) <= {*catalog.services, "*"}
        for name in topic.events:
            fields = [field["name"] for field in json.loads(catalog.by_name[name].text)["fields"]]
            assert (topic.settings_of(name).key or topic.key) in fields
            assert fields[-3:] == ["event_time", "note", "operator"]
