"""Git against a cluster: which topics to create and which settings to alter. Pure.

Retry and dead-letter topics are derived from who reads what, so nobody has to remember them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from typing import Any, Final

from treaty.ops.plan import Drift, Plan, digest, numbered
from treaty.ops.plan.environment import within
from treaty_codegen import Catalog, Consumer, Topic, for_env
from treaty_runtime.retry import RetryPolicy

DEAD_LETTER_RETENTION = timedelta(hours=720)


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicState:
    """A topic as it should be or as it is; ``config`` holds only what git speaks of (Kafka's names, values as text)."""

    partitions: int
    replication: int
    config: Mapping[str, str] = field(default_factory=dict)


def desired(catalog: Catalog, *, environment: str) -> dict[str, TopicState]:
    """Every topic that an environment has, by name: the declared ones, then retry and dead-letter topics of their readers."""
    return states(within(catalog, environment), environment)


def elsewhere(catalog: Catalog, *, environment: str) -> frozenset[str]:
    """The topics that only other environments have: all their events are left out of this one."""
    return frozenset(states(catalog, environment)) - frozenset(desired(catalog, environment=environment))


def states(catalog: Catalog, environment: str) -> dict[str, TopicState]:
    """Every topic of a catalog with the values of one environment."""
    topics = {topic.name: declared(topic, environment) for topic in catalog.topics.values()}
    for name, state in derived(catalog, topics):
        topics.setdefault(name, state)  # a [topic] of that name overrides
    return dict(sorted(topics.items()))


def declared(topic: Topic, environment: str) -> TopicState:
    """A topic of ``topics.toml`` with the values of one environment."""
    config = {key: for_env(values, environment) for key, values in topic.config.items()}
    config |= {"retention.ms": milliseconds(for_env(topic.retention, environment)), "cleanup.policy": topic.cleanup}
    return TopicState(
        partitions=for_env(topic.partitions, environment),
        replication=for_env(topic.replication, environment),
        config=dict(sorted(config.items())),
    )


def derived(catalog: Catalog, topics: Mapping[str, TopicState]) -> Iterator[tuple[str, TopicState]]:
    """Name and state of each retry and dead-letter topic: as many partitions as the widest topic read, as safe as the safest."""
    for service in catalog.services.values():
        sources = [topic for topic in catalog.topics.values() if readers(topic, service.name)]
        if not sources:
            continue
        replication = max(topics[topic.name].replication for topic in sources)
        isr = [topics[topic.name].config.get("min.insync.replicas") for topic in sources]
        config = {"cleanup.policy": "delete", "retention.ms": milliseconds(DEAD_LETTER_RETENTION)}
        config |= {"min.insync.replicas": next(value for value in isr if value)} if any(isr) else {}
        config = dict(sorted(config.items()))
        yield service.dead_letter, TopicState(partitions=1, replication=replication, config=config)
        for group in sorted({reader.group for topic in sources for reader in readers(topic, service.name)}):
            if group.endswith("-*"):
                continue  # one group a process: its failures block instead
            read = [topics[topic.name].partitions for topic in sources if group in {r.group for r in topic.consumers}]
            for name in RetryPolicy(delays=service.retry).topics(group):
                yield name, TopicState(partitions=max(read), replication=replication, config=config)


def readers(topic: Topic, service: str) -> tuple[Consumer, ...]:
    """The consumers of a topic that belong to one service."""
    return tuple(reader for reader in topic.consumers if reader.service == service)


def milliseconds(span: timedelta) -> str:
    """A duration as Kafka writes it in settings: whole milliseconds, as text."""
    return str(span // timedelta(milliseconds=1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What is to be done about rights, and what is otherwise than git says; see ``treaty.ops.plan.acls``."""

    steps: tuple[tuple[str, str, Any, Any], ...] = ()
    drift: tuple[Drift, ...] = ()


NO_ACCESS: Final = Access()
"""Of an environment whose rights git does not keep."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Buried:
    """A topic that a tombstone names; ``is_due``: today it may be deleted."""

    topic: str
    is_due: bool


def burials(catalog: Catalog, *, today: date) -> tuple[Buried, ...]:
    """The whole topics that tombstones name. Kafka knows no soft deletion, so only ``permanent_after`` makes one due."""
    return tuple(
        Buried(
            topic=removal.topic,
            is_due=removal.permanent_after is not None and today > removal.permanent_after,
        )
        for removal in catalog.removals
        if removal.is_of_topic
    )


def plan(
    wanted: Mapping[str, TopicState],
    actual: Mapping[str, TopicState],
    *,
    environment: str,
    target: str,
    git_commit: str,
    may_repartition: bool = False,
    shows_internal: bool = False,
    buried: tuple[Buried, ...] = (),
    access: Access = NO_ACCESS,
    not_here: Collection[str] = (),
) -> Plan:
    """Creates, alters, adds partitions if ``may_repartition`` (keys move then), gives and takes rights, and last deletes what tombstones
    ask for; all else that differs is drift. ``not_here``: topics of other environments."""
    steps: list[tuple[str, str, Any, Any]] = []
    rows: list[Drift] = []
    for name, want in wanted.items():
        seen = actual.get(name)
        if seen is None:
            steps.append(("create", name, None, asdict(want)))
            continue
        changed = {key: value for key, value in want.config.items() if seen.config.get(key) != value}
        if changed:
            steps.append(("alter-config", name, {key: seen.config.get(key) for key in changed}, changed))
        if want.partitions > seen.partitions and may_repartition:
            steps.append(("add-partitions", name, seen.partitions, want.partitions))
        else:
            rows += counts_differ(name, want, seen)
    lost = strangers(wanted, actual, buried, shows_internal=shows_internal, not_here=not_here)
    return Plan(
        kind="topics",
        environment=environment,
        target=target,
        git_commit=git_commit,
        desired_sha256=digest({name: asdict(state) for name, state in wanted.items()}),
        actual_sha256=digest({name: asdict(state) for name, state in actual.items()}),
        steps=numbered([*steps, *access.steps, *deletions(wanted, actual, buried)]),
        drift=(*rows, *lost, *access.drift),
    )


def deletions(
    wanted: Mapping[str, TopicState], actual: Mapping[str, TopicState], buried: tuple[Buried, ...]
) -> list[tuple[str, str, Any, Any]]:
    """What tombstones ask for today. A topic that git wants, and one of Kafka's own, stays whatever a tombstone says."""
    due = {each.topic for each in buried if each.is_due}
    return [
        ("delete-topic", name, state.partitions, None)
        for name, state in sorted(actual.items())
        if name in due and name not in wanted and not is_internal(name)
    ]


def strangers(
    wanted: Mapping[str, TopicState],
    actual: Mapping[str, TopicState],
    buried: tuple[Buried, ...],
    *,
    shows_internal: bool,
    not_here: Collection[str],
) -> Iterator[Drift]:
    """Topics that git does not know, or not in this environment, and no tombstone names. They are never deleted."""
    known = {*wanted, *(each.topic for each in buried)}
    for name in sorted(actual):
        if is_internal(name):
            if shows_internal:
                yield Drift(subject=name, what="is Kafka's own, or a tool's: git never says anything of it")
        elif name not in known:
            place = "only in other environments" if name in not_here else "not in git"
            yield Drift(subject=name, what=f"is on the cluster, but {place}")


def is_internal(name: str) -> bool:
    """Whether a topic belongs to Kafka or to a tool (``__consumer_offsets``, ``_schemas``)."""
    return name.startswith("_")


def counts_differ(name: str, want: TopicState, seen: TopicState) -> Iterator[Drift]:
    """Drift of partitions and replication, which no step mends by itself."""
    if want.partitions > seen.partitions:
        yield Drift(
            subject=name,
            what=f"has {seen.partitions} partitions, git says {want.partitions}: --allow-repartition adds them, and moves keys",
        )
    if want.partitions < seen.partitions:
        yield Drift(
            subject=name, what=f"has {seen.partitions} partitions, git says {want.partitions}: Kafka cannot remove any"
        )
    if want.replication != seen.replication:
        yield Drift(
            subject=name,
            what=f"has replication {seen.replication}, git says {want.replication}: reassign its partitions",
        )
