"""Handwritten classes that meet the contract of generated ones: an order with every kind of type."""

from __future__ import annotations

import enum
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any, ClassVar, NamedTuple
from uuid import UUID


def _record(name: str, *fields: dict[str, Any]) -> dict[str, Any]:
    return {"type": "record", "name": name, "fields": list(fields)}


def _field(name: str, type_: Any, **more: Any) -> dict[str, Any]:
    return {"name": name, "type": type_, **more}


def _logical(base: str, name: str, **more: Any) -> dict[str, Any]:
    return {"type": base, "logicalType": name, **more}


_MONEY = _logical("bytes", "decimal", precision=12, scale=2)
_LINE = _record("Line", _field("sku", "string"), _field("quantity", "int"), _field("unit_price", _MONEY))
_STATUS = {"type": "enum", "name": "Status", "symbols": ["UNKNOWN", "NEW", "None"], "default": "UNKNOWN"}
_SEAL = {"type": "fixed", "name": "Seal", "size": 4}
_SPAN = {"type": "fixed", "name": "Span", "size": 12, "logicalType": "duration"}
_RATE = {"type": "fixed", "name": "Rate", "size": 8, "logicalType": "decimal", "precision": 10, "scale": 4}

SCHEMA = {
    **_record(
        "OrderCreated",
        _field("order_id", _logical("string", "uuid")),
        _field("number", "long"),
        _field("is_paid", "boolean"),
        _field("weight", "float"),
        _field("ratio", "double"),
        _field("note", ["null", "string"], default=None),
        _field("status", _STATUS),
        _field("from", _STATUS["name"]),
        _field("total", _MONEY),
        _field("rate", _RATE),
        _field("seal", _SEAL),
        _field("raw", "bytes"),
        _field("span", _SPAN),
        _field("day", _logical("int", "date")),
        _field("at_millis", _logical("int", "time-millis")),
        _field("at_micros", _logical("long", "time-micros")),
        _field("created", _logical("long", "timestamp-millis")),
        _field("updated", _logical("long", "timestamp-micros")),
        _field("local_millis", _logical("long", "local-timestamp-millis")),
        _field("local_micros", _logical("long", "local-timestamp-micros")),
        _field("nanos", _logical("long", "timestamp-nanos")),
        _field("lines", {"type": "array", "items": _LINE}),
        _field("tags", {"type": "map", "values": "string"}),
        _field(
            "payment",
            [
                "null",
                _record("Card", _field("last_four", "string", treaty={"pii": "card"})),
                _record("Voucher", _field("last_four", "string")),
                "Seal",
                "long",
            ],
        ),
        _field("parent", ["null", "OrderCreated"], default=None),
    ),
    "namespace": "mall.order",
}


class Status(enum.Enum):
    """An enum with a symbol that is a keyword."""

    __avro_fullname__: ClassVar[str] = "mall.order.Status"
    __avro_names__: ClassVar[Mapping[str, str]] = {"None": "None_"}

    UNKNOWN = "UNKNOWN"
    NEW = "NEW"
    None_ = "None"


class Seal(bytes):
    """A fixed."""

    __slots__ = ()
    __avro_fullname__: ClassVar[str] = "mall.order.Seal"


class Span(NamedTuple):
    """A duration."""

    months: int
    days: int
    milliseconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A record within."""

    __avro_fullname__: ClassVar[str] = "mall.order.Line"
    __avro_names__: ClassVar[Mapping[str, str]] = {}

    sku: str
    quantity: int
    unit_price: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A branch."""

    __avro_fullname__: ClassVar[str] = "mall.order.Card"
    __avro_names__: ClassVar[Mapping[str, str]] = {}

    last_four: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Voucher:
    """A branch of the same shape."""

    __avro_fullname__: ClassVar[str] = "mall.order.Voucher"
    __avro_names__: ClassVar[Mapping[str, str]] = {}

    last_four: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderCreated:
    """Every kind of type."""

    __avro_schema__: ClassVar[str] = json.dumps(SCHEMA)
    __avro_fullname__: ClassVar[str] = "mall.order.OrderCreated"
    __avro_names__: ClassVar[Mapping[str, str]] = {"from": "from_"}
    __avro_references__: ClassVar[tuple[str, ...]] = ()

    order_id: UUID
    number: int
    is_paid: bool
    weight: float
    ratio: float
    note: str | None = None
    status: Status
    from_: Status
    total: Decimal
    rate: Decimal
    seal: Seal
    raw: bytes
    span: Span
    day: date
    at_millis: time
    at_micros: time
    created: datetime
    updated: datetime
    local_millis: datetime
    local_micros: datetime
    nanos: int
    lines: list[Line]
    tags: dict[str, str]
    payment: Card | Voucher | Seal | int | None
    parent: OrderCreated | None = None

    @staticmethod
    def __avro_types__() -> Mapping[str, type]:
        return {
            "mall.order.Status": Status,
            "mall.order.Seal": Seal,
            "mall.order.Span": Span,
            "mall.order.Line": Line,
            "mall.order.Card": Card,
            "mall.order.Voucher": Voucher,
        }


def order(**changes: Any) -> OrderCreated:
    """An order with a value in every field."""
    values: dict[str, Any] = {
        "order_id": UUID("12345678-1234-5678-1234-567812345678"),
        "number": 2**40,
        "is_paid": True,
        "weight": 1.5,
        "ratio": 0.1,
        "note": "grüße",
        "status": Status.NEW,
        "from_": Status.None_,
        "total": Decimal("12.30"),
        "rate": Decimal("-0.0125"),
        "seal": Seal(b"abcd"),
        "raw": b"\x00\xff",
        "span": Span(1, 2, 3),
        "day": date(1969, 12, 31),
        "at_millis": time(23, 59, 59, 999000),
        "at_micros": time(0, 0, 0, 1),
        "created": datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC),
        "updated": datetime(1, 1, 1, tzinfo=UTC),
        "local_millis": datetime(9999, 12, 31, 23, 59, 59, 999000),  # noqa: DTZ001  # local timestamps are naive
        "local_micros": datetime(1969, 12, 31, 23, 59, 59, 999999),  # noqa: DTZ001  # local timestamps are naive
        "nanos": -1,
        "lines": [
            Line(sku="a", quantity=1, unit_price=Decimal("0.01")),
            Line(sku="b", quantity=-7, unit_price=Decimal("0.00")),
        ],
        "tags": {"a": "b", "": ""},
        "payment": Card(last_four="1234"),
    }
    return OrderCreated(**{**values, **changes})
