"""Example values: they encode, come back, cover the edges, and never change."""

from __future__ import annotations

import hashlib
import json
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.treaty_avro.generated import schemas
from tests.treaty_avro.orders import Card, OrderCreated, Seal, Status, Voucher
from treaty_avro import (
    ClassMismatch,
    SchemaError,
    compile_encoder,
    compile_generic,
    example,
    parse,
    schema_of,
)


def test_every_seed_encodes_typed_and_untyped_to_the_same_bytes() -> None:
    encode, (plain, decode) = compile_encoder(OrderCreated), compile_generic(schema_of(OrderCreated))
    for seed in range(120):
        data = encode(example(OrderCreated, seed=seed))
        assert plain(example(schema_of(OrderCreated), seed=seed)) == data
        assert plain(decode(data)) == data


@settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))
@given(schemas(), st.integers(0, 200))
def test_every_schema_has_examples_that_encode(schema: object, seed: int) -> None:
    encode, _ = compile_generic(schema)  # type: ignore[arg-type]  # the strategy's type is not seen by mypy
    encode(example(schema, seed=seed))  # type: ignore[call-overload]  # as above


def test_the_smallest_value_is_small_and_the_next_has_every_optional() -> None:
    smallest, full = example(OrderCreated), example(OrderCreated, seed=1)
    assert (smallest.number, smallest.note, smallest.lines, smallest.payment) == (0, None, [], None)
    assert smallest.total == Decimal(0)
    assert full.note is not None
    assert full.parent is not None
    assert full.payment is not None
    assert full.lines


def test_the_edges_are_covered() -> None:
    events = [example(OrderCreated, seed=seed) for seed in range(2, 64)]
    assert {2**63 - 1, -(2**63), 0} <= {event.number for event in events}
    assert {Decimal("9999999999.99"), Decimal("-9999999999.99")} <= {event.total for event in events}
    assert {1, 9999} <= {event.updated.year for event in events}
    assert {"inf", "-inf", "nan", "-0.0", "0.0"} <= {str(event.ratio) for event in events}
    assert {0, 1, 3} <= {len(event.lines) for event in events}
    assert {event.status for event in events} == set(Status)
    assert {type(event.payment) for event in events} == {Card, Voucher, Seal, int, type(None)}
    assert {True, False} == {event.note is None for event in events}
    assert any(event.note and not event.note.isascii() for event in events)
    assert any(event.note == "" for event in events)


def test_overrides_are_taken_as_they_are() -> None:
    assert example(OrderCreated, seed=3, number=7).number == 7
    assert example(parse('{"type":"record","name":"R","fields":[{"name":"a","type":"int"}]}'), a=3) == {"a": 3}
    with pytest.raises(ClassMismatch, match="OrderCreated has no attribute 'numbr'"):
        example(OrderCreated, numbr=7)


def test_a_type_that_never_ends_is_refused() -> None:
    with pytest.raises(SchemaError, match="has no finite value"):
        example(parse('{"type":"record","name":"R","fields":[{"name":"r","type":"R"}]}'))
    ends = parse('{"type":"record","name":"R","fields":[{"name":"r","type":["R","null"]}]}')
    assert example(ends) == {"r": None}


@pytest.mark.parametrize(
    "endless",
    ["[]", '{"type": "record", "name": "End", "fields": [{"name": "y", "type": "End"}]}'],
    ids=["union", "record"],
)
def test_a_list_or_map_of_what_never_ends_is_empty(endless: str) -> None:
    for container in ("array", "map"):
        member = "items" if container == "array" else "values"
        schema = parse(f'{{"type": "{container}", "{member}": {endless}}}')
        assert not any(example(schema, seed=seed) for seed in range(40))


def test_recursion_ends_at_the_third_level() -> None:
    event = example(OrderCreated, seed=1)
    assert event.parent is not None
    assert event.parent.parent is not None
    assert event.parent.parent.parent is None


def test_plausible_values_follow_the_names() -> None:
    fields = [{"name": name, "type": "string"} for name in ("email", "order_id", "currency")]
    value = example(parse(json.dumps({"type": "record", "name": "R", "fields": fields})), seed=64)
    assert value["email"].endswith("@example.com")
    assert len(value["currency"]) == 3


def test_values_never_change() -> None:
    """Golden files depend on it: a failure here means to bring the old values back, not to change the digest."""
    encode = compile_encoder(OrderCreated)
    digest = hashlib.sha256(b"".join(encode(example(OrderCreated, seed=seed)) for seed in range(100))).hexdigest()
    assert digest == "a656dba6e1407e25645eff8bd7174b7d5bd7d03c0f5c0f85ec1cf9c981d5cd0e"
