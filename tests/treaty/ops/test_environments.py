"""What an event's ``environments`` leave out: subjects, topics with what follows from them, rights, groups that are looked at."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from tests.cases.markdown import ROOT
from treaty.config import Settings
from treaty.ops.http import RegistryHttp
from treaty.ops.plan import acls
from treaty.ops.plan.environment import within
from treaty.ops.plan.topics import desired
from treaty.ops.registry import plan_registry
from treaty.ops.registry_apply import apply_registry
from treaty.ops.schemas import load_project
from treaty.ops.services import groups_of
from treaty.ops.topics import apply_topics, plan_topics
from treaty.registry.testing import registry
from treaty_codegen import Catalog, load_catalog
from treaty_runtime.admin import Cluster

EVENT = '{"type": "record", "namespace": "mall", "name": "%s", "fields": [{"name": "order_id", "type": "long"}]}'
FILES = {"order_paid.avsc": EVENT % "OrderPaid", "test_event.avsc": EVENT % "TestEvent", "probe.avsc": EVENT % "Probe"}
TOPICS = """format = 1
[topic."{name}"]
doc = "d"
owner = "@o"
key = "order_id"
events = ["mall.OrderPaid", "mall.TestEvent"]
producers = ["order"]
[topic."{name}".event.TestEvent]
environments = ["local", "stage"]
[topic."{name}".consumer."{name}-test-view"]
service = "billing"
events = ["TestEvent"]
[topic."{name}-probes"]
doc = "d"
owner = "@o"
key = "order_id"
events = ["mall.Probe"]
producers = ["probe"]
[topic."{name}-probes".event.Probe]
environments = ["stage"]
[topic."{name}-probes".consumer."{name}-probe-view"]
service = "watch"
[service.billing]
owner = "@o"
code = ""
dead_letter = "dlq.{name}"
retry = ["10s"]
[service.watch]
owner = "@o"
code = ""
dead_letter = "dlq.{name}-probes"
retry = ["10s"]
"""
PROBES = {"t-probes", "dlq.t-probes", "retry.t-probe-view.0s", "retry.t-probe-view.10s"}


def catalog() -> Catalog:
    return load_catalog(FILES, topics=TOPICS.format(name="t"))


def project(folder: Path, name: str) -> Settings:
    (folder / "schemas").mkdir()
    for file, text in FILES.items():
        (folder / "schemas" / file).write_text(text, encoding="utf-8")
    (folder / "schemas" / "topics.toml").write_text(TOPICS.format(name=name), encoding="utf-8")
    (folder / "treaty.toml").write_text("", encoding="utf-8")
    return Settings.load(folder / "treaty.toml", {}, start=folder)


def test_a_topic_without_an_event_is_left_out_with_all_that_follows_from_it() -> None:
    here, there = (set(desired(catalog(), environment=name)) for name in ("prod", "stage"))
    assert there - here == PROBES
    assert here == {"t", "dlq.t", "retry.t-test-view.0s", "retry.t-test-view.10s"}, (
        "who reads a topic that is there gets its records, and needs a place for those that cannot be read"
    )
    assert within(catalog(), "prod").topics["t"].events == ("mall.OrderPaid",)
    assert within(catalog(), "stage") == catalog()


def test_a_topic_that_declares_no_events_is_everywhere() -> None:
    settings = Settings.load(ROOT / "treaty.toml", {}, start=ROOT)
    mall = load_project(settings)
    assert any(not topic.events for topic in mall.topics.values())
    assert within(mall, "prod") == mall


def test_groups_of_other_environments_are_not_looked_at() -> None:
    assert groups_of(within(catalog(), "local")) == {"t-test-view": ["t"]}


def test_a_service_without_work_here_runs_and_loses_what_it_may_elsewhere() -> None:
    everywhere = acls.desired(catalog(), namespace="mall")
    here = acls.desired(within(catalog(), "prod"), namespace="mall", services=catalog().service_names)
    assert here < everywhere
    lost = {right.name for right in everywhere - here}
    assert lost == {*PROBES, "t-probe-view", "treaty-outbox-probe-"}
    _, take = acls.changes(here, everywhere)
    assert {body["principal"] for _, _, body, _ in take} == {"User:mall-probe", "User:mall-watch"}


def test_a_subject_is_registered_where_its_event_is_and_drift_elsewhere(tmp_path: Path) -> None:
    mine = project(tmp_path, "t")
    with registry() as url, RegistryHttp(url) as http:
        here, _ = plan_registry(mine, http, environment="prod")
        assert {step.subject for step in here.steps} == {"t-mall.OrderPaid"}
        there, _ = plan_registry(mine, http, environment="stage")
        apply_registry(there, http, done=lambda *_: None)
        again, _ = plan_registry(mine, http, environment="prod")
    assert again.steps == ()
    assert [(row.subject, row.what) for row in again.drift] == [
        (name, "is in the registry with 1 version, but only in other environments")
        for name in ("t-mall.TestEvent", "t-probes-mall.Probe")
    ]


def test_a_waived_break_of_an_event_is_accepted_where_the_event_is(tmp_path: Path) -> None:
    """The event has environments of its own: whoever judges for none of them would leave it out."""
    mine = project(tmp_path, "t")
    waiver = """[[waiver]]
rule = "type-changed"
event = "mall.Probe"
reason = "nobody wrote any yet"
approved_by = ["@o"]
until = "2026-12-31"
"""
    with registry() as url, RegistryHttp(url) as http:
        made, _ = plan_registry(mine, http, environment="stage")
        apply_registry(made, http, done=lambda *_: None)
        file = tmp_path / "schemas" / "probe.avsc"
        file.write_text(FILES["probe.avsc"].replace('"long"', '"string"'), encoding="utf-8")
        _, blocked = plan_registry(mine, http, environment="stage", today=date(2026, 11, 30))
        assert [row.subject for row in blocked] == ["t-probes-mall.Probe"]
        (tmp_path / "schemas" / "waivers.toml").write_text(waiver, encoding="utf-8")
        made, blocked = plan_registry(mine, http, environment="stage", today=date(2026, 11, 30))
    assert not blocked
    assert [(step.action, step.subject) for step in made.steps] == [
        (action, "t-probes-mall.Probe") for action in ("set-level", "register", "set-level")
    ]


@pytest.mark.kafka
def test_a_topic_is_made_where_an_event_of_it_is_and_drift_elsewhere(
    tmp_path: Path, kafka: str, unique: Callable[[str], str]
) -> None:
    name = unique("orders")
    mine = project(tmp_path, name)
    probes = {topic.replace("t-", f"{name}-") for topic in PROBES}
    with Cluster(kafka) as cluster:
        made = plan_topics(mine, cluster, environment="local")
        assert not probes & {step.subject for step in made.steps}
        assert apply_topics(made, cluster, done=lambda *_: None) == 4
        there = plan_topics(mine, cluster, environment="stage")
        assert {step.subject for step in there.steps} == probes
        apply_topics(there, cluster, done=lambda *_: None)
        again = plan_topics(mine, cluster, environment="local")
        assert again.steps == ()
        told = {row.subject: row.what for row in again.drift}
        assert {told.get(topic) for topic in probes} == {"is on the cluster, but only in other environments"}
