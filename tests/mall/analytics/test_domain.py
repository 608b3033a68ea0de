"""What an event adds to which counter, and what of it is kept: no personal data, exact numbers."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mall.analytics.domain import ADDS, NAMES, sums
from mall.analytics.flattening import WAREHOUSED, columns, flat
from mall_events.user import UserActivity
from tests.cases.markdown import ROOT
from tests.mall.analytics.feeding import FIRST_ORDER, NOON, activity, cancelled, paid, placed, succeeded, viewed

MINUTE = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("event", "added"),
    [
        (placed(), {"orders_created": 1}),
        (paid(at=NOON), {"orders_paid": 1, "gmv_paid_minor": 700}),
        (cancelled(1), {"orders_cancelled": 1}),
        (viewed(), {"goods_views": 1}),
        (succeeded(), {"payments_success": 1}),
        (activity(UserActivity.REGISTERED), {"registrations": 1}),
        (activity(UserActivity.LOGGED_IN), {"logins": 1}),
        (activity(UserActivity.UNUSUAL_LOGIN), {"logins": 1, "unusual_logins": 1}),
        (activity(UserActivity.DELETED), {}),
    ],
)
def test_an_event_adds_to_its_counters_in_its_own_minute(event: Any, added: dict[str, int]) -> None:
    assert sums([event]) == {(name, MINUTE): value for name, value in added.items()}
    assert set(added) <= set(NAMES)


def test_sums_are_by_minute() -> None:
    looks = [viewed(at=NOON + timedelta(seconds=second)) for second in range(0, 90, 10)]
    assert sums(looks) == Counter({("goods_views", MINUTE): 3, ("goods_views", MINUTE + timedelta(minutes=1)): 6})


def test_every_counter_has_an_event_that_adds_to_it() -> None:
    assert len(ADDS) == 10


@pytest.mark.parametrize("record", WAREHOUSED, ids=lambda record: record.__name__)
def test_columns_are_the_schema_s_fields_without_what_is_personal(record: type[Any]) -> None:
    domain, _, name = record.__avro_fullname__.removeprefix("mall.").partition(".")
    file = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")
    schema = json.loads((ROOT / "schemas" / domain / f"{file}.avsc").read_text(encoding="utf-8"))
    personal = {field["name"] for field in schema["fields"] if "pii" in field.get("treaty", {})}
    assert set(columns(record)) == {field["name"] for field in schema["fields"]} - personal


def test_a_row_keeps_numbers_exactly_and_nothing_personal() -> None:
    row = flat(placed())
    assert row["order_id"] == FIRST_ORDER
    assert (row["total"], row["event_time"], row["current_status"]) == (
        "7.00",
        "2026-03-01T12:00:30",
        "PENDING_PAYMENT",
    )
    assert json.loads(row["lines"]) == [{"goods_id": 501, "title": "Lamp", "unit_price": "3.50", "quantity": 2}]
    assert "Dorm" not in str(row)
    assert "139" not in str(row)
