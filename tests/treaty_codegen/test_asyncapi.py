"""The AsyncAPI document: valid by the official schema, whole in its references, true to the catalog."""

from __future__ import annotations

import copy
import gzip
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import jsonschema
import pytest

from tests.cases.markdown import ROOT
from tests.treaty_codegen.hard import HOSTILE_DOCS
from tests.treaty_codegen.test_markdown import LINE, PAID, TEST, TOPICS, UNUSED
from treaty_avro import parse
from treaty_codegen import emit_asyncapi, load_catalog, publish

RECORDED: Final = Path(__file__).parent / "recorded/asyncapi-3.0.0.json.gz"
SHA256: Final = "abe96881dbfaad495ccbb6bd8d3fb43ca18a13b9d7564849ccb66f39d5e5b20f"

Document = dict[str, Any]


@pytest.fixture(scope="module")
def official() -> jsonschema.Draft7Validator:
    """The JSON Schema of AsyncAPI 3.0.0, as its authors publish it."""
    data = gzip.decompress(RECORDED.read_bytes())
    assert hashlib.sha256(data).hexdigest() == SHA256, "the recorded schema was edited"
    return jsonschema.Draft7Validator(json.loads(data))


def document(*schemas: Any, topics: str | None) -> Document:
    files = {f"{each['name'].lower()}.avsc": json.dumps(each) for each in schemas}
    made: Document = json.loads(emit_asyncapi(load_catalog(files, topics=topics), title="Shop", version="1.4.0"))
    return made


@pytest.fixture(scope="module")
def shop() -> Document:
    return document(PAID, LINE, TEST, UNUSED, topics=TOPICS)


@pytest.fixture(scope="module")
def mall() -> Document:
    folder = ROOT / "schemas"
    files = {path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in folder.rglob("*.avsc")}
    catalog = load_catalog(files, topics=(folder / "topics.toml").read_text(encoding="utf-8"))
    made: Document = json.loads(emit_asyncapi(catalog))
    for event, message in made["components"]["messages"].items():
        assert message["payload"]["schema"] == json.loads(publish(catalog.by_name[event]))
    return made


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for each in value.values():
            yield from references(each)
    elif isinstance(value, list):
        for each in value:
            yield from references(each)


def target(whole: Document, reference: str) -> Any:
    """What a reference leads to; KeyError if nothing does. Names hold neither slashes nor tildes."""
    found: Any = whole
    for step in reference.removeprefix("#/").split("/"):
        found = found[step]
    return found


@pytest.mark.parametrize("name", ["shop", "mall"])
def test_the_document_is_valid_and_its_references_lead_somewhere(
    name: str, official: jsonschema.Draft7Validator, request: pytest.FixtureRequest
) -> None:
    made = request.getfixturevalue(name)
    official.validate(made)
    assert all(isinstance(target(made, reference), dict) for reference in references(made))
    for operation in made["operations"].values():
        channel = operation["channel"]["$ref"]
        assert all(each["$ref"].startswith(f"{channel}/messages/") for each in operation["messages"])


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("operations", "mail.receive.order-events.mailer", "action"), "subscribe"),
        (("channels", "order-events", "topic"), "order-events"),
        (("channels", "order-events", "bindings", "kafka", "partitions"), 0),
        (("components", "messages", "shop.order.OrderPaid", "bindings", "kafka", "schemaIdLocation"), "tail"),
        (("info", "version"), None),
    ],
)
def test_the_schema_sees_what_is_wrong(
    place: tuple[str, ...], value: Any, official: jsonschema.Draft7Validator, shop: Document
) -> None:
    broken = copy.deepcopy(shop)
    *way, last = place
    target(broken, "/".join(way))[last] = value
    assert not official.is_valid(broken)


def test_a_channel_is_a_topic_with_its_settings(shop: Document) -> None:
    assert shop["info"] == {"title": "Shop", "version": "1.4.0"}
    channel = shop["channels"]["order-events"]
    assert channel["bindings"]["kafka"] == {
        "topic": "order-events",
        "partitions": 3,
        "replicas": 1,
        "topicConfiguration": {"min.insync.replicas": 1, "cleanup.policy": ["delete"], "retention.ms": 129_600_000},
        "bindingVersion": "0.5.0",
    }
    assert channel["x-environments"] == {
        "replicas": {"*": 1, "prod": 3},
        "min.insync.replicas": {"*": "1", "prod": "2"},
    }
    assert channel["x-keys"] == {"shop.order.OrderPaid": "order_id", "shop.order.TestEvent": "test_id"}
    assert channel["x-external-readers"] == {"billing": "@partner/billing"}


def test_a_message_carries_the_published_schema_and_names_its_headers(shop: Document) -> None:
    message = shop["components"]["messages"]["shop.order.OrderPaid"]
    assert message["payload"]["schemaFormat"] == "application/vnd.apache.avro+json;version=1.12.0"
    assert parse(json.dumps(message["payload"]["schema"])).name == "shop.order.OrderPaid"
    assert message["headers"]["properties"]["ce_type"]["const"] == "ORDER_PAID"
    assert message["description"] == "An order was paid in full.\n\nOnce."
    assert set(message["examples"][0]["payload"]) >= {"order_id", "total"}


def test_a_service_sends_what_it_produces_and_receives_what_its_groups_take(shop: Document) -> None:
    assert list(shop["operations"]) == [
        "mail.receive.order-events.mailer",
        "mail.receive.order-events.push-_",
        "order.send.order-events",
    ]
    mailer, push, _ = shop["operations"].values()
    assert [each["$ref"].rpartition("/")[2] for each in mailer["messages"]] == ["shop.order.OrderPaid"]
    assert mailer["bindings"]["kafka"]["groupId"] == {"type": "string", "enum": ["mailer"]}
    assert push["bindings"]["kafka"]["groupId"] == {"type": "string", "pattern": "^push-"}


def test_without_topics_there_are_messages_only(official: jsonschema.Draft7Validator) -> None:
    made = document(TEST, UNUSED, topics=None)
    official.validate(made)
    assert (made["channels"], made["operations"]) == ({}, {})
    assert list(made["components"]["messages"]) == ["shop.order.TestEvent"]


@pytest.mark.parametrize("text", HOSTILE_DOCS)
def test_a_hostile_text_keeps_the_document_valid(text: str, official: jsonschema.Draft7Validator) -> None:
    quoted = json.dumps(text, ensure_ascii=False)
    topics = f"""format = 1
[topic.things]
doc = {quoted}
owner = {quoted}
events = ["shop.order.TestEvent"]
producers = [{quoted}, {json.dumps(text + "?", ensure_ascii=False)}, {json.dumps(text + "!", ensure_ascii=False)}]
config = {{ "message.timestamp.type" = {quoted} }}
[topic.things.consumer.{quoted}]
service = {quoted}
"""
    made = document({**TEST, "doc": text, "aliases": ["Old"]}, topics=topics)
    official.validate(made)
    assert len(made["operations"]) == 4, "no two operations have one id"
    assert made["channels"]["things"]["x-owner"] == text
