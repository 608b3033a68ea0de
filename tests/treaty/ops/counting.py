"""What a process of a service shows at ``/metrics`` after it handled events."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from uuid import UUID

from treaty_runtime import hooks
from treaty_runtime.event import Place
from treaty_runtime.handlers import Group
from treaty_runtime.metrics import Metrics


def metrics(service: str, *read: tuple[str, str, str], times: int = 1, groups: Iterable[Group] | None = None) -> str:
    """The text, after ``read``: (group, topic, type) of each event. ``groups``: those that the service declares."""
    counting = Metrics(service, now=lambda: datetime(2026, 1, 1, tzinfo=UTC))
    if groups is not None:
        counting.declare(groups=list(groups), events=[])
    for group, topic, event_type in read * times:
        counting(
            hooks.Handled(
                group=group,
                topic=topic,
                event_type=event_type,
                event_id=UUID(int=1),
                place=Place(topic, 0, 0),
                attempt=1,
                handler="handle",
                seconds=0.1,
                latency_seconds=0.1,
            )
        )
    return counting.text().decode()
