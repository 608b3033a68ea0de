"""The registry's Prometheus metrics: an observer and its exposition."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Final, Literal

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from treaty.registry.observation import (
    Answered,
    AuditDropped,
    Changed,
    Checked,
    Failed,
    Record,
    Refused,
    Registered,
    Remembered,
    Retried,
    Stored,
)

CONTENT_TYPE: Final = CONTENT_TYPE_LATEST


class Metrics:
    """Counts what it is told of; one instance an application, so that tests do not share counters."""

    def __init__(self, *, shared_folder: Path | None = None) -> None:
        """``shared_folder``: the one that ``PROMETHEUS_MULTIPROC_DIR`` named when this process began, if it did."""
        self._registry = CollectorRegistry()
        self._shared_folder = shared_folder
        at = self._registry
        prefix = "schema_registry"
        self._requests = Counter(
            f"{prefix}_http_requests", "Requests answered.", ["method", "route", "code"], registry=at
        )
        self._seconds = Histogram(
            f"{prefix}_http_request_duration_seconds", "How long answers took.", ["method", "route"], registry=at
        )
        self._registrations = Counter(f"{prefix}_registrations", "Registrations by outcome.", ["outcome"], registry=at)
        self._checks = Counter(
            f"{prefix}_compatibility_checks", "Compatibility checks.", ["level", "result"], registry=at
        )
        self._hits = Counter(f"{prefix}_cache_hits", "Answers found in a cache.", ["cache"], registry=at)
        self._misses = Counter(f"{prefix}_cache_misses", "Answers not found in a cache.", ["cache"], registry=at)
        self._store_seconds = Histogram(
            f"{prefix}_store_seconds", "How long the store took.", ["operation"], registry=at
        )
        self._retries = Counter(f"{prefix}_store_retries", "Decisions made again after a conflict.", registry=at)
        self._faults = Counter(f"{prefix}_faults", "Requests that ended in an error of ours.", registry=at)
        self._refusals = Counter(f"{prefix}_refusals", "Requests turned away, by status.", ["code"], registry=at)
        self._dropped = Counter(f"{prefix}_audit_dropped", "Refusals that were not written down.", registry=at)
        # Among several processes the last word counts: each reads the same numbers out of the store.
        newest: Literal["mostrecent"] = "mostrecent"
        self._subjects = Gauge(
            f"{prefix}_subjects", "Subjects with a live version.", registry=at, multiprocess_mode=newest
        )
        self._schemas = Gauge(f"{prefix}_schemas", "Schemas stored.", registry=at, multiprocess_mode=newest)
        info = Gauge(f"{prefix}_build_info", "Version of treaty.", ["version"], registry=at, multiprocess_mode=newest)
        info.labels(version("treaty")).set(1)

    def observe(self, record: Record) -> None:
        """Count one record."""
        match record:
            case Answered(method, route, status, seconds):
                self._requests.labels(method, route, str(status)).inc()
                self._seconds.labels(method, route).observe(seconds)
            case Registered(outcome):
                self._registrations.labels(outcome).inc()
            case Checked(level, result):
                self._checks.labels(level, result).inc()
            case Remembered(cache, hit):
                (self._hits if hit else self._misses).labels(cache).inc()
            case Stored(operation, seconds):
                self._store_seconds.labels(operation).observe(seconds)
            case Changed():
                """A line of the log, and counted as what it was: a registration, a request."""
            case Retried():
                self._retries.inc()
            case Refused(status):
                self._refusals.labels(str(status)).inc()
            case AuditDropped(count):
                self._dropped.inc(count)
            case Failed():
                self._faults.inc()

    def exposition(self, *, subjects: int, schemas: int) -> str:
        """All metrics in Prometheus' text format."""
        self._subjects.set(subjects)
        self._schemas.set(schemas)
        if self._shared_folder is None:
            return generate_latest(self._registry).decode()
        everybody = CollectorRegistry()
        MultiProcessCollector(everybody, path=str(self._shared_folder))  # type: ignore[no-untyped-call]  # the library gives it no types
        return generate_latest(everybody).decode()
