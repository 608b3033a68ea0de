"""Topics from git: look, plan, and do exactly what the plan says."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from itertools import groupby
from typing import Final

from treaty.config import FILE, Settings, nearest
from treaty.errors import EnvironmentFault, UsageError
from treaty.ops import git
from treaty.ops.plan import Plan, Step, acls
from treaty.ops.plan.environment import environments, within
from treaty.ops.plan.topics import NO_ACCESS, Access, TopicState, burials, desired, elsewhere, plan
from treaty.ops.schemas import load_project
from treaty_codegen import Catalog
from treaty_runtime.admin import Cluster, ClusterRefused, ClusterUnreachable, NoAuthorizer, TopicFacts
from treaty_runtime.rights import Right

ON_TOPICS: Final = frozenset({"create", "alter-config", "add-partitions"})
"""Steps whose subject is a topic that is there afterwards."""


class ClusterMoved(EnvironmentFault):
    """The cluster moved since the plan was made."""

    exit_code = 1


def listed(settings: Settings, *, environment: str) -> dict[str, TopicState]:
    """Every topic that git wants in an environment of ``treaty.toml`` or ``topics.toml``; ``UsageError`` for any other name."""
    catalog = load_project(settings)
    known = sorted({"local", *settings.environments, *environments(catalog)})
    if environment not in known:
        raise UsageError(
            f"Neither {FILE} nor topics.toml names an environment `{environment}`{nearest(environment, known)}"
        )
    return desired(catalog, environment=environment)


def observe(cluster: Cluster, wanted: Mapping[str, TopicState]) -> dict[str, TopicState]:
    """The cluster's topics, with only those settings that git speaks of."""
    try:
        facts = cluster.topics()
    except ClusterUnreachable as error:
        raise EnvironmentFault(str(error), next_step="is it up? try: treaty up") from error
    return {name: state_of(fact, wanted.get(name)) for name, fact in facts.items()}


def state_of(fact: TopicFacts, wanted: TopicState | None) -> TopicState:
    """What the cluster says of one topic, with only those settings that git speaks of."""
    keys = wanted.config if wanted else ()
    config = {key: fact.config[key] for key in keys if key in fact.config}
    return TopicState(partitions=fact.partitions, replication=fact.replication, config=config)


def plan_topics(
    settings: Settings,
    cluster: Cluster,
    *,
    environment: str,
    may_repartition: bool = False,
    shows_internal: bool = False,
    today: date | None = None,
) -> Plan:
    """What apply would do to make the cluster's topics as git says; only reads. ``today`` None: no tombstone is due."""
    catalog = load_project(settings)
    wanted = desired(catalog, environment=environment)
    has_rights = settings.has_rights(environment)
    return plan(
        wanted,
        observe(cluster, wanted),
        environment=environment,
        target=cluster.bootstrap,
        git_commit=git.head(settings.root),
        may_repartition=may_repartition,
        shows_internal=shows_internal,
        buried=burials(catalog, today=today or date.min),
        access=access(settings, catalog, cluster, environment=environment) if has_rights else NO_ACCESS,
        not_here=elsewhere(catalog, environment=environment),
    )


def access(settings: Settings, catalog: Catalog, cluster: Cluster, *, environment: str) -> Access:
    """What the rights on the cluster lack and have too much. Raises ``EnvironmentFault`` where nobody keeps any."""
    namespace = str(settings.get("project", "namespace"))
    wanted = acls.desired(within(catalog, environment), namespace=namespace, services=catalog.service_names)
    topics = desired(catalog, environment=environment)
    try:
        actual = cluster.rights()
    except NoAuthorizer as error:
        raise EnvironmentFault(
            str(error), next_step="set authorizer.class.name on the brokers, or take `acl` out of [environment.NAME]"
        ) from error
    except (ClusterUnreachable, ClusterRefused) as error:
        raise EnvironmentFault(str(error), next_step="who plans rights needs `Describe` on the cluster") from error
    give, take = acls.changes(wanted, actual)
    return Access(steps=(*give, *take), drift=tuple(acls.drift(wanted, actual, topics=topics)))


def apply_topics(made: Plan, cluster: Cluster, *, done: Callable[[Step, str], None]) -> int:
    """Runs the steps in order, skipping what already holds; returns how many changed something.

    Raises ``ClusterMoved`` when a topic is neither as planned nor already done, ``EnvironmentFault`` when Kafka is away or refuses,
    ``UsageError`` before the first call if the plan was made for another cluster.
    """
    made.require_target(cluster.bootstrap)
    changed = 0
    try:
        for step, outcome in outcomes(made.steps, cluster):
            changed += outcome != "already so"
            done(step, outcome)
    except (ClusterUnreachable, ClusterRefused) as error:
        raise EnvironmentFault(str(error), next_step="run the same plan again: done steps are skipped") from error
    try:
        cluster.await_topics(step.subject for step in made.steps if step.action in ON_TOPICS)
        given, taken = rights_of(made.steps)
        if given or taken:
            cluster.await_rights(given, taken)
        cluster.await_gone(step.subject for step in made.steps if step.action == "delete-topic")
    except ClusterUnreachable as error:
        raise EnvironmentFault(str(error), next_step="look at the broker's log; the plan itself is done") from error
    return changed


def outcomes(steps: Sequence[Step], cluster: Cluster) -> Iterator[tuple[Step, str]]:
    """Runs the steps in order; each with what happened, as text."""
    for is_create, group in groupby(steps, key=lambda step: step.action == "create"):
        if is_create:
            yield from create(list(group), cluster)
        else:
            yield from ((step, ACTIONS[step.action](step, cluster)) for step in group)


def create(steps: Sequence[Step], cluster: Cluster) -> Iterator[tuple[Step, str]]:
    """Creates topics together: one by one, a new cluster would take many times as long. Those that are already there are left alone."""
    made = cluster.create_all({step.subject: TopicFacts(**step.after) for step in steps})
    for step, (_, is_new) in zip(steps, made, strict=True):
        yield step, f"{step.after['partitions']} partitions" if is_new else "already so"


def alter(step: Step, cluster: Cluster) -> str:
    """Alters settings; what happened, as text. Raises ``ClusterMoved`` if one is neither as planned nor already done."""
    fact = cluster.topics().get(step.subject)
    if fact is None:
        raise ClusterMoved(f"The cluster moved: topic {step.subject} is gone.", next_step="make and review a new plan")
    if all(fact.config.get(key) == value for key, value in step.after.items()):
        return "already so"
    if any(fact.config.get(key) not in {step.before.get(key), value} for key, value in step.after.items()):
        raise ClusterMoved(f"The cluster moved: settings of {step.subject}.", next_step="make and review a new plan")
    cluster.alter(step.subject, step.after)
    return ", ".join(f"{key}={value}" for key, value in step.after.items())


def add_partitions(step: Step, cluster: Cluster) -> str:
    """Adds partitions; what happened, as text. Raises ``ClusterMoved`` if their number is neither the old nor the new one."""
    fact = cluster.topics().get(step.subject)
    found = fact.partitions if fact else None
    if found == step.after:
        return "already so"
    if found != step.before:
        raise ClusterMoved(
            f"The cluster moved: {step.subject}, expected {step.before} partitions, found {found}.",
            next_step="make and review a new plan",
        )
    cluster.add_partitions(step.subject, step.after)
    return f"{step.before} → {step.after} partitions"


def delete(step: Step, cluster: Cluster) -> str:
    """Deletes a topic for good; what happened, as text. Raises ``ClusterMoved`` if it is another one than when it was planned."""
    fact = cluster.topics().get(step.subject)
    if fact is None:
        return "already so"
    if fact.partitions != step.before:
        raise ClusterMoved(
            f"The cluster moved: {step.subject}, expected {step.before} partitions, found {fact.partitions}.",
            next_step="make and review a new plan",
        )
    return "gone for good" if cluster.delete(step.subject) else "already so"


def allow(step: Step, cluster: Cluster) -> str:
    """Gives rights; what happened, as text."""
    wanted = {*acls.rights_in(step.after)}
    if wanted <= cluster.rights():
        return "already so"
    cluster.allow(wanted)
    return ", ".join(operation.lower() for operation in step.after["operations"])


def rights_of(steps: Sequence[Step]) -> tuple[set[Right], set[Right]]:
    """The rights that steps give, and those that they take."""
    given = {right for step in steps if step.action == "allow" for right in acls.rights_in(step.after)}
    taken = {right for step in steps if step.action == "disallow" for right in acls.rights_in(step.before)}
    return given, taken


def disallow(step: Step, cluster: Cluster) -> str:
    """Takes rights; what happened, as text."""
    found = {*acls.rights_in(step.before)} & cluster.rights()
    if not found:
        return "already so"
    cluster.disallow(found)
    return ", ".join(sorted(right.operation.lower() for right in found))


ACTIONS: Mapping[str, Callable[[Step, Cluster], str]] = {
    "alter-config": alter,
    "add-partitions": add_partitions,
    "delete-topic": delete,
    "allow": allow,
    "disallow": disallow,
}
