"""A change-data-capture connector can take the relay's place: its configuration names columns that the outbox has, in the right types.

Source: Debezium 3, "Outbox Event Router" (options of `io.debezium.transforms.outbox.EventRouter`).
"""

from __future__ import annotations

import json
import re

import pytest
from sqlalchemy import BigInteger, LargeBinary, String, Text, Uuid

from tests.cases.markdown import ROOT
from treaty_runtime.sql.tables import OutboxRow, Timestamp

ROUTER = "transforms.outbox."
DEFAULTS = {
    "table.field.event.id": "id",
    "table.field.event.key": "aggregateid",
    "table.field.event.payload": "payload",
    "route.by.field": "aggregatetype",
    "tracing.span.context.field": "tracingspancontext",
}
"""What the router looks for where nobody says otherwise."""


@pytest.fixture
def config() -> dict[str, str]:
    told: dict[str, str] = json.loads((ROOT / "ops/debezium/outbox.json").read_text(encoding="utf-8"))["config"]
    return told


def test_the_table_has_the_columns_that_the_router_looks_for_by_itself(config: dict[str, str]) -> None:
    columns = OutboxRow.__table__.columns
    for option, name in DEFAULTS.items():
        assert name in columns, option
        assert config.get(ROUTER + option, name) == name


def test_every_column_that_the_configuration_names_exists(config: dict[str, str]) -> None:
    columns = set(OutboxRow.__table__.columns.keys())
    named = {
        value for key, value in config.items() if key.startswith(ROUTER) and ".field" in key and ".fields" not in key
    }
    placed = config[ROUTER + "table.fields.additional.placement"]
    named |= {part.partition(":")[0] for part in placed.split(",")}
    assert named <= columns
    assert config["table.include.list"].endswith(f".{OutboxRow.__tablename__}")


def test_the_columns_have_types_that_the_router_reads() -> None:
    """Id: text or uuid; key and topic: text; payload: bytes; deletes carry nothing that would be published."""
    types = {name: column.type for name, column in OutboxRow.__table__.columns.items()}
    for name, kind in {
        "id": Uuid, "aggregatetype": String, "aggregateid": String, "type": String, "payload": LargeBinary,
        "tracingspancontext": Text, "created_at": Timestamp, "position": BigInteger,
    }.items():  # fmt: skip
        assert isinstance(types[name], kind), name


def test_rows_are_routed_to_the_topic_that_they_name(config: dict[str, str]) -> None:
    pattern = config[ROUTER + "route.topic.regex"].replace("(?<", "(?P<")
    replacement = config[ROUTER + "route.topic.replacement"].replace("${routedByValue}", r"\g<routedByValue>")
    assert re.fullmatch(pattern, "order-events")
    assert re.sub(f"^{pattern}$", replacement, "user.events") == "user.events"
