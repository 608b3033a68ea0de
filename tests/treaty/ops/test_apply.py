"""Plan and apply against a real registry and a real broker: what git says comes true, and a second plan is empty."""

from __future__ import annotations

import gzip
import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import httpx
import pytest

from tests.cases.markdown import ROOT
from tests.parts.waiting import wait_until
from treaty.config import Settings
from treaty.errors import EnvironmentFault, UsageError
from treaty.ops.against import Against
from treaty.ops.ci import Asked, told_of_topics
from treaty.ops.http import RegistryHttp, RegistryMoved, RegistryUnreachable
from treaty.ops.plan.topics import plan as topics_plan
from treaty.ops.registry import plan_registry
from treaty.ops.registry_apply import apply_registry
from treaty.ops.topics import ClusterMoved, apply_topics, plan_topics
from treaty.registry.testing import registry
from treaty_runtime.admin import Cluster

SUBJECT = "order-events-mall.order.OrderCreated"


@pytest.fixture(scope="module")
def settings() -> Settings:
    return Settings.load(ROOT / "treaty.toml", {}, start=ROOT)


@pytest.fixture
def http() -> Iterator[RegistryHttp]:
    with registry() as url, RegistryHttp(url) as client:
        yield client


def test_a_plan_after_apply_is_empty_and_ids_stay(settings: Settings, http: RegistryHttp) -> None:
    made, blocked = plan_registry(settings, http, environment="local")
    assert not blocked
    done: list[str] = []
    assert (
        apply_registry(made, http, done=lambda _, outcome: done.append(outcome)).changed == len(made.steps) == len(done)
    )
    assert http.level(SUBJECT) == "FULL_TRANSITIVE"
    again, _ = plan_registry(settings, http, environment="local")
    assert (again.steps, again.drift) == ((), ())
    assert apply_registry(made, http, done=lambda *_: None).changed == 0, "the same plan may be run again"


@pytest.mark.long
def test_apply_cut_off_ever_later_goes_on_where_it_was_and_ends_the_same(settings: Settings) -> None:
    """The transport fails for good at the n-th call, for n = 0, 1, 2 …, until an apply gets through."""
    with registry() as url:
        with RegistryHttp(url) as client:
            made, _ = plan_registry(settings, client, environment="local")
        calls = 0
        while True:
            with RegistryHttp(url, transport=DiesAfter(calls), sleep=lambda _: None) as client:
                try:
                    apply_registry(made, client, done=lambda *_: None)
                    break
                except RegistryUnreachable:
                    calls += 1
        assert calls > len(made.steps) // 2, "each subject's level is looked at every time"
        with RegistryHttp(url) as client:
            again, _ = plan_registry(settings, client, environment="local")
            assert (again.steps, again.drift) == ((), ())
            assert all(list(client.versions(subject)) == [1] for subject in client.subjects())


class DiesAfter(httpx.BaseTransport):
    """Passes the first calls on and refuses all later ones."""

    def __init__(self, calls: int) -> None:
        self._calls = calls
        self._numbers = itertools.count()  # its next() is one step for all threads
        self._real = httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if next(self._numbers) >= self._calls:
            raise httpx.ConnectError("gone")
        return self._real.handle_request(request)


def test_a_registry_that_moved_is_refused_and_says_what_was_found(settings: Settings, http: RegistryHttp) -> None:
    made, _ = plan_registry(settings, http, environment="local")
    http.register(SUBJECT, '{"type": "record", "name": "Other", "fields": []}')
    with pytest.raises(RegistryMoved, match="expected None, found 1"):
        apply_registry(made, http, done=lambda *_: None)


def test_a_plan_runs_at_no_other_registry_than_the_one_it_was_made_for(settings: Settings, http: RegistryHttp) -> None:
    made, _ = plan_registry(settings, http, environment="local")
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        return httpx.Response(200, json={})

    with (
        RegistryHttp("http://other:1", transport=httpx.MockTransport(answer)) as other,
        pytest.raises(UsageError, match=rf"made for {http.host}, but .* is now other:1"),
    ):
        apply_registry(made, other, done=lambda *_: None)
    assert asked == []


def test_a_plan_runs_at_no_other_cluster_than_the_one_it_was_made_for() -> None:
    made = topics_plan({}, {}, environment="local", target="kafka:9092", git_commit="")
    with (
        Cluster("localhost:1") as other,
        pytest.raises(UsageError, match=r"made for kafka:9092, .* is now localhost:1"),
    ):
        apply_topics(made, other, done=lambda *_: None)


def test_an_answer_that_is_no_registry_is_said_so(settings: Settings) -> None:
    html = httpx.MockTransport(lambda _: httpx.Response(200, text="<html>"))
    with (
        RegistryHttp("http://proxy:1", transport=html) as client,
        pytest.raises(EnvironmentFault, match="without JSON"),
    ):
        client.subjects()


ODD: tuple[bytes, ...] = (b"{}", b"null", b'"x"', b"1", b"[1]", b"[" * 100_000, b'{"id": "x", "schema": null}')


@pytest.mark.parametrize("body", ODD, ids=lambda body: body[:12].decode())
def test_json_that_no_registry_answers_is_said_so_too(body: bytes) -> None:
    odd = httpx.MockTransport(lambda _: httpx.Response(200, content=body))
    with RegistryHttp("http://proxy:1", transport=odd) as client:
        for question in (client.level, client.versions, lambda subject: client.register(subject, '"int"')):
            with pytest.raises(EnvironmentFault, match="is it a schema registry"):
                question(SUBJECT)


def test_an_answer_without_end_is_not_taken_in() -> None:
    packed = gzip.compress(b" " * 40_000_000)
    bomb = httpx.MockTransport(lambda _: httpx.Response(200, content=packed, headers={"Content-Encoding": "gzip"}))
    with RegistryHttp("http://proxy:1", transport=bomb) as client, pytest.raises(EnvironmentFault, match="more than"):
        client.subjects()


def test_an_address_that_is_no_url_is_refused_without_showing_it() -> None:
    with pytest.raises(UsageError) as refused:
        RegistryHttp("http://user:hunter2@host\0")
    assert "hunter2" not in str(refused.value)


def test_a_busy_registry_is_asked_again_as_late_as_it_says_and_not_for_ever() -> None:
    slept: list[float] = []
    busy = httpx.MockTransport(
        lambda _: httpx.Response(503, json={"error_code": 50001}, headers={"Retry-After": "900"})
    )
    with RegistryHttp("http://r:1", transport=busy, sleep=slept.append) as client, pytest.raises(RegistryUnreachable):
        client.subjects()
    assert slept == [6.0] * 4


def test_credentials_do_not_follow_a_redirect_to_another_host() -> None:
    seen: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.host)
        return httpx.Response(302, headers={"Location": "http://evil/subjects"}, json={})

    with (
        RegistryHttp("http://r:1", token="secret", transport=httpx.MockTransport(answer)) as client,
        pytest.raises(EnvironmentFault),
    ):
        client.subjects()
    assert seen == ["r"]


TOPIC = """format = 1
[defaults]
partitions = 2
retention = "2h"
[topic."{name}"]
doc = "d"
owner = "@o"
key = "order_id"
events = ["mall.order.OrderPlaced"]
producers = ["order"]
[topic."{name}".consumer."{name}-view"]
service = "order"
[service.order]
owner = "@o"
code = "x"
dead_letter = "dlq.{name}"
"""
PLACED = """{"type": "record", "namespace": "mall.order", "name": "OrderPlaced", "doc": "d", "fields": [
  {"name": "order_id", "type": "long", "doc": "d"}]}"""


@pytest.mark.kafka
def test_topics_become_what_git_says_and_a_second_plan_is_empty(
    tmp_path: Path, kafka: str, unique: Callable[[str], str]
) -> None:
    name = unique("orders")
    (tmp_path / "schemas" / "order").mkdir(parents=True)
    (tmp_path / "schemas" / "order" / "order_placed.avsc").write_text(PLACED, encoding="utf-8")
    (tmp_path / "schemas" / "topics.toml").write_text(TOPIC.format(name=name), encoding="utf-8")
    (tmp_path / "treaty.toml").write_text("", encoding="utf-8")
    mine = Settings.load(tmp_path / "treaty.toml", {}, start=tmp_path)
    with Cluster(kafka) as cluster:
        made = plan_topics(mine, cluster, environment="local")
        asked = Asked(settings=mine, against=Against(environment="local"), today=date.min, cluster=cluster)
        assert told_of_topics(asked).startswith("Topics plan for local: 5 creations, 0 changes, 0 deletes, ")
        assert apply_topics(made, cluster, done=lambda *_: None) == len(made.steps) == 5
        assert told_of_topics(asked).startswith("Topics plan for local: 0 creations, ")
        assert plan_topics(mine, cluster, environment="local").steps == ()
        assert apply_topics(made, cluster, done=lambda *_: None) == 0, "the same plan may be run again"
        facts = cluster.topics()[name]
        assert (facts.partitions, facts.config["retention.ms"]) == (2, "7200000")
        cluster.alter(name, {"retention.ms": "1000"})
        # A broker shows a setting a moment after the controller has taken it.
        (step,) = wait_until(lambda: plan_topics(mine, cluster, environment="local").steps)
        assert (step.action, step.after) == ("alter-config", {"retention.ms": "7200000"})


@pytest.mark.kafka
def test_a_buried_topic_is_deleted_and_only_that_one(tmp_path: Path, kafka: str, unique: Callable[[str], str]) -> None:
    name, old, left = unique("orders"), unique("old"), unique("left")
    (tmp_path / "schemas" / "order").mkdir(parents=True)
    (tmp_path / "schemas" / "order" / "order_placed.avsc").write_text(PLACED, encoding="utf-8")
    removed = f"""[[removed]]\ntopic = "{old}"\nreason = "r"\napproved_by = "@o"\npermanent_after = 2026-12-01\n"""
    (tmp_path / "schemas" / "topics.toml").write_text(TOPIC.format(name=name) + removed, encoding="utf-8")
    (tmp_path / "treaty.toml").write_text("", encoding="utf-8")
    mine = Settings.load(tmp_path / "treaty.toml", {}, start=tmp_path)
    day_after = date(2026, 12, 2)
    with Cluster(kafka) as cluster:
        for topic in (old, left):
            cluster.create(topic, partitions=2, replication=1, config={})
        cluster.await_topics([old, left])
        assert "delete-topic" not in [step.action for step in plan_topics(mine, cluster, environment="local").steps]
        made = plan_topics(mine, cluster, environment="local", today=day_after)
        assert (made.steps[-1].action, made.steps[-1].subject, made.steps[-1].before) == ("delete-topic", old, 2)
        moved = replace(made, steps=(*made.steps[:-1], replace(made.steps[-1], before=7)))
        with pytest.raises(ClusterMoved, match="expected 7 partitions, found 2"):
            apply_topics(moved, cluster, done=lambda *_: None)
        assert apply_topics(made, cluster, done=lambda *_: None) == 1, "the others were done before it"
        assert apply_topics(made, cluster, done=lambda *_: None) == 0, "the same plan may be run again"
        assert {left, name} <= cluster.topics().keys()
        assert old not in cluster.topics()
        assert plan_topics(mine, cluster, environment="local", today=day_after).steps == ()


def test_a_cluster_that_does_not_answer_is_said_so_with_its_address(settings: Settings, port: int) -> None:
    with Cluster(f"127.0.0.1:{port}", timeout=1) as cluster, pytest.raises(EnvironmentFault, match=str(port)):
        plan_topics(settings, cluster, environment="local")
