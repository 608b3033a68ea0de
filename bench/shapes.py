"""The three shapes of the codec's figures: a small, a medium and a large event, as classes, schemas and values."""

from __future__ import annotations

import enum
import json
import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar
from uuid import UUID

_UUID = {"type": "string", "logicalType": "uuid"}
_AT = {"type": "long", "logicalType": "timestamp-millis"}
_MONEY = {"type": "bytes", "logicalType": "decimal", "precision": 12, "scale": 2}
_STATUS = {"type": "enum", "name": "Status", "symbols": ["NEW", "PAID", "SENT"]}
_CHANNEL = {"type": "enum", "name": "Channel", "symbols": ["WEB", "SHOP", "PHONE"]}
_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


def _record(name: str, **fields: Any) -> dict[str, Any]:
    return {"type": "record", "name": name, "fields": [{"name": n, "type": t} for n, t in fields.items()]}


_ADDRESS = _record("Address", street="string", city="string", zip_code="string", country="string")
_LINE = _record("Line", sku="string", quantity="int", unit_price=_MONEY)
_ITEM = _record("Item", key="string", amount="long", score="double", is_active="boolean")

SMALL = _record(
    "Small",
    event_id=_UUID,
    user_id=_UUID,
    number="long",
    status=_STATUS,
    channel=_CHANNEL,
    created_at=_AT,
    note=["null", "string"],
    is_test="boolean",
)
MEDIUM = _record(
    "Medium",
    order_id=_UUID,
    user_id=_UUID,
    number="long",
    status=_STATUS,
    channel=_CHANNEL,
    created_at=_AT,
    updated_at=_AT,
    address=_ADDRESS,
    lines={"type": "array", "items": _LINE},
    total=_MONEY,
    shipping=_MONEY,
    coupon=["null", "string"],
    note=["null", "string"],
    is_gift="boolean",
    weight="double",
)
LARGE = _record(
    "Large",
    event_id=_UUID,
    labels={"type": "map", "values": "string"},
    counts={"type": "map", "values": "long"},
    items={"type": "array", "items": _ITEM},
    created_at=_AT,
)


class Status(enum.Enum):
    """The state of an order."""

    NEW = "NEW"
    PAID = "PAID"
    SENT = "SENT"


class Channel(enum.Enum):
    """Where it came from."""

    WEB = "WEB"
    SHOP = "SHOP"
    PHONE = "PHONE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A place."""

    street: str
    city: str
    zip_code: str
    country: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line of an order."""

    sku: str
    quantity: int
    unit_price: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One of many."""

    key: str
    amount: int
    score: float
    is_active: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Small:
    """8 fields."""

    __avro_schema__: ClassVar[str] = json.dumps(SMALL)
    __avro_fullname__: ClassVar[str] = "Small"

    event_id: UUID
    user_id: UUID
    number: int
    status: Status
    channel: Channel
    created_at: datetime
    note: str | None
    is_test: bool

    @staticmethod
    def __avro_types__() -> Mapping[str, type]:
        return {"Status": Status, "Channel": Channel}


@dataclass(frozen=True, slots=True, kw_only=True)
class Medium:
    """15 fields, a nested record, 3 lines, 5 decimals."""

    __avro_schema__: ClassVar[str] = json.dumps(MEDIUM)
    __avro_fullname__: ClassVar[str] = "Medium"

    order_id: UUID
    user_id: UUID
    number: int
    status: Status
    channel: Channel
    created_at: datetime
    updated_at: datetime
    address: Address
    lines: list[Line]
    total: Decimal
    shipping: Decimal
    coupon: str | None
    note: str | None
    is_gift: bool
    weight: float

    @staticmethod
    def __avro_types__() -> Mapping[str, type]:
        return {"Status": Status, "Channel": Channel, "Address": Address, "Line": Line}


@dataclass(frozen=True, slots=True, kw_only=True)
class Large:
    """2 maps and an array of 50 records."""

    __avro_schema__: ClassVar[str] = json.dumps(LARGE)
    __avro_fullname__: ClassVar[str] = "Large"

    event_id: UUID
    labels: dict[str, str]
    counts: dict[str, int]
    items: list[Item]
    created_at: datetime

    @staticmethod
    def __avro_types__() -> Mapping[str, type]:
        return {"Item": Item}


SHAPES: tuple[tuple[str, type, dict[str, Any]], ...] = (
    ("small", Small, SMALL),
    ("medium", Medium, MEDIUM),
    ("large", Large, LARGE),
)


def events(cls: type, count: int, rng: random.Random) -> list[Any]:
    """So many events of a shape."""
    return [{Small: _small, Medium: _medium, Large: _large}[cls](rng) for _ in range(count)]


def _uuid(rng: random.Random) -> UUID:
    return UUID(int=rng.getrandbits(128))


def _at(rng: random.Random) -> datetime:
    return _EPOCH + timedelta(milliseconds=rng.randrange(10**10))


def _money(rng: random.Random) -> Decimal:
    return Decimal(rng.randrange(100_000)).scaleb(-2)


def _small(rng: random.Random) -> Small:
    return Small(
        event_id=_uuid(rng),
        user_id=_uuid(rng),
        number=rng.randrange(10**9),
        status=rng.choice(list(Status)),
        channel=rng.choice(list(Channel)),
        created_at=_at(rng),
        note=rng.choice((None, "left at the door")),
        is_test=False,
    )


def _medium(rng: random.Random) -> Medium:
    return Medium(
        order_id=_uuid(rng),
        user_id=_uuid(rng),
        number=rng.randrange(10**9),
        status=rng.choice(list(Status)),
        channel=rng.choice(list(Channel)),
        created_at=_at(rng),
        updated_at=_at(rng),
        address=Address(street="12 Harbor Street", city="Shanghai", zip_code="200000", country="CN"),
        lines=[
            Line(sku=f"SKU-{rng.randrange(10**5)}", quantity=rng.randrange(1, 9), unit_price=_money(rng))
            for _ in range(3)
        ],
        total=_money(rng),
        shipping=_money(rng),
        coupon=None,
        note=rng.choice((None, "left at the door")),
        is_gift=True,
        weight=rng.random(),
    )


def _large(rng: random.Random) -> Large:
    return Large(
        event_id=_uuid(rng),
        labels={f"label-{n}": f"value {rng.randrange(1000)}" for n in range(10)},
        counts={f"count-{n}": rng.randrange(10**6) for n in range(10)},
        items=[
            Item(key=f"item-{rng.randrange(10**6)}", amount=rng.randrange(10**5), score=rng.random(), is_active=True)
            for _ in range(50)
        ],
        created_at=_at(rng),
    )
