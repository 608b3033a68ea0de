"""An event as a row: typed columns from its schema, without what the schema calls personal.

Law: what is personal is dropped here, before anything is written; the warehouse never holds it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import is_dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from functools import cache
from typing import Any
from uuid import UUID

from mall_events.accounting import AccountingBalanceUpdated, AccountingSettlementCreated, AccountingTransactionCreated
from mall_events.analytics import AnalyticsRecorded
from mall_events.audit import AuditLogged
from mall_events.chat import ChatMessageCreated
from mall_events.goods import GoodsUpdated, GoodsViewed, StockChanged
from mall_events.order import (
    MerchantOrderCancelled,
    MerchantOrderCompleted,
    MerchantOrderCreated,
    MerchantOrderUpdated,
    OrderCancelled,
    OrderCreated,
    OrderPaid,
    OrderStatusChanged,
    OrderTimedOut,
)
from mall_events.payment import (
    PaymentCreated,
    PaymentFailed,
    PaymentRefundCreated,
    PaymentRefundFailed,
    PaymentRefundSucceeded,
    PaymentSucceeded,
)
from mall_events.risk import RiskCheckCompleted, RiskCheckStarted
from mall_events.user import (
    UserActivityRecorded,
    UserDeleted,
    UserLoggedIn,
    UserPasswordChanged,
    UserRegistered,
    UserStatusChanged,
    UserUpdated,
)

WAREHOUSED: tuple[type[Any], ...] = (
    *(OrderCreated, OrderStatusChanged, OrderPaid, OrderTimedOut, OrderCancelled),
    *(GoodsViewed, GoodsUpdated, StockChanged, ChatMessageCreated),
    *(MerchantOrderCreated, MerchantOrderUpdated, MerchantOrderCancelled, MerchantOrderCompleted),
    *(UserRegistered, UserLoggedIn, UserPasswordChanged, UserStatusChanged, UserDeleted, UserUpdated),
    *(UserActivityRecorded, PaymentCreated, PaymentSucceeded, PaymentFailed),
    *(PaymentRefundCreated, PaymentRefundSucceeded, PaymentRefundFailed),
    *(AccountingTransactionCreated, AccountingBalanceUpdated, AccountingSettlementCreated),
    *(RiskCheckStarted, RiskCheckCompleted, AnalyticsRecorded, AuditLogged),
)
"""Every event class that is kept."""
BY_NAME = {event.__name__: event for event in WAREHOUSED}
OWN = {"event_id": "UUID", "event_type": "VARCHAR", "partition": "INTEGER", "offset": "BIGINT"}
"""Columns that every record has besides its own."""
PLAIN = {
    "long": "BIGINT",
    "int": "INTEGER",
    "string": "VARCHAR",
    "boolean": "BOOLEAN",
    "double": "DOUBLE",
    "float": "FLOAT",
}
LOGICAL = {"timestamp-micros": "TIMESTAMP", "uuid": "UUID", "date": "DATE"}


def columns(event: type[Any]) -> Mapping[str, str]:
    """Names and DuckDB types of a record's columns, as its schema says; times are UTC, what is nested is JSON text."""
    return _columns(event.__avro_schema__)


@cache
def _columns(schema: str) -> Mapping[str, str]:
    return {field["name"]: _type(field["type"]) for field in json.loads(schema)["fields"] if not _is_personal(field)}


def flat(event: Any) -> dict[str, Any]:
    """The values of an event's columns as JSON has them."""
    return {name: _plain(getattr(event, name)) for name in columns(type(event))}


def _is_personal(field: Mapping[str, Any]) -> bool:
    return "pii" in field.get("treaty", {}) or "treaty.pii" in field


def _type(type_: Any) -> str:
    if isinstance(type_, list):
        return next(_type(branch) for branch in type_ if branch != "null")
    if isinstance(type_, Mapping):
        if type_.get("logicalType") == "decimal":
            return f"DECIMAL({int(type_['precision'])},{int(type_.get('scale', 0))})"
        return LOGICAL.get(type_.get("logicalType", ""), PLAIN.get(type_["type"], "VARCHAR"))
    return PLAIN.get(type_, "VARCHAR")


def _plain(value: Any) -> Any:
    match value:
        case datetime():
            return value.replace(tzinfo=None).isoformat()
        case Enum():
            return value.name
        case UUID() | Decimal() | date():
            return str(value)
        case list() | dict():
            return json.dumps(_nested(value), ensure_ascii=False)
        case _ if is_dataclass(value):
            return json.dumps(_nested(value), ensure_ascii=False)
    return value


def _nested(value: Any) -> Any:
    match value:
        case list():
            return [_nested(each) for each in value]
        case dict():
            return {name: _nested(each) for name, each in value.items()}
        case _ if is_dataclass(value):
            return {name: _nested(getattr(value, name)) for name in columns(type(value))}
    return _plain(value)
