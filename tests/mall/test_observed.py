"""Observed readers of the mall: the names that its services count by are those that `topics.toml` declares."""

from __future__ import annotations

from tests.cases.markdown import ROOT
from tests.mall.own_groups import own_groups
from tests.treaty.ops.counting import metrics
from treaty.config import Settings
from treaty.ops.observed import observed
from treaty.ops.schemas import load_project


def test_every_event_that_a_service_handles_is_observed_as_declared() -> None:
    catalog = load_project(Settings.load(ROOT / "treaty.toml", {}, start=ROOT))
    texts = []
    for service, groups in own_groups().items():
        handled = (
            (group.name, event.__topic__, event.__event_type__) for group in groups for event in group.handlers.events
        )
        texts.append(metrics(service, *handled, groups=groups))
    found = observed(catalog, texts)
    assert len(found) > 20
    assert [each for each in found if each.kind != "observed"] == []
