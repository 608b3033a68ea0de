"""A project with one event whose break is waived, and a tombstone for another one."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from treaty.config import Settings
from treaty.ops.http import RegistryHttp
from treaty.ops.plan import Plan
from treaty.ops.registry import plan_registry

TODAY = date(2026, 12, 1)
SUBJECT, GONE = "order-events-mall.order.OrderPaid", "order-events-mall.order.OrderArchived"
EVENT = """{"type": "record", "namespace": "mall.order", "name": "OrderPaid", "doc": "d", "fields": [
  {"name": "order_id", "type": "long", "doc": "d"}%s]}"""
TOPICS = """format = 1
[topic."order-events"]
doc = "d"
owner = "@o"
key = "order_id"
events = ["mall.order.OrderPaid"]
"""
WAIVER = """[[waiver]]
event = "mall.order.OrderPaid"
rule = "reader-field-without-default"
reason = "agreed"
approved_by = ["@o"]
until = 2026-12-31
"""
TOMBSTONE = """
[[removed]]
event = "mall.order.OrderArchived"
topic = "order-events"
reason = "replaced"
approved_by = "@o"
soft_after = 2026-11-01
permanent_after = 2026-11-30
"""


def waived_project(root: Path) -> Settings:
    """The project as it was before anything changed."""
    (root / "schemas" / "order").mkdir(parents=True)
    (root / "treaty.toml").write_text("", encoding="utf-8")
    write(root)
    return Settings.load(root / "treaty.toml", {}, start=root)


def write(root: Path, *, extra: str = "", topics: str = "", waivers: str = "") -> None:
    (root / "schemas/order/order_paid.avsc").write_text(EVENT % extra, encoding="utf-8")
    (root / "schemas/topics.toml").write_text(topics or TOPICS, encoding="utf-8")
    (root / "schemas/waivers.toml").write_text(waivers, encoding="utf-8")


def planned(settings: Settings, http: RegistryHttp, *, today: date = TODAY) -> Plan:
    made, blocked = plan_registry(settings, http, environment="local", today=today)
    assert blocked == ()
    return made
