"""Prometheus metrics from hooks: names and labels are those of the alert rules and dashboards.

Law: every declared label set exists at 0 from the start, because `increase()` misses a series that is born at 1. No label
ever holds a key, an id, an offset or an exception's text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from treaty_runtime import hooks as seen
from treaty_runtime.clock import utcnow
from treaty_runtime.consume.reader import NO_HANDLER, TOMBSTONE
from treaty_runtime.event import Event
from treaty_runtime.handlers import Group
from treaty_runtime.publish.backlog import Depth

EXPOSITION = CONTENT_TYPE_PLAIN_0_0_4
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
LATENCY_BUCKETS = (*BUCKETS, 30, 60, 300)
OTHER = "other"
PUBLISH_ERRORS = (
    "INVALID_RECORD", "MSG_SIZE_TOO_LARGE", "POLICY_VIOLATION", "TOPIC_AUTHORIZATION_FAILED", "UNKNOWN_TOPIC_OR_PART",
    "_MSG_TIMED_OUT", "_TRANSPORT", OTHER,
)  # fmt: skip
HANDLER_ERRORS = (
    "Conflict", "DecodeError", "HandlerTimeout", "IntegrityError", "Locked", "NotFramed", "Outage", "Oversize",
    "RegistryUnavailable", "Reject", "ResolutionError", "RuntimeError", "TimeoutError", "TransactionAborted", "TypeError",
    "UnknownSchemaId", "ValueError", "WriterNotAllowed", OTHER,
)  # fmt: skip
DEPENDENCIES = ("database", "kafka", "redis", "registry")
SKIP_REASONS = (NO_HANDLER, TOMBSTONE)
HELD_REASONS = ("SCHEMA_NOT_REGISTERED", "SCHEMA_UNKNOWN", "TOPIC_AUTHORIZATION_FAILED", "UNKNOWN_TOPIC_OR_PART", OTHER)

JOB_OUTCOMES = ("done", "duplicate", "failed", "retried")

_OF_EVENT = ("service", "topic", "event_type")
_OF_READ_EVENT = ("service", "consumergroup", "topic", "event_type")
_OF_TOPIC = ("consumergroup", "topic")


class Metrics:
    """An observer that counts; one for each service and process. `now` is aware."""

    def __init__(
        self, service: str, *, registry: CollectorRegistry | None = None, now: Callable[[], datetime] = utcnow
    ) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # the library's gap; a second series for each counter, which nobody reads
        self._service, self._now = service, now
        self._registry = registry or CollectorRegistry()
        self._add_publishing()
        self._add_consuming()
        self._add_gauges()
        self._tellers: Mapping[type[object], Callable[..., None]] = {
            seen.Published: self._published,
            seen.PublishRefused: self._refused,
            seen.Handled: self._handled,
            seen.Failed: self._failed,
            seen.Duplicate: lambda hook: self._duplicates.labels(hook.group).inc(),
            seen.Retried: lambda hook: self._retries.labels(
                hook.group, hook.topic, _handler_error(hook.error_type)
            ).inc(),
            seen.DeadLettered: lambda hook: self._dead.labels(
                hook.group, hook.topic, _handler_error(hook.error_type)
            ).inc(),
            seen.Skipped: lambda hook: self._skipped.labels(hook.group, hook.topic, hook.reason).inc(),
            seen.Missed: self._missed_by,
            seen.Rebalanced: lambda hook: self._rebalances.labels(hook.group).inc(),
            seen.CommitFailed: lambda hook: self._commit_failures.labels(hook.group).inc(),
            seen.Throttled: lambda hook: self._throttled.labels(hook.group).set(hook.is_on),
            seen.OutageBegan: lambda hook: self._outage.labels(hook.group, hook.dependency).set(1),
            seen.Recovered: lambda hook: self._outage.labels(hook.group, hook.dependency).set(0),
            seen.Overtaken: lambda hook: self._overtaken.labels(service, hook.topic).inc(),
            seen.Relayed: lambda hook: self._relayed.labels(service).inc(hook.rows),
            seen.Fenced: lambda _: self._fenced.labels(service).inc(),
            seen.LanesHeld: lambda hook: self._lanes.labels(service).set(hook.lanes),
            seen.OutboxHeld: self._held,
            seen.JobRun: lambda hook: self._job_runs.labels(service, hook.queue, hook.outcome).inc(),
        }

    def __call__(self, hook: object) -> None:
        """Count what happened."""
        tell = self._tellers.get(type(hook))
        if tell is not None:
            tell(hook)

    def text(self) -> bytes:
        """Everything in Prometheus' text format 0.0.4."""
        return generate_latest(self._registry)

    def declare(self, *, groups: Iterable[Group], events: Iterable[type[Event]], queues: Iterable[str] = ()) -> None:
        """Bring every series of these groups, published events and delay queues into being, at 0."""
        for event in events:
            self._messages.labels(self._service, event.__topic__, event.__event_type__)
            self._delivery.labels(self._service, event.__topic__)
            self._overtaken.labels(self._service, event.__topic__)
            for error in PUBLISH_ERRORS:
                self._errors.labels(self._service, event.__topic__, event.__event_type__, error)
        for group in groups:
            self._declare_group(group)
        for reason in HELD_REASONS:
            self._held_rows.labels(self._service, reason)
        for worker in ("relay", "delay"):
            for dependency in DEPENDENCIES:
                self._outage.labels(worker, dependency)
        for queue in queues:
            self._queues.add(queue)
            self._jobs.labels(self._service, queue)
            for outcome in JOB_OUTCOMES:
                self._job_runs.labels(self._service, queue, outcome)
        for each in (self._relayed, self._fenced, self._lanes, self._pending, self._oldest, self._failed_rows):
            each.labels(self._service)

    def outbox(self, depth: Depth) -> None:
        """How much waits in the outbox now."""
        self._pending.labels(self._service).set(depth.pending)
        self._oldest.labels(self._service).set(0 if depth.oldest is None else depth.oldest.timestamp())
        self._failed_rows.labels(self._service).set(depth.failed)

    def delayed(self, pending: Mapping[str, int]) -> None:
        """How many jobs wait now, by queue."""
        self._queues |= pending.keys()
        for queue in self._queues:
            self._jobs.labels(self._service, queue).set(pending.get(queue, 0))

    def member(
        self, group: str, *, poll_age_seconds: float, paused_partitions: int, lanes: int, held_keys: int
    ) -> None:
        """What a member of a group does now."""
        self._busy_lanes.labels(group).set(lanes)
        self._held_keys.labels(group).set(held_keys)
        self._poll_age.labels(group).set(poll_age_seconds)
        self._paused.labels(group).set(paused_partitions)

    def reading(self, group: str, topic: str, *, in_flight: int, gap: int) -> None:
        """How much of a topic is in work now, and how far what arrived is ahead of what is finished."""
        self._in_flight.labels(group, topic).set(in_flight)
        self._gap.labels(group, topic).set(gap)

    def _declare_group(self, group: Group) -> None:
        for event in group.handlers.events:
            self._read.labels(self._service, group.name, event.__topic__, event.__event_type__)
            for error in HANDLER_ERRORS:
                self._read_errors.labels(self._service, group.name, event.__topic__, event.__event_type__, error)
        for topic in group.subscription:
            self._in_flight.labels(group.name, topic)
            self._gap.labels(group.name, topic)
            self._missed.labels(group.name, topic)
        for topic in group.sources:
            for metric in (self._last, self._latency):
                metric.labels(group.name, topic)
            self._processing.labels(self._service, group.name, topic)
            self._read.labels(self._service, group.name, topic, OTHER)
            for reason in SKIP_REASONS:
                self._skipped.labels(group.name, topic, reason)
            for error in HANDLER_ERRORS:
                self._read_errors.labels(self._service, group.name, topic, OTHER, error)
                self._retries.labels(group.name, topic, error)
                self._dead.labels(group.name, topic, error)
        for each in (
            self._duplicates, self._rebalances, self._commit_failures, self._throttled, self._poll_age, self._paused, self._busy_lanes,
            self._held_keys,
        ):  # fmt: skip
            each.labels(group.name)
        for dependency in DEPENDENCIES:
            self._outage.labels(group.name, dependency)

    def _add_publishing(self) -> None:
        self._messages = self._counter("kafka_producer_messages", "Acknowledged by the broker.", _OF_EVENT)
        self._errors = self._counter("kafka_producer_errors", "Finally not published.", (*_OF_EVENT, "error_type"))
        self._delivery = self._histogram(
            "kafka_producer_delivery_duration_seconds", "From produce to acknowledgement.", ("service", "topic")
        )
        self._relayed = self._counter("outbox_published", "Outbox rows acknowledged and deleted.", ("service",))
        self._overtaken = self._counter(
            "outbox_overtaken_messages",
            "Rows that Kafka did not take before it took a later one of their key.",
            ("service", "topic"),
        )
        self._fenced = self._counter("outbox_relay_fenced", "Outbox lanes lost to another relay.", ("service",))
        self._job_runs = self._counter(
            "delay_jobs",
            "Delayed jobs that ended; `failed`: one waits for an operator.",
            ("service", "queue", "outcome"),
        )

    def _add_consuming(self) -> None:
        failing = (*_OF_TOPIC, "error_type")
        self._read = self._counter("kafka_consumer_messages", "Finished attempts, failed ones too.", _OF_READ_EVENT)
        self._read_errors = self._counter("kafka_consumer_errors", "Failed attempts.", (*_OF_READ_EVENT, "error_type"))
        self._retries = self._counter("kafka_consumer_retries", "Failed records to be tried again.", failing)
        self._dead = self._counter("kafka_dlq_messages", "Dead-lettered records.", failing)
        self._duplicates = self._counter("kafka_consumer_duplicates", "The inbox knew the event.", ("consumergroup",))
        self._rebalances = self._counter("kafka_consumer_rebalances", "Changes of assignment.", ("consumergroup",))
        self._commit_failures = self._counter(
            "kafka_consumer_commit_failures", "Not taken by the broker, tried again.", ("consumergroup",)
        )
        self._skipped = self._counter("kafka_consumer_skipped_messages", "Nobody handles it.", (*_OF_TOPIC, "reason"))
        self._missed = self._counter(
            "kafka_consumer_missed_messages", "Deleted by retention before the group read them.", _OF_TOPIC
        )
        self._processing = self._histogram(
            "kafka_consumer_processing_duration_seconds", "Time in the handler.", ("service", "consumergroup", "topic")
        )
        self._latency = self._histogram(
            "kafka_event_latency_seconds", "From the event's time to its effect.", _OF_TOPIC, buckets=LATENCY_BUCKETS
        )

    def _add_gauges(self) -> None:
        self._last = self._gauge("kafka_consumer_last_processed_timestamp_seconds", "When an attempt ended.", _OF_TOPIC)
        self._in_flight = self._gauge("kafka_consumer_in_flight_messages", "Arrived and not finished.", _OF_TOPIC)
        self._gap = self._gauge("kafka_consumer_watermark_gap_messages", "Arrived minus watermark.", _OF_TOPIC)
        self._outage = self._gauge(
            "kafka_consumer_outage", "1: it is away, for a group, `relay` or `delay`.", ("consumergroup", "dependency")
        )
        self._throttled = self._gauge("kafka_consumer_throttled", "1: one record at a time.", ("consumergroup",))
        self._poll_age = self._gauge("kafka_consumer_poll_age_seconds", "Since the last poll.", ("consumergroup",))
        self._paused = self._gauge("kafka_consumer_paused_partitions", "Not fetched now.", ("consumergroup",))
        self._busy_lanes = self._gauge("kafka_consumer_lanes", "Keys with a record in work.", ("consumergroup",))
        self._held_keys = self._gauge(
            "kafka_consumer_held_keys", "Keys whose records wait in a table.", ("consumergroup",)
        )
        self._pending = self._gauge("outbox_pending_messages", "Rows that wait.", ("service",))
        self._oldest = self._gauge("outbox_oldest_pending_timestamp_seconds", "Oldest row; 0: none.", ("service",))
        self._failed_rows = self._gauge("outbox_failed_messages", "Rows refused by the broker.", ("service",))
        self._held_rows = self._gauge(
            "outbox_held_messages", "Keys whose rows wait for an operator, by reason.", ("service", "reason")
        )
        self._lanes = self._gauge("outbox_relay_lanes", "Outbox lanes this relay owns.", ("service",))
        self._jobs = self._gauge("delay_pending_jobs", "Delayed jobs that wait.", ("service", "queue"))
        self._queues: set[str] = set()

    def _published(self, hook: seen.Published) -> None:
        self._messages.labels(self._service, hook.topic, hook.event_type).inc()
        self._delivery.labels(self._service, hook.topic).observe(hook.seconds)

    def _missed_by(self, hook: seen.Missed) -> None:
        self._missed.labels(hook.group, hook.place.topic).inc(hook.until - hook.place.offset)

    def _refused(self, hook: seen.PublishRefused) -> None:
        error = hook.error_type if hook.error_type in PUBLISH_ERRORS else OTHER
        self._errors.labels(self._service, hook.topic, hook.event_type, error).inc()

    def _handled(self, hook: seen.Handled) -> None:
        self._attempted(hook)
        self._latency.labels(hook.group, hook.topic).observe(max(0.0, hook.latency_seconds))

    def _failed(self, hook: seen.Failed) -> None:
        self._attempted(hook)
        error = _handler_error(type(hook.error).__name__)
        self._read_errors.labels(self._service, hook.group, hook.topic, hook.event_type or OTHER, error).inc()

    def _attempted(self, hook: seen.Handled | seen.Failed) -> None:
        self._read.labels(self._service, hook.group, hook.topic, hook.event_type or OTHER).inc()
        self._processing.labels(self._service, hook.group, hook.topic).observe(hook.seconds)
        self._last.labels(hook.group, hook.topic).set(self._now().timestamp())

    def _held(self, hook: seen.OutboxHeld) -> None:
        for reason in HELD_REASONS[:-1]:
            self._held_rows.labels(self._service, reason).set(hook.keys.get(reason, 0))
        others = sum(keys for reason, keys in hook.keys.items() if reason not in HELD_REASONS)
        self._held_rows.labels(self._service, OTHER).set(others)

    def _counter(self, name: str, text: str, labels: Iterable[str]) -> Counter:
        return Counter(name, text, tuple(labels), registry=self._registry)

    def _gauge(self, name: str, text: str, labels: Iterable[str]) -> Gauge:
        return Gauge(name, text, tuple(labels), registry=self._registry)

    def _histogram(
        self, name: str, text: str, labels: Iterable[str], *, buckets: tuple[float, ...] = BUCKETS
    ) -> Histogram:
        return Histogram(name, text, tuple(labels), registry=self._registry, buckets=buckets)


def _handler_error(name: str) -> str:
    """The class name without its module, if it is one of the fixed set: labels must not grow with exceptions."""
    short = name.rpartition(".")[2]
    return short if short in HANDLER_ERRORS else OTHER
