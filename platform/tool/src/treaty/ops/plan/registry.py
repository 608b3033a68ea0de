"""Git against a registry: which levels to set and which texts to register, in which order. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from typing import Any, Final, cast

from treaty.ops.plan import Drift, Plan, digest, numbered
from treaty.ops.plan.environment import within
from treaty.ops.plan.references import depths, direct, levels_of, strictest
from treaty_avro import AvroError, Level, Version, check, confluent_messages, normalized_text, parse
from treaty_codegen import Catalog, Removal, publish, subject_of
from treaty_codegen.publish import References


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What git says of one subject. ``event``: its full name, or that of a shared type with a subject of its own.

    ``text``: the schema as it stands for itself. ``references``: shared types that ``sent`` only names.
    """

    subject: str
    event: str
    text: str
    level: str
    references: tuple[str, ...] = ()
    sent: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """What the registry says of one subject: its own level (None: inherits) and its live texts by version, each as it stands for
    itself. ``is_deleted``: it has none, but soft-deleted ones. ``refers_to``: subjects that its versions name.
    """

    level: str | None
    versions: Mapping[int, str]
    is_deleted: bool = False
    refers_to: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Burial:
    """A tombstone as the registry sees it: the subjects that it may mean, and what is due."""

    subjects: frozenset[str]
    prefix: str
    is_soft_due: bool
    is_permanent_due: bool

    def covers(self, subject: str) -> bool:
        """Whether the tombstone is that of this subject; ``prefix`` "": only of those that are named."""
        return subject in self.subjects or bool(self.prefix and subject.startswith(self.prefix))


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What git knows of the past: released texts by event, and SHA-256 (hexadecimal) of what was applied between releases."""

    texts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    applied: frozenset[str] = frozenset()

    def knows(self, row: Wanted, registered: str) -> bool:
        """Whether a registered text of a subject is one that git has or had."""
        if hashlib.sha256(registered.encode()).hexdigest() in self.applied:
            return True
        return any(same(text, registered) for text in (row.text, *self.texts.get(row.event, ())))


NO_HISTORY: Final = History()


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocked:
    """A text that the registry must not take: ``messages`` are the registry's own words for why."""

    subject: str
    version: int
    messages: tuple[str, ...]


def desired(catalog: Catalog, *, environment: str, references: References = "inline") -> tuple[Wanted, ...]:
    """One row for each event of each topic, sorted by subject; events of other environments are left out.

    With references ``registry`` one more for each shared type, and who refers stands after what it refers to.
    """
    return published(within(catalog, environment), references)


def elsewhere(catalog: Catalog, *, environment: str, references: References = "inline") -> frozenset[str]:
    """The subjects that only other environments have."""
    everywhere, here = published(catalog, references), desired(catalog, environment=environment, references=references)
    return frozenset(row.subject for row in everywhere) - frozenset(row.subject for row in here)


def published(catalog: Catalog, references: References) -> tuple[Wanted, ...]:
    """The rows of a whole catalog."""
    rows = list(declared(catalog))
    return tuple(sorted(rows, key=lambda row: row.subject)) if references == "inline" else referring(catalog, rows)


def declared(catalog: Catalog) -> Iterator[Wanted]:
    """What the topics declare."""
    for topic in catalog.topics.values():
        for event in topic.events:
            yield Wanted(
                subject=subject_of(topic, event=event),
                event=event,
                text=publish(catalog.by_name[event]),
                level=topic.compatibility,
            )


def referring(catalog: Catalog, rows: Iterable[Wanted]) -> tuple[Wanted, ...]:
    """The rows in the form that refers, after rows for all that they refer to."""
    found = {row.subject: row for row in rows}
    depth = depths(catalog, [row.event for row in found.values()])
    for name, level in levels_of(catalog, {row.event: row.level for row in found.values()}).items():
        own = found.get(name)  # an event whose subject is its name is both
        kept = level if own is None else strictest([level, own.level])
        found[name] = Wanted(subject=name, event=name, text=publish(catalog.by_name[name]), level=kept)
    return tuple(
        replace(row, references=names, sent=publish(catalog.by_name[row.event], references="registry"))
        if (names := direct(catalog, row.event))
        else row
        for row in sorted(found.values(), key=lambda row: (depth[row.event], row.subject))
    )


def burials(catalog: Catalog, *, today: date) -> tuple[Burial, ...]:
    """Every tombstone of ``topics.toml``; that of a whole topic buries whatever the topic had."""
    return tuple(
        Burial(
            subjects=frozenset(buried_subjects(catalog, removal)),
            prefix=f"{removal.topic}-" if removal.is_of_topic else "",
            is_soft_due=removal.soft_after is not None and today > removal.soft_after,
            is_permanent_due=removal.permanent_after is not None and today > removal.permanent_after,
        )
        for removal in catalog.removals
    )


def buried_subjects(catalog: Catalog, removal: Removal) -> Iterator[str]:
    """The names under which a removed event or shared type may be registered."""
    if removal.type is not None:
        yield removal.type
    elif removal.event is not None:
        topic = catalog.topics.get(removal.topic)
        yield subject_of(topic, event=removal.event) if topic is not None else f"{removal.topic}-{removal.event}"


def plan(
    wanted: tuple[Wanted, ...],
    actual: Mapping[str, Observed],
    *,
    environment: str,
    target: str,
    git_commit: str,
    accepted: Collection[str] = (),
    buried: tuple[Burial, ...] = (),
    history: History = NO_HISTORY,
    not_here: Collection[str] = (),
) -> tuple[Plan, tuple[Blocked, ...]]:
    """The plan, and what must not be registered at all (then nothing of the plan should run). ``accepted``: events whose breaks
    were waived; the level is lifted for the one step that needs it, in sight. ``not_here``: the subjects of other environments.
    """
    steps: list[tuple[str, str, Any, Any]] = []
    blocked: list[Blocked] = []
    by_subject = {row.subject: row for row in wanted}
    for row in wanted:
        seen = actual.get(row.subject, Observed(level=None, versions={}))
        is_new = not is_registered(row.text, seen)
        broken = list(incompatible(row, seen)) if is_new else []
        is_waived = bool(broken) and row.event in accepted
        steps += [("set-level", row.subject, seen.level, row.level)] if seen.level != row.level else []
        steps += registering(row, seen, lifts=is_waived, body=body_of(row, by_subject, actual)) if is_new else []
        blocked += [] if is_waived else broken
    steps += deletions(wanted, actual, buried)
    return (
        Plan(
            kind="registry",
            environment=environment,
            target=target,
            git_commit=git_commit,
            desired_sha256=digest([asdict(row) for row in wanted]),
            actual_sha256=digest_of(actual),
            steps=numbered(steps),
            drift=(*drift(wanted, actual, buried, not_here), *strange_versions(wanted, actual, history)),
        ),
        tuple(blocked),
    )


def digest_of(actual: Mapping[str, Observed]) -> str:
    """Hash of everything that the registry said."""
    return digest(
        {
            name: {
                "level": seen.level,
                "versions": list(seen.versions.items()),
                "is_deleted": seen.is_deleted,
                "refers_to": sorted(seen.refers_to),
            }
            for name, seen in actual.items()
        }
    )


def body_of(row: Wanted, wanted: Mapping[str, Wanted], actual: Mapping[str, Observed]) -> dict[str, Any]:
    """What is to be registered. A reference has the version that says what git says; None: an earlier step registers it."""
    if not row.references:
        return {"event": row.event, "schema": row.text}
    versions = {
        name: version_of(wanted[name].text, actual[name].versions) if name in actual else None
        for name in row.references
    }
    references = [{"name": name, "subject": name, "version": number} for name, number in versions.items()]
    return {"event": row.event, "schema": row.sent, "references": references, "whole": row.text}


def version_of(text: str, versions: Mapping[int, str]) -> int | None:
    """The newest version that says the same as a text; None where there is none."""
    return next((number for number, other in sorted(versions.items(), reverse=True) if same(text, other)), None)


def whole(after: Mapping[str, Any]) -> str:
    """The text of a ``register`` step as it stands for itself."""
    return str(after.get("whole", after["schema"]))


def registering(
    row: Wanted, seen: Observed, *, lifts: bool, body: Mapping[str, Any]
) -> list[tuple[str, str, Any, Any]]:
    """The step that registers a text; for a waived break between two that lift the level and put it back."""
    step = ("register", row.subject, newest(seen), body)
    if not lifts:
        return [step]
    return [("set-level", row.subject, row.level, "NONE"), step, ("set-level", row.subject, "NONE", row.level)]


def deletions(
    wanted: tuple[Wanted, ...], actual: Mapping[str, Observed], buried: tuple[Burial, ...]
) -> list[tuple[str, str, Any, Any]]:
    """What tombstones ask for today, last of all. A subject that git wants stays, and so does one until all that refers to it is gone
    for good: Karapace refuses even a soft deletion before that.
    """
    known = {row.subject for row in wanted}
    due = {name: stones for name in actual if name not in known and (stones := [b for b in buried if b.covers(name)])}
    steps: list[tuple[str, str, Any, Any]] = []
    gone = set[str]()
    # Who refers to another reaches all that the other does, and itself: it comes first.
    for name in sorted(due, key=lambda name: (-len(within_reach({name}, actual)), name)):
        seen, referrers = actual[name], {other for other, each in actual.items() if name in each.refers_to}
        if referrers - gone - {name}:
            continue
        is_going = bool(seen.versions) and any(each.is_soft_due for each in due[name])
        if is_going:
            steps.append(("soft-delete", name, sorted(seen.versions), None))
        if (is_going or seen.is_deleted) and any(each.is_permanent_due for each in due[name]):
            steps.append(("permanent-delete", name, None, None))
            gone.add(name)
    return steps


def is_due(name: str, seen: Observed, buried: Iterable[Burial]) -> bool:
    """Whether a tombstone asks for a deletion of the subject today, if nothing stands against it."""
    return any(
        (bool(seen.versions) and each.is_soft_due) or (seen.is_deleted and each.is_permanent_due)
        for each in buried
        if each.covers(name)
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


def drift(
    wanted: tuple[Wanted, ...], actual: Mapping[str, Observed], buried: tuple[Burial, ...], not_here: Collection[str]
) -> Iterator[Drift]:
    """Subjects that git does not know, or not in this environment, and no tombstone covers, and those that it wants and buries at
    once. None of them is deleted: only a tombstone in ``topics.toml`` may do that, and of nothing that git wants.

    What a version of git's own refers to belongs to it, in whichever form git publishes today.
    """
    known = within_reach({row.subject for row in wanted}, actual)
    for name, seen in sorted(actual.items()):
        if name not in known and seen.versions and not any(burial.covers(name) for burial in buried):
            count, place = len(seen.versions), "only in other environments" if name in not_here else "not in git"
            yield Drift(subject=name, what=f"is in the registry with {count} version{'s' * (count > 1)}, but {place}")
    yield from buried_alive(wanted, buried)


def buried_alive(wanted: tuple[Wanted, ...], buried: tuple[Burial, ...]) -> Iterator[Drift]:
    """Subjects that git wants and a tombstone names: it never comes to its day. One of a whole topic names none of them."""
    for row in wanted:
        if any(row.subject in burial.subjects for burial in buried):
            yield Drift(subject=row.subject, what="has a tombstone in topics.toml, but git still wants it")


def within_reach(subjects: Iterable[str], actual: Mapping[str, Observed]) -> set[str]:
    """Some subjects, and all that their versions refer to, directly or not."""
    found: set[str] = set()
    waiting = [*subjects]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += actual[name].refers_to if name in actual else ()
    return found


def strange_versions(wanted: tuple[Wanted, ...], actual: Mapping[str, Observed], history: History) -> Iterator[Drift]:
    """Live versions of git's own subjects that git neither has nor had: somebody registered by hand."""
    for row in wanted:
        seen = actual.get(row.subject)
        for number, text in sorted(seen.versions.items()) if seen is not None else ():
            if not history.knows(row, text):
                yield Drift(
                    subject=row.subject,
                    what=f"version {number} is in the registry, but neither in git nor in a release",
                )


def explained(wanted: tuple[Wanted, ...], actual: Mapping[str, Observed]) -> Iterator[tuple[str, int, str]]:
    """Subject, version and why it needs no step, for each version that says what git says in another print."""
    for row in wanted:
        seen = actual.get(row.subject)
        for number, text in sorted(seen.versions.items()) if seen is not None else ():
            if text != row.text and same(text, row.text):
                is_layout = json.loads(text) == json.loads(row.text)
                what = "white space or the order of members" if is_layout else "how names and namespaces are written"
                yield row.subject, number, f"differs from git only in {what}"
