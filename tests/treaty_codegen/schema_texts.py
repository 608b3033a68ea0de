"""Schemas and topics as tests write them: types in few words, and the texts of a project that has one event."""

from __future__ import annotations

import json
from typing import Any

MILLIS = {"type": "long", "logicalType": "timestamp-millis"}
MICROS = {"type": "long", "logicalType": "timestamp-micros"}
DATE = {"type": "int", "logicalType": "date"}
UUID = {"type": "string", "logicalType": "uuid"}


def f(name: str, type_: Any, **more: Any) -> dict[str, Any]:
    return {"name": name, "type": type_, **more}


def decimal(precision: int, scale: int = 0) -> dict[str, Any]:
    return {"type": "bytes", "logicalType": "decimal", "precision": precision, "scale": scale}


def enum(*symbols: str, name: str = "Status", **more: Any) -> dict[str, Any]:
    return {"type": "enum", "name": name, "symbols": list(symbols), **more}


def record(name: str, *fields: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "record", "name": name, "fields": list(fields), **more}


def fixed(name: str, size: int, **more: Any) -> dict[str, Any]:
    return {"type": "fixed", "name": name, "size": size, **more}


def array(items: Any) -> dict[str, Any]:
    return {"type": "array", "items": items}


def mapping(values: Any) -> dict[str, Any]:
    return {"type": "map", "values": values}


def event(fields_: list[dict[str, Any]], *, name: str = "OrderPaid", **more: Any) -> dict[str, str]:
    """The file of one event."""
    body = {"type": "record", "namespace": "mall.order", "name": name, "fields": fields_, **more}
    return {f"order/{name.lower()}.avsc": json.dumps(body)}


def topics(
    level: str = "FULL_TRANSITIVE", *, events: tuple[str, ...] = ("mall.order.OrderPaid",), key: str = ""
) -> str:
    """``topics.toml`` with one topic."""
    extra = f"key = {json.dumps(key)}\n" if key else ""
    return f"""format = 1
[topic."order-events"]
doc = "Orders."
owner = "@mall/orders"
events = {json.dumps(events)}
producers = ["order"]
compatibility = "{level}"
{extra}"""
