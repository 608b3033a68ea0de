"""Metrics and logs: every series exists at 0, labels stay bounded, nothing of a payload is told."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from prometheus_client.parser import text_string_to_metric_families
from structlog.testing import capture_logs

from tests.treaty_runtime.order_events import OrderCreated, OrderSeen
from treaty_runtime import hooks as seen
from treaty_runtime.event import Context, Place
from treaty_runtime.handlers import Group, Handlers
from treaty_runtime.logs import Logs
from treaty_runtime.metrics import JOB_OUTCOMES, Metrics
from treaty_runtime.publish.backlog import Depth

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
PLACE = Place("order-events", 0, 5)
EVENT: dict[str, Any] = {"topic": "order-events", "event_type": "order.created", "event_id": UUID(int=1)}


@pytest.fixture
def metrics() -> Metrics:
    handlers = Handlers()

    @handlers.on(OrderCreated)
    async def handle(event: OrderCreated, context: Context) -> None:
        """Never called."""

    made = Metrics("order", now=lambda: NOW)
    made.declare(groups=[Group("g", handlers, dead_letter="dlq")], events=[OrderCreated, OrderSeen], queues=["later"])
    return made


def test_every_declared_series_exists_at_zero_before_anything_happened(metrics: Metrics) -> None:
    found = _samples(metrics)
    assert all(value == 0 for value in found.values())
    for series in (
        'kafka_producer_messages_total{service="order",topic="order-events",event_type="order.created"}',
        'kafka_producer_errors_total{service="order",topic="order-views",event_type="order.seen",error_type="other"}',
        'kafka_consumer_messages_total{service="order",consumergroup="g",topic="order-events",event_type="order.created"}',
        'kafka_dlq_messages_total{consumergroup="g",topic="order-events",error_type="ValueError"}',
        'kafka_consumer_duplicates_total{consumergroup="g"}',
        'kafka_consumer_outage{consumergroup="relay",dependency="kafka"}',
        'outbox_held_messages{service="order",reason="UNKNOWN_TOPIC_OR_PART"}',
        'outbox_published_total{service="order"}',
        'delay_pending_jobs{service="order",queue="later"}',
        'delay_jobs_total{service="order",queue="later",outcome="failed"}',
        'kafka_consumer_in_flight_messages{consumergroup="g",topic="retry.g.10s"}',
    ):
        assert _key(series) in found, series
    assert not [name for name, _ in found if name.endswith("_created")]


def test_no_metric_is_without_a_series_from_the_start(metrics: Metrics) -> None:
    """An alert over a series that does not exist yet never fires."""
    families = text_string_to_metric_families(metrics.text().decode())
    assert [family.name for family in families if not family.samples] == []


def test_a_finished_attempt_counts_whether_it_failed_or_not(metrics: Metrics) -> None:
    attempt: dict[str, Any] = {
        "group": "g",
        **EVENT,
        "place": PLACE,
        "attempt": 1,
        "handler": "m.handle",
        "seconds": 0.02,
    }
    metrics(seen.Handled(**attempt, latency_seconds=1.5))
    metrics(seen.Failed(**attempt, error=ValueError("secret")))
    read = 'consumergroup="g",topic="order-events",event_type="order.created"'
    assert _value(metrics, f'kafka_consumer_messages_total{{service="order",{read}}}') == 2
    assert _value(metrics, f'kafka_consumer_errors_total{{service="order",{read},error_type="ValueError"}}') == 1
    assert _value(metrics, 'kafka_event_latency_seconds_sum{consumergroup="g",topic="order-events"}') == 1.5
    last = 'kafka_consumer_last_processed_timestamp_seconds{consumergroup="g",topic="order-events"}'
    assert _value(metrics, last) == NOW.timestamp()


def test_an_unforeseen_exception_is_other_so_that_labels_stay_bounded(metrics: Metrics) -> None:
    told: dict[str, Any] = {"group": "g", "topic": "order-events", "place": PLACE}
    metrics(seen.Retried(**told, attempt=2, error_type="shop.errors.StrangeError", retry_topic=None))
    assert (
        _value(metrics, 'kafka_consumer_retries_total{consumergroup="g",topic="order-events",error_type="other"}') == 1
    )
    assert b"StrangeError" not in metrics.text()


def test_the_outbox_shows_what_waits_and_zero_when_nothing_does(metrics: Metrics) -> None:
    metrics.outbox(Depth(3, NOW, 1))
    assert _value(metrics, 'outbox_pending_messages{service="order"}') == 3
    assert _value(metrics, 'outbox_oldest_pending_timestamp_seconds{service="order"}') == NOW.timestamp()
    metrics.outbox(Depth(0, None, 0))
    assert _value(metrics, 'outbox_oldest_pending_timestamp_seconds{service="order"}') == 0


def test_a_queue_without_jobs_is_back_at_zero(metrics: Metrics) -> None:
    metrics.delayed({"later": 3, "undeclared": 1})
    metrics.delayed({})
    assert _value(metrics, 'delay_pending_jobs{service="order",queue="later"}') == 0
    assert _value(metrics, 'delay_pending_jobs{service="order",queue="undeclared"}') == 0


def test_a_job_counts_by_how_it_ended(metrics: Metrics) -> None:
    for outcome in ("retried", "failed"):
        metrics(seen.JobRun(queue="later", job_id="1", outcome=outcome, seconds=0.1))
    counted = 'delay_jobs_total{service="order",queue="later",outcome="%s"}'
    assert [_value(metrics, counted % outcome) for outcome in JOB_OUTCOMES] == [0, 0, 1, 1]


def test_held_keys_are_shown_by_reason_and_go_back_to_zero(metrics: Metrics) -> None:
    metrics(seen.OutboxHeld(keys={"UNKNOWN_TOPIC_OR_PART": 2, "STRANGE": 1}))
    assert _value(metrics, 'outbox_held_messages{service="order",reason="UNKNOWN_TOPIC_OR_PART"}') == 2
    assert _value(metrics, 'outbox_held_messages{service="order",reason="other"}') == 1
    metrics(seen.OutboxHeld(keys={}))
    assert _value(metrics, 'outbox_held_messages{service="order",reason="UNKNOWN_TOPIC_OR_PART"}') == 0


def test_an_outage_is_one_until_it_ends(metrics: Metrics) -> None:
    series = 'kafka_consumer_outage{consumergroup="g",dependency="database"}'
    metrics(seen.OutageBegan(group="g", dependency="database", error="gone"))
    assert _value(metrics, series) == 1
    metrics(seen.Recovered(group="g", dependency="database", seconds=3))
    assert _value(metrics, series) == 0


def test_logs_name_the_event_and_the_exceptions_class_but_never_its_text() -> None:
    failed = seen.Failed(
        group="g",
        **EVENT,
        place=PLACE,
        attempt=1,
        handler="m.handle",
        seconds=0.02,
        error=ValueError("card 4111111111111111"),
    )
    dead = seen.DeadLettered(
        group="g",
        topic="order-events",
        place=PLACE,
        dead_letter_topic="dlq",
        error_type="ValueError",
        reason="failed card 4111111111111111",
        fingerprint="f",
    )
    with capture_logs() as lines:
        Logs("order")(failed)
        Logs("order")(dead)
        Logs("order")(seen.PartBroke(part="relay", error_type="builtins.KeyError", at="m.f"))
    assert (lines[0]["event"], lines[0]["log_level"], lines[0]["error"]) == ("failed", "warning", "ValueError")
    assert (lines[0]["event_id"], lines[0]["place"]) == (str(UUID(int=1)), "order-events/0/5")
    assert (lines[1]["event"], lines[1]["reason"]) == ("dead_lettered", "failed")
    assert "4111" not in str(lines)
    assert (lines[2]["event"], lines[2]["log_level"], lines[2]["at"]) == ("part_broke", "error", "m.f")


def _samples(metrics: Metrics) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    families = text_string_to_metric_families(metrics.text().decode())
    return {(each.name, frozenset(each.labels.items())): each.value for family in families for each in family.samples}


def _key(series: str) -> tuple[str, frozenset[tuple[str, str]]]:
    (sample,) = next(iter(text_string_to_metric_families(f"{series} 0\n"))).samples
    return sample.name, frozenset(sample.labels.items())


def _value(metrics: Metrics, series: str) -> float:
    return _samples(metrics)[_key(series)]
