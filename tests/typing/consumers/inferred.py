"""What an editor knows of generated events. This file is only type-checked: ``tests/treaty_codegen/test_typing.py``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import ClassVar, Protocol, assert_never, assert_type
from uuid import UUID

import shop_events
from shop_events.order import Card, Channel, OrderLine, OrderPaid, Seal, Transfer

import treaty_avro


def a_field_has_the_type_of_its_schema(paid: OrderPaid) -> None:
    assert_type(paid.order_id, int)
    assert_type(paid.nothing, None)
    assert_type(paid.is_gift, bool)
    assert_type(paid.pieces, int)
    assert_type(paid.weight, float)
    assert_type(paid.distance, float)
    assert_type(paid.title, str)
    assert_type(paid.raw, bytes)
    assert_type(paid.lines, list[OrderLine])
    assert_type(paid.tags, dict[str, str | None])
    assert_type(paid.channel, Channel)
    assert_type(paid.note, str | None)
    assert_type(paid.payment, Card | Transfer | Seal | int | None)
    assert_type(paid.number, int)
    assert_type(paid.previous, OrderPaid | None)


def a_logical_type_is_the_value_that_it_means(paid: OrderPaid) -> None:
    assert_type(paid.total, Decimal)
    assert_type(paid.paid_at, datetime)
    assert_type(paid.due, date)
    assert_type(paid.opens, time)
    assert_type(paid.trace, UUID)
    assert_type(paid.warranty, shop_events.Duration)
    assert_type(paid.warranty.months, int)
    assert_type(paid.nanos, int)


def a_name_that_python_keeps_is_changed_and_one_that_hides_a_type_is_not(paid: OrderPaid) -> None:
    assert_type(paid.from_, str)
    assert_type(paid.str, str)
    assert_type(Channel.None_.value, str)


def a_union_is_narrowed_by_match(paid: OrderPaid) -> str:
    payment = paid.payment
    match payment:
        case Card(last_four=digits):
            assert_type(digits, str)
            return digits
        case Transfer() as transfer:
            assert_type(transfer, Transfer)
            return transfer.iban
        case Seal() as seal:
            assert_type(seal, Seal)
            return seal.hex()
        case int() as reference:
            assert_type(reference, int)
            return str(reference)
        case None:
            return ""
        case _:
            assert_never(payment)


def a_union_is_narrowed_by_isinstance(paid: OrderPaid) -> None:
    if isinstance(paid.payment, Card | Transfer):
        assert_type(paid.payment, Card | Transfer)
    elif paid.payment is not None:
        assert_type(paid.payment, Seal | int)


def an_enum_is_exhaustive_by_match(channel: Channel) -> str:
    match channel:
        case Channel.UNKNOWN | Channel.None_:
            return "?"
        case Channel.WEB:
            return channel.value
        case _:
            assert_never(channel)


def an_enum_is_exhaustive_by_identity(channel: Channel) -> str:
    if channel is Channel.UNKNOWN or channel is Channel.None_:
        return "?"
    assert_type(channel.value, str)
    return "web"


def required_fields_suffice(now: datetime) -> OrderPaid:
    line = OrderLine(goods_id=1, price=Decimal("9.90"))
    return OrderPaid(
        order_id=1,
        total=Decimal("9.90"),
        paid_at=now,
        due=now.date(),
        opens=now.time(),
        trace=UUID(int=1),
        warranty=shop_events.Duration(months=24, days=0, milliseconds=0),
        lines=[line],
        channel=Channel.WEB,
        payment=Seal(b"12345678"),
    )


def what_the_platform_needs_is_on_the_class(paid: OrderPaid) -> None:
    assert_type(OrderPaid.__avro_schema__, str)
    assert_type(OrderPaid.__avro_fullname__, str)
    assert_type(OrderPaid.__avro_names__, Mapping[str, str])
    assert_type(OrderPaid.__avro_references__, tuple[str, ...])
    assert_type(OrderPaid.__avro_types__(), Mapping[str, type])
    assert_type(OrderPaid.__topic__, str)
    assert_type(OrderPaid.__subject__, str)
    assert_type(OrderPaid.__event_type__, str)
    assert_type(paid.__key__(), str)


def the_package_lists_its_events() -> None:
    assert_type(shop_events.EVENTS["shop.order.OrderPaid"], type)
    assert_type("shop.order.OrderPaid" in shop_events.EVENTS, bool)
    assert_type(len(shop_events.EVENTS), int)


def the_codec_keeps_the_class(paid: OrderPaid) -> None:
    assert_type(treaty_avro.compile_encoder(OrderPaid)(paid), bytes)
    assert_type(treaty_avro.compile_decoder(OrderPaid)(b""), OrderPaid)
    assert_type(treaty_avro.from_json(OrderPaid, "{}"), OrderPaid)
    assert_type(treaty_avro.to_json(paid), str)
    assert_type(treaty_avro.example(OrderPaid, seed=3, order_id=7), OrderPaid)


class Keyed(Protocol):
    """What a publisher may ask of an event."""

    __topic__: ClassVar[str]

    def __key__(self) -> str: ...


def an_event_fits_a_protocol(paid: OrderPaid, publish: Callable[[Keyed], None]) -> None:
    publish(paid)
