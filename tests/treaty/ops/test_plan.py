"""What apply would do, decided without a registry or a cluster."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import date

import pytest

from treaty.errors import UsageError
from treaty.ops.plan import NotReviewed, Plan, registry, topics
from treaty.ops.plan.registry import Observed
from treaty.ops.plan.topics import TopicState
from treaty_codegen import Catalog, load_catalog

PLACED = """{"type": "record", "namespace": "mall.order", "name": "OrderPlaced", "doc": "d", "fields": [
  {"name": "order_id", "type": "long", "doc": "d"}%s]}"""
TOPICS = """format = 1
[topic."order-events"]
doc = "d"
owner = "@o"
key = "order_id"
events = ["mall.order.OrderPlaced"]
producers = ["order"]
[topic."order-events".consumer."order-view"]
service = "order"
[topic."order-events".consumer."push-*"]
service = "order"
[service.order]
owner = "@o"
code = "x"
dead_letter = "dlq.order"
"""
SUBJECT = "order-events-mall.order.OrderPlaced"


def catalog(*, extra: str = "", topics_text: str = TOPICS) -> Catalog:
    return load_catalog({"order/order_placed.avsc": PLACED % extra}, topics=topics_text)


def registry_plan(
    actual: dict[str, Observed], *, of: Catalog | None = None
) -> tuple[Plan, tuple[registry.Blocked, ...]]:
    wanted = registry.desired(of or catalog(), environment="local")
    return registry.plan(wanted, actual, environment="local", target="host", git_commit="c")


def text() -> str:
    return registry.desired(catalog(), environment="local")[0].text


def test_an_empty_registry_gets_the_level_before_the_first_version() -> None:
    made, blocked = registry_plan({})
    assert [(step.action, step.subject, step.after if step.action == "set-level" else None) for step in made.steps] == [
        ("set-level", SUBJECT, "FULL_TRANSITIVE"),
        ("register", SUBJECT, None),
    ]
    assert not blocked


def test_a_registry_that_says_the_same_needs_nothing() -> None:
    made, blocked = registry_plan({SUBJECT: Observed(level="FULL_TRANSITIVE", versions={1: text()})})
    assert (made.steps, made.drift, blocked) == ((), (), ())


def test_another_print_of_the_same_schema_needs_nothing() -> None:
    printed = json.dumps(json.loads(text()), indent=3, sort_keys=True)
    made, _ = registry_plan({SUBJECT: Observed(level="FULL_TRANSITIVE", versions={1: printed})})
    assert made.steps == ()


def test_a_subject_that_git_does_not_know_is_drift_and_never_deleted() -> None:
    made, _ = registry_plan({"stranger-value": Observed(level=None, versions={1: '"string"', 2: '"bytes"'})})
    assert [row.subject for row in made.drift] == ["stranger-value"]
    assert "stranger-value" not in [step.subject for step in made.steps]


def test_a_text_that_would_break_a_live_version_is_blocked_with_the_registrys_words() -> None:
    broken = catalog(extra=', {"name": "note", "type": "string", "doc": "d"}')
    _, blocked = registry_plan({SUBJECT: Observed(level="FULL_TRANSITIVE", versions={3: text()})}, of=broken)
    assert [(row.subject, row.version) for row in blocked] == [(SUBJECT, 3)]
    assert "READER_FIELD_MISSING_DEFAULT_VALUE" in blocked[0].messages[0]


def test_a_saved_plan_reads_back_equal_and_a_changed_one_is_refused() -> None:
    made, _ = registry_plan({})
    assert Plan.from_json(made.to_json()) == made
    body = json.loads(made.to_json())
    body["steps"][0]["after"] = "NONE"
    with pytest.raises(UsageError, match="changed after it was made"):
        Plan.from_json(json.dumps(body))


@pytest.mark.parametrize("junk", ["", "null", "[]", "{}", '{"format": 1}', "[" * 100_000])
def test_a_file_that_is_no_plan_is_refused(junk: str) -> None:
    with pytest.raises(UsageError, match="not a plan"):
        Plan.from_json(junk)


def topic_plan(actual: dict[str, TopicState], *, may_repartition: bool = False) -> Plan:
    wanted = topics.desired(catalog(), environment="local")
    return topics.plan(wanted, actual, environment="local", target="k", git_commit="c", may_repartition=may_repartition)


def test_retry_and_dead_letter_topics_follow_from_who_reads_what() -> None:
    names = set(topics.desired(catalog(), environment="local"))
    assert names == {
        "order-events",
        "dlq.order",
        "retry.order-view.0s",
        "retry.order-view.10s",
        "retry.order-view.60s",
    }, "a group of one process each has no retry topics"


def test_a_cluster_that_is_as_git_says_needs_nothing() -> None:
    made = topic_plan(topics.desired(catalog(), environment="local"))
    assert (made.steps, made.drift) == ((), ())


def test_settings_are_altered_and_only_the_different_ones() -> None:
    actual = topics.desired(catalog(), environment="local")
    actual["order-events"] = TopicState(
        partitions=3, replication=1, config={**actual["order-events"].config, "retention.ms": "1"}
    )
    (step,) = topic_plan(actual).steps
    assert (step.action, step.before, step.after) == (
        "alter-config",
        {"retention.ms": "1"},
        {"retention.ms": "604800000"},
    )


@pytest.mark.parametrize(
    ("partitions", "may", "steps", "drifts"), [(1, False, 0, 1), (1, True, 1, 0), (6, False, 0, 1), (6, True, 0, 1)]
)
def test_partitions_grow_only_when_asked_and_never_shrink(partitions: int, may: bool, steps: int, drifts: int) -> None:
    actual = topics.desired(catalog(), environment="local")
    actual["order-events"] = TopicState(partitions=partitions, replication=1, config=actual["order-events"].config)
    made = topic_plan(actual, may_repartition=may)
    assert (len(made.steps), len(made.drift)) == (steps, drifts)


def test_topics_that_git_does_not_know_are_drift_but_not_kafkas_own() -> None:
    actual = topics.desired(catalog(), environment="local")
    actual |= {
        name: TopicState(partitions=1, replication=1) for name in ("__consumer_offsets", "_schemas", "left-over")
    }
    assert [row.subject for row in topic_plan(actual).drift] == ["left-over"]


BURIED = (
    TOPICS
    + """
[[removed]]
event = "mall.order.OrderArchived"
topic = "order-events"
reason = "replaced"
approved_by = "@o"
soft_after = 2026-12-01
permanent_after = 2027-06-01
"""
)
ARCHIVED = "order-events-mall.order.OrderArchived"


@pytest.mark.parametrize(
    ("today", "is_deleted", "actions"),
    [
        (date(2026, 12, 1), False, []),
        (date(2026, 12, 2), False, [("soft-delete", [1, 2])]),
        (date(2026, 12, 2), True, []),
        (date(2027, 6, 2), False, [("soft-delete", [1, 2]), ("permanent-delete", None)]),
        (date(2027, 6, 2), True, [("permanent-delete", None)]),
    ],
)
def test_a_tombstone_deletes_after_its_day_and_last(
    today: date, is_deleted: bool, actions: list[tuple[str, list[int] | None]]
) -> None:
    buried = registry.burials(catalog(topics_text=BURIED), today=today)
    seen = Observed(level=None, versions={} if is_deleted else {1: '"int"', 2: '"long"'}, is_deleted=is_deleted)
    wanted = registry.desired(catalog(), environment="local")
    made, _ = registry.plan(wanted, {ARCHIVED: seen}, environment="local", target="host", git_commit="c", buried=buried)
    assert [(step.action, step.before) for step in made.steps if "delete" in step.action] == actions
    assert [step.action for step in made.steps][:2] == ["set-level", "register"]
    assert made.drift == (), "what has a tombstone waits, and is no drift"


def test_a_buried_topic_takes_all_its_subjects_but_none_that_git_wants() -> None:
    whole = BURIED.replace('event = "mall.order.OrderArchived"\n', "")
    buried = registry.burials(catalog(topics_text=whole), today=date(2027, 12, 1))
    seen = Observed(level="FULL_TRANSITIVE", versions={1: text()})
    wanted = registry.desired(catalog(), environment="local")
    actual = {SUBJECT: seen, ARCHIVED: seen, "other-value": seen}
    made, _ = registry.plan(wanted, actual, environment="local", target="host", git_commit="c", buried=buried)
    assert [(step.action, step.subject) for step in made.steps] == [
        ("soft-delete", ARCHIVED),
        ("permanent-delete", ARCHIVED),
    ]
    assert [row.subject for row in made.drift] == ["other-value"]


def test_a_waived_break_lifts_the_level_in_sight_and_puts_it_back() -> None:
    changed = catalog(extra=', {"name": "n", "type": "string", "doc": "d"}')
    wanted = registry.desired(changed, environment="local")
    actual = {SUBJECT: Observed(level="FULL_TRANSITIVE", versions={1: text()})}
    made, blocked = registry.plan(
        wanted, actual, environment="local", target="host", git_commit="c", accepted={"mall.order.OrderPlaced"}
    )
    assert blocked == ()
    assert [(step.action, step.before if step.action == "set-level" else None) for step in made.steps] == [
        ("set-level", "FULL_TRANSITIVE"),
        ("register", None),
        ("set-level", "NONE"),
    ]
    _, blocked = registry.plan(wanted, actual, environment="local", target="host", git_commit="c")
    assert [row.subject for row in blocked] == [SUBJECT]


def topics_plan(topics_text: str, actual: dict[str, TopicState], *, today: date, shows_internal: bool = False) -> Plan:
    mine = catalog(topics_text=topics_text)
    return topics.plan(
        topics.desired(mine, environment="local"),
        actual,
        environment="local",
        target="k",
        git_commit="c",
        buried=topics.burials(mine, today=today),
        shows_internal=shows_internal,
    )


BURIED_TOPIC = """
[[removed]]
topic = "old-events"
reason = "nobody reads it"
approved_by = "@o"
soft_after = 2026-12-01
permanent_after = 2027-06-01
"""


@pytest.mark.parametrize(
    ("today", "is_deleted"), [(date(2026, 12, 2), False), (date(2027, 6, 1), False), (date(2027, 6, 2), True)]
)
def test_a_topic_is_deleted_after_the_last_day_of_its_tombstone_and_last_of_all(today: date, is_deleted: bool) -> None:
    """Kafka keeps nothing of a deleted topic, so the day of soft deletion deletes none."""
    actual = topics.desired(catalog(), environment="local")
    del actual["dlq.order"]
    actual |= {name: TopicState(partitions=3, replication=1) for name in ("old-events", "other-events")}
    made = topics_plan(TOPICS + BURIED_TOPIC, actual, today=today)
    wanted = [("create", "dlq.order"), *([("delete-topic", "old-events")] if is_deleted else [])]
    assert [(step.action, step.subject) for step in made.steps] == wanted
    assert [row.subject for row in made.drift] == ["other-events"], "what has a tombstone waits, and is no drift"


@pytest.mark.parametrize("name", ["order-events", "_schemas", "dlq.order", "retry.order-view.10s"])
def test_a_topic_that_git_wants_and_one_of_a_tool_stays_whatever_a_tombstone_says(name: str) -> None:
    actual = topics.desired(catalog(), environment="local") | {"_schemas": TopicState(partitions=1, replication=1)}
    made = topics_plan(TOPICS + BURIED_TOPIC.replace("old-events", name), actual, today=date(2030, 1, 1))
    assert made.steps == ()


def test_a_tombstone_of_an_event_deletes_no_topic() -> None:
    actual = topics.desired(catalog(), environment="local") | {"old-events": TopicState(partitions=3, replication=1)}
    buried = TOPICS + BURIED_TOPIC.replace("topic =", 'event = "mall.order.OrderGone"\ntopic =')
    made = topics_plan(buried, actual, today=date(2030, 1, 1))
    assert (made.steps, [row.subject for row in made.drift]) == ((), ["old-events"])


def test_topics_of_tools_are_shown_when_asked_for() -> None:
    actual = topics.desired(catalog(), environment="local")
    actual |= {"__consumer_offsets": TopicState(partitions=50, replication=1)}
    shown = topics_plan(TOPICS, actual, today=date(2026, 1, 1), shows_internal=True)
    assert (shown.steps, [row.subject for row in shown.drift]) == ((), ["__consumer_offsets"])


def test_all_that_a_registry_said_is_in_the_digest_of_it() -> None:
    seen = Observed(level="FULL", versions={1: text()})
    told = [
        seen,
        replace(seen, level=None),
        replace(seen, versions={2: text()}),
        replace(seen, is_deleted=True),
        replace(seen, refers_to=frozenset({"mall.Currency"})),
    ]
    assert len({registry_plan({SUBJECT: each})[0].actual_sha256 for each in told}) == len(told)
    one, other = (replace(seen, refers_to=frozenset(names)) for names in (("a", "b", "c"), ("c", "b", "a")))
    assert registry.digest_of({SUBJECT: one}) == registry.digest_of({SUBJECT: other}), "whatever its order"


def test_a_version_that_git_never_had_is_drift_and_one_of_the_past_is_none() -> None:
    strange = json.dumps(json.loads(text()) | {"doc": "registered by hand"})
    former = json.dumps(json.loads(text()) | {"doc": "released once"})
    actual = {SUBJECT: Observed(level="FULL_TRANSITIVE", versions={1: former, 2: strange, 3: text()})}
    wanted = registry.desired(catalog(), environment="local")
    past = {"mall.order.OrderPlaced": (json.dumps(json.loads(former), indent=1),)}

    def drift(history: registry.History) -> list[str]:
        made, _ = registry.plan(wanted, actual, environment="local", target="h", git_commit="c", history=history)
        assert made.steps == ()
        return [row.what.split(" is ")[0] for row in made.drift]

    assert drift(registry.History(texts=past)) == ["version 2"]
    applied = frozenset(hashlib.sha256(each.encode()).hexdigest() for each in (former, strange))
    assert drift(registry.History(applied=applied)) == []
    assert drift(registry.NO_HISTORY) == ["version 1", "version 2"]


def test_another_print_is_explained() -> None:
    wanted = registry.desired(catalog(), environment="local")
    body = json.loads(text())
    spread = json.dumps(body, indent=2)
    named = json.dumps({**body, "name": "mall.order.OrderPlaced", "namespace": "elsewhere"})
    actual = {SUBJECT: Observed(level=None, versions={1: spread, 2: named, 3: text()})}
    rows = [(number, why.rpartition(" only in ")[2]) for _, number, why in registry.explained(wanted, actual)]
    assert rows == [(1, "white space or the order of members"), (2, "how names and namespaces are written")]


def test_two_plans_of_the_same_steps_are_the_same_to_reviewers() -> None:
    made, _ = registry_plan({})
    other = replace(made, git_commit="another", actual_sha256="0")
    assert made.sha256 != other.sha256
    other.require_reviewed(made.steps_sha256)
    other.require_reviewed(made.steps_sha256[:12])
    for wrong in ("", made.steps_sha256[:11], made.sha256):
        with pytest.raises(NotReviewed, match="not those that were reviewed"):
            other.require_reviewed(wrong)
    fewer = replace(made, steps=made.steps[:1])
    with pytest.raises(NotReviewed):
        fewer.require_reviewed(made.steps_sha256)
