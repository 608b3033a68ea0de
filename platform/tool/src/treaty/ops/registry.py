"""Registry contents from git: look, plan, and do exactly what the plan says."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from functools import partial
from typing import Final

from treaty.config import Settings
from treaty.errors import TreatyError
from treaty.ops import git
from treaty.ops.http import RegistryHttp, RegistryMoved
from treaty.ops.plan import Plan, Step
from treaty.ops.plan.registry import Blocked, Observed, burials, desired, is_registered, newest, plan
from treaty.ops.registry_sides import RegistrySide, old_sets
from treaty.ops.schemas import load_project
from treaty.ops.waivers import load_waivers
from treaty_codegen import Catalog
from treaty_codegen.breaking import breaking
from treaty_codegen.breaking.waiving import Judge
from treaty_codegen.finding import Severity

NEVER: Final = Observed(level=None, versions={})
"""A subject that was never registered."""


def observe(registry: RegistryHttp) -> dict[str, Observed]:
    """Every subject of the registry with its own level and live texts."""
    return {
        name: Observed(level=registry.level(name), versions=registry.versions(name)) for name in registry.subjects()
    }


def plan_registry(
    settings: Settings, registry: RegistryHttp, *, environment: str, today: date | None = None
) -> tuple[Plan, tuple[Blocked, ...]]:
    """What apply would do to make ``registry`` hold what git says; only reads, and asks for the registry's own verdict.

    ``today`` None: no day is known, so no tombstone is due and no waiver holds.
    """
    catalog = load_project(settings)
    wanted = desired(catalog, environment=environment)
    actual = observe(registry)
    for row in wanted:  # a level may stand before the first version does
        if row.subject not in actual and (level := registry.level(row.subject)) is not None:
            actual[row.subject] = Observed(level=level, versions={})
    buried = burials(catalog, today=today) if today is not None else ()
    if buried:
        gone = (name for name in registry.deleted_subjects() if any(burial.covers(name) for burial in buried))
        actual |= {name: Observed(level=None, versions={}, is_deleted=True) for name in gone}
    made, blocked = plan(
        wanted,
        actual,
        environment=environment,
        target=registry.host,
        git_commit=git.head(settings.root),
        accepted=accepted_breaks(settings, catalog, actual, today=today) if today is not None else (),
        buried=buried,
    )
    return made, blocked or tuple(refused(made, actual, registry))


def refused(made: Plan, actual: Mapping[str, Observed], registry: RegistryHttp) -> Iterator[Blocked]:
    """Texts that the registry itself would not take, where nothing of the plan changes how it judges."""
    changed = {step.subject for step in made.steps if step.action == "set-level"}
    for step in made.steps:
        if step.action == "register" and step.subject not in changed and actual[step.subject].versions:
            messages = registry.objections(step.subject, step.after["schema"])
            if messages:
                yield Blocked(subject=step.subject, version=step.before or 0, messages=messages)


def accepted_breaks(
    settings: Settings, catalog: Catalog, actual: Mapping[str, Observed], *, today: date
) -> frozenset[str]:
    """Events that break a live version, and whose every break of the wire was waived soundly."""
    waivers = load_waivers(settings).waivers
    if not waivers:
        return frozenset()
    wanted = desired(catalog, environment="")
    side = RegistrySide(
        label="registry", wanted=wanted, observed={row.subject: actual.get(row.subject, NEVER) for row in wanted}
    )
    found = breaking(catalog, old_sets(side, catalog), use=["wire"], today=today)
    judge = Judge(catalog=catalog, today=today, pii_owner=settings.get("governance", "pii_owner"), judges_unused=False)
    left = {name for row in judge.apply(found, waivers) if row.severity is Severity.ERROR for name in row.affects}
    return frozenset(name for row in found for name in row.affects) - left


def apply_registry(made: Plan, registry: RegistryHttp, *, done: Callable[[Step, str], None]) -> int:
    """Runs the steps in order; a step that already holds is skipped, so the same plan can be run again after a failure.

    ``done`` hears each step and what became of it. Returns how many steps changed something. Raises ``RegistryMoved``
    when the registry is neither as planned nor already done, ``UsageError`` before the first call if it is another one. A level
    that was lifted for a waived break is put back first, whatever happens.
    """
    made.require_target(registry.host)
    changed = 0
    provenance = f"commit={made.git_commit}" if made.git_commit else None
    actions: Mapping[str, Callable[[Step, RegistryHttp], str]] = {
        "set-level": set_level,
        "register": partial(register, provenance=provenance),
        "soft-delete": soft_delete,
        "permanent-delete": permanent_delete,
    }
    with lifted_levels(registry) as lifted:
        for step in made.steps:
            if is_lift(step, made) and already_registered(step, made, registry):
                outcome = "already so"
            else:
                outcome = actions[step.action](step, registry)
            if is_lift(step, made):
                lifted[step.subject] = step.before
            elif step.action == "set-level":
                lifted.pop(step.subject, None)
            changed += outcome != "already so"
            done(step, outcome)
    return changed


@contextmanager
def lifted_levels(registry: RegistryHttp) -> Iterator[dict[str, str | None]]:
    """Subjects whose level was lifted, with the level before; after a failure each gets it back.

    Where the registry does not take it back, the failure's next step names the subjects that are left open.
    """
    lifted: dict[str, str | None] = {}
    try:
        yield lifted
    except BaseException as error:  # Ctrl-C too must leave no subject open
        left = []
        for subject, level in lifted.items():
            try:
                registry.set_level(subject, level)
            except TreatyError:
                left.append(subject)
        if left and isinstance(error, TreatyError):
            open_ones = ", ".join(f"`{subject}`" for subject in left)
            error.next_step = f"run the same apply again soon: until then {open_ones} takes any schema (level NONE)"
        raise


def is_lift(step: Step, made: Plan) -> bool:
    """Whether a step lifts a level that a later one puts back."""
    later = (each for each in made.steps if each.id > step.id and each.subject == step.subject)
    return step.action == "set-level" and step.after == "NONE" and any(each.before == "NONE" for each in later)


def already_registered(lift: Step, made: Plan, registry: RegistryHttp) -> bool:
    """Whether the text that a level is lifted for has been registered by an earlier run."""
    text = next(
        each.after["schema"] for each in made.steps if each.subject == lift.subject and each.action == "register"
    )
    return is_registered(text, Observed(level=None, versions=registry.versions(lift.subject)))


def soft_delete(step: Step, registry: RegistryHttp) -> str:
    """Soft-deletes a subject; what happened, as text. Raises ``RegistryMoved`` if it has other versions than were planned."""
    now = sorted(registry.versions(step.subject))
    if not now:
        return "already so"
    if now != step.before:
        raise moved(step, found=now)
    registry.delete(step.subject)
    return f"{len(now)} versions"


def permanent_delete(step: Step, registry: RegistryHttp) -> str:
    """Removes for good what was soft-deleted; what happened, as text. Raises ``RegistryMoved`` if it lives again."""
    if step.subject not in registry.deleted_subjects():
        if registry.versions(step.subject):
            raise moved(step, found="live versions")
        return "already so"
    registry.delete(step.subject, permanent=True)
    return "gone for good"


def set_level(step: Step, registry: RegistryHttp) -> str:
    """Sets a subject's level; what happened, as text. Raises ``RegistryMoved`` if it is neither the old nor the new one."""
    now = registry.level(step.subject)
    if now == step.after:
        return "already so"
    if now != step.before:
        raise moved(step, found=now)
    registry.set_level(step.subject, step.after)
    return f"{step.before or 'inherited'} → {step.after}"


def register(step: Step, registry: RegistryHttp, *, provenance: str | None) -> str:
    """Registers a text; what happened, as text. Raises ``RegistryMoved`` if another version came after the planned one."""
    text = step.after["schema"]
    seen = Observed(level=None, versions=registry.versions(step.subject))
    if is_registered(text, seen):
        return "already so"
    if newest(seen) != step.before:
        raise moved(step, found=newest(seen))
    return f"id {registry.register(step.subject, text, provenance=provenance)}"


def moved(step: Step, *, found: object) -> RegistryMoved:
    """The error for a subject that is not as it was when the plan was made."""
    return RegistryMoved(
        f"The registry moved: {step.subject}, expected {step.before}, found {found}.",
        next_step="make and review a new plan",
    )
