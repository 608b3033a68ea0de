"""What a registry should hold, from git, beside what it holds: the plan. Only reads; ``registry_apply`` carries it out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Final

from treaty.config import Settings
from treaty.ops import git
from treaty.ops.baseline import RELEASES, releases
from treaty.ops.contents import contents, levels, observed, references, together
from treaty.ops.http import RegistryHttp
from treaty.ops.lockfile import read_lock
from treaty.ops.plan import Plan
from treaty.ops.plan.references import depths
from treaty.ops.plan.registry import (
    Blocked,
    Burial,
    History,
    Observed,
    burials,
    desired,
    elsewhere,
    explained,
    is_due,
    plan,
    whole,
)
from treaty.ops.registry_sides import RegistrySide, old_sets
from treaty.ops.schemas import load_project, references_of
from treaty.ops.waivers import load_waivers
from treaty_codegen import Catalog
from treaty_codegen.breaking import breaking
from treaty_codegen.breaking.waiving import Judge
from treaty_codegen.finding import Severity
from treaty_codegen.publish import types_within

NEVER: Final = Observed(level=None, versions={})
"""A subject that was never registered."""


def observe(registry: RegistryHttp, *, wanted: Iterable[str]) -> dict[str, Observed]:
    """Every subject of the registry with its live texts, and the own level of those that git wants: a level may stand before the
    first version does.
    """
    held = contents(registry)
    own = levels(registry, wanted)
    return {
        name: observed(held.get(name, {}), level=own.get(name))
        for name in sorted({*held, *(name for name, level in own.items() if level is not None)})
    }


def plan_registry(
    settings: Settings, registry: RegistryHttp, *, environment: str, today: date | None = None
) -> tuple[Plan, tuple[Blocked, ...]]:
    """What apply would do to make ``registry`` hold what git says; only reads, and asks for the registry's own verdict.

    ``today`` None: no day is known, so no tombstone is due and no waiver holds.
    """
    catalog = load_project(settings)
    wanted = desired(catalog, environment=environment, references=references_of(settings))
    actual = observe(registry, wanted=[row.subject for row in wanted])
    buried = burials(catalog, today=today) if today is not None else ()
    if buried:
        actual |= deleted(registry, buried, actual)
    made, blocked = plan(
        wanted,
        actual,
        environment=environment,
        target=registry.host,
        git_commit=git.head(settings.root),
        accepted=accepted_breaks(settings, catalog, actual, environment=environment, today=today) if today else (),
        buried=buried,
        history=history(settings, environment),
        not_here=elsewhere(catalog, environment=environment, references=references_of(settings)),
    )
    return made, blocked or tuple(refused(made, registry))


def deleted(registry: RegistryHttp, buried: Sequence[Burial], actual: Mapping[str, Observed]) -> dict[str, Observed]:
    """The soft-deleted subjects that tombstones cover. On the day that one asks for a deletion, also all that hold what is to go by
    versions that are soft-deleted, of living subjects too: the registry refuses it before those are gone.
    """
    gone = registry.deleted_subjects()
    held = {**actual, **{name: replace(actual.get(name, NEVER), is_deleted=True) for name in gone}}
    due = {name for name, seen in held.items() if is_due(name, seen, buried)}
    found = {name: held[name] for name in gone if any(burial.covers(name) for burial in buried)}
    for name, names in references(registry).items() if due else ():
        if names & due:
            seen = held.get(name, NEVER)
            found[name] = replace(seen, refers_to=seen.refers_to | names & due)
    return found


def explain_registry(
    settings: Settings, registry: RegistryHttp, *, environment: str
) -> tuple[tuple[str, int, str], ...]:
    """Subject, version and reason for each version that says what git says in another print, and so needs no step."""
    wanted = desired(load_project(settings), environment=environment, references=references_of(settings))
    return tuple(explained(wanted, observe(registry, wanted=())))


def history(settings: Settings, environment: str) -> History:
    """What git knows of the past: the texts of every release, and what was applied to an environment between releases."""
    folder = settings.folder("schemas")
    texts: dict[str, list[str]] = {}
    has_shared = references_of(settings) == "registry"
    for released in releases(folder / RELEASES):
        for name, event in released.events.items():
            texts.setdefault(name, []).append(event.text)
            for full_name, text in types_within(event.text) if has_shared else ():
                texts.setdefault(full_name, []).append(text)
    applied = read_lock(folder).environments.get(environment, {})
    return History(
        texts={name: tuple(dict.fromkeys(found)) for name, found in texts.items()},
        applied=frozenset(row.sha256 for versions in applied.values() for row in versions.values()),
    )


def refused(made: Plan, registry: RegistryHttp) -> Iterator[Blocked]:
    """Texts that the registry itself would not take, where nothing of the plan changes how it judges.

    It is asked of whole texts: what they refer to may not be registered yet, and the verdict is the same.
    """
    changed = {step.subject for step in made.steps if step.action == "set-level"}
    asked = {
        step.subject: step
        for step in made.steps
        if step.action == "register" and step.subject not in changed and step.before is not None
    }
    answers = together(lambda name: registry.objections(name, whole(asked[name].after)), asked)
    for name, messages in answers.items():
        if messages:
            yield Blocked(subject=name, version=asked[name].before, messages=messages)


def accepted_breaks(
    settings: Settings, catalog: Catalog, actual: Mapping[str, Observed], *, environment: str, today: date
) -> frozenset[str]:
    """Events that break a live version, and whose every break of the wire was waived soundly; shared types that no event forbids."""
    waivers = load_waivers(settings).waivers
    if not waivers and references_of(settings) == "inline":
        return frozenset()
    wanted = desired(catalog, environment=environment)
    side = RegistrySide(
        label="registry", wanted=wanted, observed={row.subject: actual.get(row.subject, NEVER) for row in wanted}
    )
    found = breaking(catalog, old_sets(side, catalog), use=["wire"], today=today)
    judge = Judge(catalog=catalog, today=today, pii_owner=settings.get("governance", "pii_owner"), judges_unused=False)
    left = {name for row in judge.apply(found, waivers) if row.severity is Severity.ERROR for name in row.affects}
    accepted = frozenset(name for row in found for name in row.affects) - left
    # A shared type's subject is kept as strictly as all events that hold it together, so it may break where none of them does:
    # it may where none of them must not.
    return accepted | (frozenset(depths(catalog, [row.event for row in wanted])) - frozenset(depths(catalog, left)))
