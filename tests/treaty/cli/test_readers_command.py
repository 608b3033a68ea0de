"""``treaty readers``, and the readers in what ``treaty breaking`` says, as processes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.treaty.cli.scratch import TOPICS, Scratch, changed, project

READER = """
[topic."order-events".consumer.billing-service]
service = "billing"

[service.billing]
owner = "@mall/billing"
code = "services/billing"
"""


@pytest.fixture
def scratch(tmp_path: Path) -> Scratch:
    made = project(tmp_path, toml='package = "events"\n[breaking]\nagainst = ["releases"]\n', topics=TOPICS + READER)
    made.write(
        "services/billing/handlers.py", "from events.order import OrderPaid\ndef f(event: OrderPaid):\n    event.note\n"
    )
    return made


def test_a_line_that_reads_a_field_is_named(scratch: Scratch) -> None:
    done = scratch.run("readers", "OrderPaid.note")
    assert done.code == 0
    assert done.out.splitlines() == [
        "declared  billing-service  (billing)",
        "reads     mall.order.OrderPaid.note  billing  services/billing/handlers.py:3",
    ]
    assert "No reader found. That is no proof" in scratch.run("readers", "OrderPaid.order_id").err
    assert scratch.run("readers", "OrderPayed").err.startswith(
        "treaty: No topic carries an event `OrderPayed`: did you mean"
    )
    assert scratch.run("readers", "--service", "biling").code == 2


def test_a_removed_field_names_its_readers(scratch: Scratch) -> None:
    assert scratch.run("release", "1.0.0").code == 0
    scratch.write("schemas/order/order_paid.avsc", changed(note=None))
    done = scratch.run("breaking")
    assert (done.code, "  read by: billing services/billing/handlers.py:3\n" in done.out) == (1, True)
    rows = json.loads(scratch.run("breaking", "--format", "json").out)["findings"]
    assert rows[0]["readers"] == [
        {"service": "billing", "file": "services/billing/handlers.py", "line": 3, "why": None}
    ]
    scratch.write("services/billing/handlers.py", "")
    assert scratch.run("breaking").code == 0, "all code was looked at, and nobody reads it"
