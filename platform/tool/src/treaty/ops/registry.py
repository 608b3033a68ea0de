"""Registry contents from git: look, plan, and do exactly what the plan says."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from treaty.config import Settings
from treaty.ops import git
from treaty.ops.http import RegistryHttp, RegistryMoved
from treaty.ops.plan import Plan, Step
from treaty.ops.plan.registry import Blocked, Observed, desired, is_registered, newest, plan
from treaty.ops.schemas import load_project


def observe(registry: RegistryHttp) -> dict[str, Observed]:
    """Every subject of the registry with its own level and live texts."""
    return {
        name: Observed(level=registry.level(name), versions=registry.versions(name)) for name in registry.subjects()
    }


def plan_registry(settings: Settings, registry: RegistryHttp, *, environment: str) -> tuple[Plan, tuple[Blocked, ...]]:
    """What apply would do to make ``registry`` hold what git says; only reads."""
    wanted = desired(load_project(settings), environment=environment)
    actual = observe(registry)
    for row in wanted:  # a level may stand before the first version does
        if row.subject not in actual and (level := registry.level(row.subject)) is not None:
            actual[row.subject] = Observed(level=level, versions={})
    return plan(wanted, actual, environment=environment, target=registry.host, git_commit=git.head(settings.root))


def apply_registry(made: Plan, registry: RegistryHttp, *, done: Callable[[Step, str], None]) -> int:
    """Runs the steps in order; a step that already holds is skipped, so the same plan can be run again after a failure.

    ``done`` hears each step and what became of it. Returns how many steps changed something. Raises ``RegistryMoved``
    when the registry is neither as planned nor already done, ``UsageError`` before the first call if it is another one.
    """
    made.require_target(registry.host)
    changed = 0
    provenance = f"commit={made.git_commit}" if made.git_commit else None
    for step in made.steps:
        run = set_level if step.action == "set-level" else partial(register, provenance=provenance)
        outcome = run(step, registry)
        changed += outcome != "already so"
        done(step, outcome)
    return changed


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
