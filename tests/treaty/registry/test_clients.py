"""Confluent's own client, unchanged, against our registry."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from confluent_kafka.schema_registry import RegisteredSchema, Schema, SchemaReference, SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.schema_registry.error import SchemaRegistryError
from confluent_kafka.serialization import MessageField, SerializationContext

from treaty.registry.settings import RegistrySettings
from treaty.registry.stores.protocol import Store
from treaty.registry.testing import registry

ORDER = json.dumps(
    {
        "type": "record",
        "name": "OrderCreated",
        "namespace": "mall.order",
        "fields": [{"name": "order_id", "type": "string"}, {"name": "total", "type": "long"}],
    }
)
NEXT = ORDER.replace('"type": "long"}', '"type": "long"}, {"name": "note", "type": "string", "default": ""}')
VALUE = SerializationContext("order-events", MessageField.VALUE)


@pytest.fixture
def confluent(client: httpx.Client) -> SchemaRegistryClient:
    """Confluent's client on a registry on each kind of store."""
    return SchemaRegistryClient({"url": str(client.base_url).rstrip("/")})


def test_what_the_serializer_writes_the_deserializer_reads(confluent: SchemaRegistryClient) -> None:
    write = AvroSerializer(confluent, ORDER)
    read = AvroDeserializer(confluent)
    order = {"order_id": "o-1", "total": 1999}
    data = write(order, VALUE)
    assert data[:5] == b"\x00\x00\x00\x00\x01"
    assert read(data, VALUE) == order


def test_a_newer_reader_fills_in_its_default(confluent: SchemaRegistryClient) -> None:
    data = AvroSerializer(confluent, ORDER)({"order_id": "o-1", "total": 1}, VALUE)
    read = AvroDeserializer(confluent, NEXT)
    assert read(data, VALUE) == {"order_id": "o-1", "total": 1, "note": ""}


def test_a_serializer_that_may_not_register_looks_up(confluent: SchemaRegistryClient) -> None:
    settings = {"auto.register.schemas": False}
    with pytest.raises(SchemaRegistryError) as refused:
        AvroSerializer(confluent, ORDER, conf=settings)({"order_id": "o", "total": 1}, VALUE)
    assert refused.value.error_code == 40401
    confluent.register_schema("order-events-value", Schema(ORDER))
    data = AvroSerializer(confluent, ORDER, conf=settings)({"order_id": "o", "total": 1}, VALUE)
    assert data[:5] == b"\x00\x00\x00\x00\x01"


def test_the_latest_version_can_be_used(confluent: SchemaRegistryClient) -> None:
    confluent.register_schema("order-events-value", Schema(NEXT))
    settings = {"auto.register.schemas": False, "use.latest.version": True}
    data = AvroSerializer(confluent, conf=settings)({"order_id": "o", "total": 1, "note": "n"}, VALUE)
    assert AvroDeserializer(confluent)(data, VALUE)["note"] == "n"


def test_the_client_governs_subjects(confluent: SchemaRegistryClient) -> None:
    first = confluent.register_schema("s", Schema(ORDER))
    assert confluent.register_schema("s", Schema(ORDER)) == first
    assert confluent.test_compatibility("s", Schema(NEXT))
    assert not confluent.test_compatibility("s", Schema('"int"'))
    second = confluent.register_schema("s", Schema(NEXT))
    assert (first, second) == (1, 2)
    assert confluent.get_versions("s") == [1, 2]
    assert confluent.get_latest_version("s").version == 2
    assert confluent.get_version("s", 1).schema_id == 1
    assert json.loads(str(confluent.get_schema(2).schema_str)) == json.loads(NEXT)
    assert confluent.lookup_schema("s", Schema(NEXT)).version == 2
    assert confluent.get_subjects() == ["s"]
    assert confluent.delete_version("s", 1) == 1
    assert confluent.delete_subject("s") == [2]
    assert confluent.delete_subject("s", permanent=True) == [1, 2]


def test_the_client_sees_confluents_errors(confluent: SchemaRegistryClient) -> None:
    confluent.register_schema("s", Schema(ORDER))
    calls: list[tuple[Callable[[], Any], int, int]] = [
        (lambda: confluent.register_schema("s", Schema('"int"')), 409, 40901),
        (lambda: confluent.register_schema("s", Schema("{")), 422, 42201),
        (lambda: confluent.get_latest_version("none"), 404, 40401),
        (lambda: confluent.get_version("s", 9), 404, 40402),
        (lambda: confluent.get_schema(9), 404, 40403),
        (lambda: confluent.set_compatibility("s", "WEIRD"), 422, 42203),
    ]
    for call, status, code in calls:
        with pytest.raises(SchemaRegistryError) as error:
            call()
        assert (error.value.http_status_code, error.value.error_code) == (status, code)


def test_the_client_reads_and_sets_compatibility(confluent: SchemaRegistryClient) -> None:
    assert confluent.get_compatibility() == "BACKWARD"
    confluent.set_compatibility("s", "FULL_TRANSITIVE")
    assert confluent.get_compatibility("s") == "FULL_TRANSITIVE"
    assert confluent.get_config("s").compatibility_level == "FULL_TRANSITIVE"


def test_references_go_both_ways(confluent: SchemaRegistryClient) -> None:
    line = '{"type":"record","name":"Line","namespace":"mall.order","fields":[{"name":"sku","type":"string"}]}'
    confluent.register_schema("line", Schema(line))
    order = (
        '{"type":"record","name":"Order","namespace":"mall.order","fields":[{"name":"line","type":"mall.order.Line"}]}'
    )
    schema = Schema(order, references=[SchemaReference("mall.order.Line", "line", 1)])
    write = AvroSerializer(confluent, schema)
    data = write({"line": {"sku": "a"}}, VALUE)
    assert AvroDeserializer(confluent)(data, VALUE) == {"line": {"sku": "a"}}
    found: RegisteredSchema = confluent.get_latest_version("order-events-value")
    assert [ref.subject for ref in found.schema.references or []] == ["line"]


def test_a_name_with_a_slash_keeps_it(confluent: SchemaRegistryClient) -> None:
    confluent.register_schema("a/b%c d", Schema(ORDER))
    assert confluent.get_subjects() == ["a/b%c d"]
    assert confluent.get_latest_version("a/b%c d").subject == "a/b%c d"


def test_an_old_wire_profile_serves_the_same_client(new_store: Callable[[str], Store]) -> None:
    with registry(new_store("memory"), settings=RegistrySettings(wire_profile="7")) as url:
        confluent = SchemaRegistryClient({"url": url})
        data = AvroSerializer(confluent, ORDER)({"order_id": "o-1", "total": 1}, VALUE)
        assert AvroDeserializer(confluent)(data, VALUE) == {"order_id": "o-1", "total": 1}
