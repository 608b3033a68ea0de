"""Observed readers of the mall: the names that its services count by are those that `topics.toml` declares."""

from __future__ import annotations

from uuid import UUID

from tests.cases.markdown import ROOT
from tests.mall.own_groups import own_groups
from treaty.config import Settings
from treaty.ops.observed import observed
from treaty.ops.schemas import load_project
from treaty_runtime import hooks
from treaty_runtime.event import Place
from treaty_runtime.metrics import Metrics


def test_every_event_that_a_service_handles_is_observed_as_declared() -> None:
    catalog = load_project(Settings.load(ROOT / "treaty.toml", {}, start=ROOT))
    texts = []
    for service, groups in own_groups().items():
        metrics = Metrics(service)
        metrics.declare(groups=groups, events=[])
        for group in groups:
            for event in group.handlers.events:
                metrics(handled(group.name, event.__topic__, event.__event_type__))
        texts.append(metrics.text().decode())
    found = observed(catalog, texts)
    assert len(found) > 20
    assert [each for each in found if each.kind != "observed"] == []


def handled(group: str, topic: str, event_type: str) -> hooks.Handled:
    return hooks.Handled(
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
