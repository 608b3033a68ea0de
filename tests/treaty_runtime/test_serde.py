"""Frames and codecs: what is written, what is asked of the registry, what waits for it."""

from __future__ import annotations

import asyncio

import pytest

from tests.treaty_runtime.order_events import OrderCreated, OrderSeen
from treaty_avro import DecodeError, EncodeError
from treaty_runtime.errors import NotFramed, Oversize, RegistryUnavailable, SchemaNotRegistered, UnknownTopic
from treaty_runtime.testing import MemoryRegistry
from treaty_runtime.wire.serde import UNKNOWN_ID, Serde, frame, schema_id_of, with_schema_id

ORDER = OrderCreated(order_id="o-1", number=3)


def registry_of(*classes: type[OrderCreated | OrderSeen]) -> MemoryRegistry:
    registry = MemoryRegistry()
    for cls in classes:
        registry.register(cls.__subject__, cls.__avro_schema__)
    return registry


def test_a_frame_is_magic_byte_zero_and_the_id_big_endian() -> None:
    assert frame(258).hex() == "0000000102"
    assert schema_id_of(frame(258) + b"body") == 258
    assert with_schema_id(frame(0) + b"body", 258) == frame(258) + b"body"


@pytest.mark.parametrize(
    "value", [b"", b"\x00", b"\x00\x00\x00\x01", b"\x01\x00\x00\x00\x01", b'{"a": 1}', b"Obj\x01avro"]
)
def test_what_is_not_framed_is_told_from_its_first_bytes(value: bytes) -> None:
    with pytest.raises(NotFramed):
        schema_id_of(value)


async def test_an_event_is_encoded_with_the_id_that_the_registry_gave_its_class() -> None:
    serde = Serde(registry_of(OrderSeen, OrderCreated))
    await serde.warm([OrderCreated])
    encoded = serde.encode(ORDER)
    assert encoded.schema_id == 2
    assert encoded.value == frame(2) + b"\x06o-1\x06"


async def test_before_the_registry_answered_the_id_bytes_are_zero() -> None:
    registry = registry_of(OrderCreated)
    registry.is_away = True
    serde = Serde(registry)
    with pytest.raises(RegistryUnavailable):
        await serde.schema_id(OrderCreated)
    before = serde.encode(ORDER)
    assert (before.schema_id, schema_id_of(before.value)) == (UNKNOWN_ID, UNKNOWN_ID)
    registry.is_away = False
    schema_id = await serde.schema_id(OrderCreated)
    assert serde.encode(ORDER).value == with_schema_id(before.value, schema_id)


async def test_the_registry_is_asked_once_per_class_and_never_per_event() -> None:
    registry = registry_of(OrderCreated)
    serde = Serde(registry)
    for _ in range(3):
        await serde.schema_id(OrderCreated)
        serde.encode(ORDER)
    decoder = await serde.decoder(OrderCreated, 1)
    assert await serde.decoder(OrderCreated, 1) is decoder
    assert registry.questions == 2


async def test_an_unregistered_class_says_what_to_run() -> None:
    with pytest.raises(SchemaNotRegistered, match="Run: treaty registry apply") as caught:
        await Serde(MemoryRegistry()).schema_id(OrderCreated)
    assert str(caught.value).startswith(
        "mall.order.OrderCreated is not registered under order-events-mall.order.OrderCreated"
    )


async def test_an_older_writer_is_read_into_todays_class() -> None:
    registry = registry_of(OrderCreated)
    old = (
        '{"type":"record","name":"OrderCreated","namespace":"mall.order","fields":'
        '[{"name":"number","type":"int"},{"name":"gone","type":"string"},{"name":"order_id","type":"string"}]}'
    )
    schema_id = registry.register(OrderCreated.__subject__, old)
    decoder = await Serde(registry).decoder(OrderCreated, schema_id)
    assert decoder(frame(schema_id) + b"\x06\x02x\x06o-1", 5) == ORDER


async def test_junk_after_the_frame_is_a_decode_error() -> None:
    decoder = await Serde(registry_of(OrderCreated)).decoder(OrderCreated, 1)
    for junk in (b"", b"\xff" * 20, b"\x06o-1\x06more"):
        with pytest.raises(DecodeError):
            decoder(frame(1) + junk, 5)


async def test_a_value_that_is_nested_deeper_than_the_limit_is_a_decode_error() -> None:
    """The nested field is not even read into the class: what is skipped counts too."""
    registry = registry_of()
    schema_id = registry.register(
        OrderCreated.__subject__,
        OrderCreated.__avro_schema__.removesuffix("]}")
        + ',{"name":"inner","type":{"type":"record","name":"Inner","fields":[{"name":"inner","type":["null","Inner"]}]}}]}',
    )
    decoder = await Serde(registry).decoder(OrderCreated, schema_id)
    body = frame(schema_id) + b"\x06o-1\x06"
    assert decoder(body + b"\x02" * 90 + b"\x00", 5) == ORDER
    with pytest.raises(DecodeError, match="more records are open"):
        decoder(body + b"\x02" * 110 + b"\x00", 5)


def test_a_value_that_does_not_fit_its_schema_names_the_field() -> None:
    with pytest.raises(EncodeError, match="number"):
        Serde(MemoryRegistry()).encode(OrderCreated(order_id="o-1", number=2**40))


def test_an_event_over_the_limit_is_refused_before_it_is_sent() -> None:
    with pytest.raises(Oversize, match="the limit is 100"):
        Serde(MemoryRegistry(), max_record_bytes=100).encode(OrderCreated(order_id="x" * 100, number=1))


def test_a_class_without_a_topic_cannot_travel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(OrderSeen, "__topic__", "")
    with pytest.raises(UnknownTopic, match=r"topics\.toml"):
        Serde(MemoryRegistry()).encode(OrderSeen(number=1))


async def test_only_the_newest_decoders_of_a_class_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Serde, "DECODERS_PER_CLASS", 2)
    registry = registry_of(OrderSeen)
    text = OrderSeen.__avro_schema__
    for doc in ("a", "b"):
        registry.register(
            OrderSeen.__subject__, text.replace('"name":"OrderSeen"', f'"name":"OrderSeen","doc":"{doc}"')
        )
    serde = Serde(registry)
    first = await serde.decoder(OrderSeen, 1)
    await asyncio.gather(serde.decoder(OrderSeen, 2), serde.decoder(OrderSeen, 3))
    assert await serde.decoder(OrderSeen, 1) is not first
