"""Mistakes that an editor marks: what mypy | pyright say of a line stands behind it, and of no other line they say anything."""
# pyright: standard, reportUnnecessaryComparison=true

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import shop_events
import shop_events.order
from shop_events.order import Channel, OrderLine, OrderPaid, Seal

LATE = shop_events.order.OrderLate  # error: attr-defined | reportAttributeAccessIssue
ROOT = shop_events.OrderPaid  # error: attr-defined | reportAttributeAccessIssue


def an_event_is_misspelt() -> object:
    from shop_events.order import OrderPayed  # error: attr-defined | reportAttributeAccessIssue

    return OrderPayed


def a_package_is_misspelt() -> object:
    from shop_events.ordr import OrderPaid  # error: import-not-found | reportMissingImports

    return OrderPaid


def a_required_field_is_missing() -> OrderLine:
    return OrderLine(goods_id=1)  # error: call-arg | reportCallIssue


def an_optional_field_without_default_is_required_too(paid: OrderPaid, now: datetime) -> OrderPaid:
    return OrderPaid(  # error: call-arg | reportCallIssue
        order_id=1,
        total=Decimal(1),
        paid_at=now,
        due=now.date(),
        opens=now.time(),
        trace=paid.trace,
        warranty=paid.warranty,
        lines=[],
    )


def a_keyword_is_unknown() -> OrderLine:
    return OrderLine(goods_id=1, price=Decimal(1), sku="x")  # error: call-arg | reportCallIssue


def a_field_is_given_by_position() -> OrderLine:
    return OrderLine(1, Decimal(1))  # error: call-arg | reportCallIssue


def a_value_has_the_wrong_type() -> OrderLine:
    return OrderLine(goods_id=1, price=9.9)  # error: arg-type | reportArgumentType


def a_field_of_a_frozen_event_is_assigned(paid: OrderPaid) -> None:
    paid.order_id = 2  # error: misc | reportAttributeAccessIssue


def an_attribute_is_invented(paid: OrderPaid) -> None:
    paid.extra = 1  # error: attr-defined | reportAttributeAccessIssue


def a_field_is_misspelt(paid: OrderPaid) -> int:
    return paid.order_idd  # error: attr-defined, no-any-return | reportAttributeAccessIssue


def a_fixed_is_made_of_text() -> Seal:
    return Seal("12345678")  # error: arg-type | reportArgumentType


def an_optional_is_used_as_if_it_were_there(paid: OrderPaid) -> str:
    return paid.note.upper()  # error: union-attr | reportOptionalMemberAccess


def a_branch_is_used_without_being_asked_for(paid: OrderPaid) -> str:
    return paid.payment.last_four  # error: union-attr | reportAttributeAccessIssue, reportOptionalMemberAccess


def money_and_a_float_do_not_mix(line: OrderLine) -> object:
    return line.price + 0.5  # error: operator | reportOperatorIssue


def a_symbol_is_misspelt(channel: Channel) -> bool:
    return channel is Channel.WEBB  # error: attr-defined | reportAttributeAccessIssue


def a_symbol_is_not_its_text(channel: Channel) -> bool:
    return channel == "WEB"  # error: comparison-overlap | reportUnnecessaryComparison


def a_branch_of_a_match_is_forgotten(channel: Channel) -> str:  # error: return | reportReturnType
    match channel:
        case Channel.UNKNOWN:
            return "?"
        case Channel.WEB:
            return "web"


def a_class_variable_is_misspelt() -> str:
    return OrderPaid.__topik__  # error: attr-defined, no-any-return | reportAttributeAccessIssue
