"""Facts about a running stack: events published and handled, lag of every group, the newest effects."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from prometheus_client.parser import text_string_to_metric_families

from treaty.local import rest
from treaty.local.health import ask
from treaty.local.layout import Layout
from treaty.local.shoppers import Shoppers
from treaty.ops.services import groups_of
from treaty_codegen import Catalog
from treaty_runtime.admin import Cluster, ClusterRefused, ClusterUnreachable

PAUSE_SECONDS = 1.0
EFFECTS = 8
PUBLISHED, HANDLED = "kafka_producer_messages_total", "kafka_consumer_messages_total"
DEAD, WAITING = "kafka_dlq_messages_total", "outbox_pending_messages"


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """Something that reached a person because of an event."""

    at: str
    user: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """One look. ``sums`` are totals of all services by metric name; ``lags`` are records behind by consumer group."""

    sums: Mapping[str, float] = field(default_factory=dict)
    lags: Mapping[str, int] = field(default_factory=dict)
    ranking: Sequence[tuple[str, int]] = ()
    effects: Sequence[Effect] = ()
    seconds: float = 0.0

    @property
    def lag(self) -> int:
        """Of all groups together."""
        return sum(self.lags.values())

    def total(self, metric: str) -> int:
        """A metric's sum over all services and labels."""
        return int(self.sums.get(metric, 0))


def sums_of(text: str) -> dict[str, float]:
    """Totals by metric name of a text in Prometheus' exposition format."""
    sums: dict[str, float] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            sums[sample.name] = sums.get(sample.name, 0.0) + sample.value
    return sums


class Meter:
    """Looks once a second in a thread of its own; ``facts`` is the newest look. A context manager."""

    def __init__(self, layout: Layout, *, catalog: Catalog, shoppers: Shoppers, now: Callable[[], datetime]) -> None:
        self.facts = Facts()
        self._layout, self._shoppers, self._now = layout, shoppers, now
        self._groups = groups_of(catalog, without=layout.left_out)
        self._began = now()
        self._seen: dict[int, int] = {}
        self._effects: deque[Effect] = deque(maxlen=EFFECTS)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="meter", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        with Cluster(self._layout.brokers, timeout=5.0) as cluster:
            while True:
                self.facts = self._look(cluster)
                if self._stop.wait(PAUSE_SECONDS):
                    return

    def _look(self, cluster: Cluster) -> Facts:
        found = [self._sums(service) for service in self._layout.services]
        sums = {name: sum(one.get(name, 0.0) for one in found) for name in {name for one in found for name in one}}
        self._find_effects()
        return Facts(
            sums=sums, lags=self._lags(cluster), ranking=self._ranking(), effects=tuple(self._effects),
            seconds=(self._now() - self._began).total_seconds(),
        )  # fmt: skip

    def _sums(self, service: str) -> dict[str, float]:
        try:
            status, body = ask(self._layout.ports[service], "/metrics", timeout=2.0)
            return sums_of(body.decode()) if status == 200 else {}
        except (OSError, ValueError):
            return {}

    def _lags(self, cluster: Cluster) -> dict[str, int]:
        lags = {}
        for group, topics in self._groups.items():
            try:
                lags[group] = sum(cluster.lags(group, topics).values())
            except (ClusterUnreachable, ClusterRefused):
                continue
        return lags

    def _ranking(self) -> list[tuple[str, int]]:
        if "cache" not in self._layout.services:
            return []
        answer = rest.call(self._layout.service_url("cache"), "GET", "/api/v1/ranking/hot?limit=5")
        return [(str(row.get("title") or row["goods_id"]), int(row["score"])) for row in answer.body.get("goods", [])]

    def _find_effects(self) -> None:
        """New notifications of the users to whom something just happened."""
        if "notification" not in self._layout.services:
            return
        for user in self._shoppers.world.recent:
            path = f"/api/v1/notifications?after_sequence={self._seen.get(user, 0)}&limit=100"
            answer = rest.call(self._layout.service_url("notification"), "GET", path, token=self._shoppers.token(user))
            for row in answer.body.get("notifications", []):
                self._seen[user] = max(self._seen.get(user, 0), int(row["sequence"]))
                if datetime.fromisoformat(row["at"]) >= self._began:
                    self._effects.append(effect_of(user, row))


def effect_of(user: int, row: Mapping[str, Any]) -> Effect:
    """One row of an inbox as the live view shows it."""
    return Effect(at=str(row["at"])[11:19], user=user, text=f"{row['title']}: {row['body']}")
