"""Fill an empty registry, of whichever kind, with what the export beside this file holds: ``python fill.py URL``."""

from __future__ import annotations

import json
import sys
from typing import Any, Final

import httpx

TYPE: Final = "application/vnd.schemaregistry.v1+json"
SKU: Final = {"name": "sku", "type": "string"}
LINE: Final = {"type": "record", "name": "Line", "namespace": "shop", "fields": [SKU]}
COUNTED: Final = {**LINE, "fields": [SKU, {"name": "n", "type": "int", "default": 1}]}
ORDER: Final = {  # its members in another order than most write them
    "fields": [
        {"name": "line", "type": "Line"},
        {"name": "paid", "type": {"logicalType": "timestamp-millis", "type": "long"}, "doc": "é ü 日本"},
    ],
    "type": "record",
    "name": "Order",
    "namespace": "shop",
}
SUIT: Final = {"type": "enum", "symbols": ["A", "B"], "name": "Suit", "default": "A", "doc": "cards"}
REFERENCES: Final = [{"name": "shop.Line", "subject": "shop-line", "version": 1}]


def fill(client: httpx.Client) -> None:
    """All that a registry without contexts, metadata and rules can hold."""

    def send(method: str, path: str, body: dict[str, Any] | None = None) -> None:
        client.request(method, path, json=body, headers={"Content-Type": TYPE}).raise_for_status()

    def register(subject: str, schema: Any, **more: Any) -> None:
        send("POST", f"/subjects/{subject}/versions", {"schema": json.dumps(schema, indent=1), **more})

    register("gone", "int")
    register("shop-line", LINE)
    register("shop-line", COUNTED)
    register("a%2Fb%25c%20d", "string")
    register("shop-order", ORDER, references=REFERENCES)
    register("flat", SUIT)
    register("same-text", LINE)
    register("half", "long")
    register("half", "double")
    send("DELETE", "/subjects/half/versions/1")
    send("DELETE", "/subjects/gone")
    send("PUT", "/config/shop-line", {"compatibility": "FULL_TRANSITIVE"})
    send("PUT", "/config", {"compatibility": "BACKWARD"})


if __name__ == "__main__":
    with httpx.Client(base_url=sys.argv[1], timeout=30) as opened:
        fill(opened)
