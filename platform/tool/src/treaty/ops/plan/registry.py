"""Git against a registry: which levels to set and which texts to register, in which order. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, cast

from treaty.ops.plan import Drift, Plan, digest, numbered
from treaty_avro import AvroError, Level, Version, check, confluent_messages, normalized_text, parse
from treaty_codegen import Catalog, publish, subject_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What git says of one subject."""

    subject: str
    event: str
    text: str
    level: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """What the registry says of one subject: its own level (None: inherits) and its live texts by version."""

    level: str | None
    versions: Mapping[int, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocked:
    """A text that the registry must not take: ``messages`` are the registry's own words for why."""

    subject: str
    version: int
    messages: tuple[str, ...]


def desired(catalog: Catalog, *, environment: str) -> tuple[Wanted, ...]:
    """One row for each event of each topic, sorted by subject; events of other environments are left out."""
    rows = []
    for topic in catalog.topics.values():
        for event in topic.events:
            environments = topic.settings_of(event).environments
            if environments and environment not in environments:
                continue
            rows.append(
                Wanted(
                    subject=subject_of(topic, event=event),
                    event=event,
                    text=publish(catalog.by_name[event]),
                    level=topic.compatibility,
                )
            )
    return tuple(sorted(rows, key=lambda row: row.subject))


def plan(
    wanted: tuple[Wanted, ...], actual: Mapping[str, Observed], *, environment: str, target: str, git_commit: str
) -> tuple[Plan, tuple[Blocked, ...]]:
    """The plan, and what must not be registered at all (then nothing of the plan should run)."""
    steps: list[tuple[str, str, Any, Any]] = []
    blocked: list[Blocked] = []
    for row in wanted:
        seen = actual.get(row.subject, Observed(level=None, versions={}))
        if seen.level != row.level:
            steps.append(("set-level", row.subject, seen.level, row.level))
        if not is_registered(row.text, seen):
            blocked += incompatible(row, seen)
            steps.append(("register", row.subject, newest(seen), {"event": row.event, "schema": row.text}))
    return (
        Plan(
            kind="registry",
            environment=environment,
            target=target,
            git_commit=git_commit,
            desired_sha256=digest([asdict(row) for row in wanted]),
            actual_sha256=digest(
                {name: {"level": o.level, "versions": list(o.versions.items())} for name, o in actual.items()}
            ),
            steps=numbered(steps),
            drift=tuple(drift(wanted, actual)),
        ),
        tuple(blocked),
    )


def newest(seen: Observed) -> int | None:
    """Number of the newest live version; None before the first."""
    return max(seen.versions, default=None)


def is_registered(text: str, seen: Observed) -> bool:
    """Whether a live version says the same, apart from print: white space, order of keys, namespaces written or inherited."""
    return any(same(text, registered) for registered in seen.versions.values())


def same(text: str, registered: str) -> bool:
    """Whether two schema texts say the same once both are normalized."""
    if text == registered:
        return True
    try:
        return normalized_text(parse(text)) == normalized_text(parse(registered, rules="stored"))
    except AvroError:
        # The registry holds a text that we cannot read (references of others): it is not ours.
        return False


def incompatible(row: Wanted, seen: Observed) -> Iterator[Blocked]:
    """Proves the new text against every live version under the *target* level, before the server is asked."""
    history = []
    for number, text in sorted(seen.versions.items()):
        try:
            history.append(Version(number, parse(text, rules="stored"), text))
        except AvroError:
            continue
    verdict = check(Version(None, parse(row.text), row.text), history, cast("Level", row.level))
    if verdict.findings and verdict.against is not None:
        yield Blocked(
            subject=row.subject, version=verdict.against.number or 0, messages=tuple(confluent_messages(verdict))
        )


def drift(wanted: tuple[Wanted, ...], actual: Mapping[str, Observed]) -> Iterator[Drift]:
    """Subjects that git does not know. They are never deleted: only a tombstone in ``topics.toml`` may do that."""
    known = {row.subject for row in wanted}
    for name, seen in sorted(actual.items()):
        if name not in known and seen.versions:
            count = len(seen.versions)
            yield Drift(
                subject=name, what=f"is in the registry with {count} version{'s' * (count > 1)}, but not in git"
            )
