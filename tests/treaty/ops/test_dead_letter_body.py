"""The value of a dead letter: decoded by its writer, personal data masked wherever it lies, or hex with the reason."""

from __future__ import annotations

import json
from typing import Any, cast

import pytest

from treaty.ops.dead_letters.body import body_of, frame
from treaty.ops.dead_letters.shown import header_text
from treaty.ops.registered import Registered
from treaty_avro import Schema, compile_generic, from_json, parse

ADDRESS = {
    "type": "record",
    "name": "Address",
    "fields": [
        {"name": "street", "type": "string", "treaty": {"pii": "address"}},
        {"name": "country", "type": "string"},
    ],
}
USER = {
    "type": "record",
    "namespace": "mall.user",
    "name": "UserRegistered",
    "fields": [
        {"name": "user_id", "type": "long"},
        {"name": "email", "type": ["null", "string"], "treaty": {"pii": "email"}},
        {"name": "home", "type": ["null", ADDRESS]},
        {"name": "others", "type": {"type": "array", "items": "Address"}},
        {"name": "named", "type": {"type": "map", "values": ["Address", "string"]}},
    ],
}
VALUE = {
    "user_id": 9007199254740993,
    "email": "ann@example.com",
    "home": {"street": "Road 1", "country": "NO"},
    "others": [{"street": "Road 2", "country": "SE"}],
    "named": {"x": {"street": "Road 3", "country": "DK"}, "y": "plain"},
}


class OneSchema:
    """A registry that knows schema id 7."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema

    def by_id(self, schema_id: int) -> Schema | None:
        return self.schema if schema_id == 7 else None

    def subjects(self, schema_id: int) -> list[str]:
        return ["user.events-mall.user.UserRegistered"] if schema_id == 7 else []


@pytest.fixture
def registered() -> Registered:
    return cast("Registered", OneSchema(parse(json.dumps(USER))))


def framed(value: Any = VALUE) -> bytes:
    schema = parse(json.dumps(USER))
    encode, _ = compile_generic(schema)
    return frame(7, encode(from_json(schema, json.dumps(value), style="plain")))


def test_personal_data_is_masked_wherever_it_lies(registered: Registered) -> None:
    body = body_of(framed(), registered)
    assert body.json["email"] == "••••"
    assert body.json["home"] == {"street": "••••", "country": "NO"}
    assert body.json["others"] == [{"street": "••••", "country": "SE"}]
    assert "Road" not in json.dumps(body.json)
    assert "plain" in json.dumps(body.json)
    assert body.masked == ("email", "home.street", "others[0].street", "named.x.street")
    assert body.json["user_id"] == str(VALUE["user_id"]), "a number that JavaScript would round is text"


def test_what_is_null_is_seen_to_be_null(registered: Registered) -> None:
    body = body_of(framed({**VALUE, "email": None, "home": None}), registered)
    assert (body.json["email"], body.json["home"]) == (None, None)


def test_revealed_it_is_what_was_written(registered: Registered) -> None:
    body = body_of(framed(), registered, reveal=True)
    assert (body.json["email"], body.masked) == ("ann@example.com", ())


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        (None, "tombstone"),
        (b"", "not framed"),
        (b"{json}", "not framed"),
        (b"\0\0\0\0\x08x", "unknown schema id 8"),
        (framed()[:-4], ""),
    ],
)
def test_what_cannot_be_decoded_is_hex_with_the_reason(registered: Registered, value: bytes | None, fault: str) -> None:
    body = body_of(value, registered)
    assert body.fault
    assert fault in body.fault
    assert body.json is None
    assert value is None or body.hex is not None


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("kafka_dlt-original-offset", (7).to_bytes(8, "big"), "7"),
        ("kafka_original-timestamp", (1_700_000_000_000).to_bytes(8, "big"), "1700000000000"),
        ("retry_topic-attempts", (3).to_bytes(4, "big"), "3"),
        ("created-timestamp", b"noon", "noon"),
        ("x-offset", b"12", "12"),
        ("kafka_dlt-original-offset", b"a" * 3_000, "a" * 200 + "… (3000 bytes)"),
        ("x-attempts", b"a" * 3_000, "a" * 200 + "… (3000 bytes)"),
    ],
)
def test_only_our_own_headers_are_numbers_and_none_of_any_length(name: str, value: bytes, shown: str) -> None:
    assert header_text(name, value, reveal=False) == shown
