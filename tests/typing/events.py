"""What an editor must infer of generated events. This file is only type-checked."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import assert_never, assert_type
from uuid import UUID

import mall_events
from mall_events.order import OrderCreated, OrderLine, OrderPaid, OrderStatus
from treaty_avro import compile_decoder, compile_encoder
from treaty_runtime.event import Event


def fields_have_their_types(created: OrderCreated, paid: OrderPaid) -> None:
    assert_type(created.order_id, int)
    assert_type(created.total, Decimal)
    assert_type(created.lines, list[OrderLine])
    assert_type(created.lines[0].quantity, int)
    assert_type(created.current_status, OrderStatus)
    assert_type(created.current_status.value, str)
    assert_type(created.shipping_address, str | None)
    assert_type(created.pay_before, datetime)
    assert_type(paid.payment_id, UUID)


def facts_of_the_schema_are_class_variables(created: OrderCreated) -> None:
    assert_type(OrderCreated.__topic__, str)
    assert_type(OrderCreated.__avro_references__, tuple[str, ...])
    assert_type(created.__key__(), str)
    assert_type(OrderCreated.__avro_types__(), Mapping[str, type])
    assert_type(mall_events.EVENTS["mall.order.OrderPaid"], type)


def the_codec_keeps_the_class(created: OrderCreated) -> None:
    assert_type(compile_encoder(OrderCreated)(created), bytes)
    assert_type(compile_decoder(OrderCreated)(b""), OrderCreated)


def an_event_is_what_the_runtime_publishes(created: OrderCreated) -> Event:
    return created


def an_enum_is_exhaustive(status: OrderStatus) -> str:
    match status:
        case OrderStatus.UNKNOWN | OrderStatus.PENDING_PAYMENT | OrderStatus.PAID | OrderStatus.SHIPPED:
            return "open"
        case OrderStatus.COMPLETED | OrderStatus.CANCELLED | OrderStatus.REFUNDED:
            return "closed"
        case _:
            assert_never(status)
