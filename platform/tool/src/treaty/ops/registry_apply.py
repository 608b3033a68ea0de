"""A plan for a registry, carried out: exactly its steps, and in the end a look at everything that should be there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Final

from treaty.errors import TreatyError
from treaty.ops.contents import Contents, contents, levels, observed
from treaty.ops.http import RegistryHttp, RegistryMoved
from treaty.ops.plan import Plan, Step
from treaty.ops.plan.registry import Observed, is_registered, newest, version_of, whole

ALREADY: Final = "already so"


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """How many steps changed something, and what the registry holds now."""

    changed: int
    contents: Contents


@dataclass(slots=True, kw_only=True)
class Seen:
    """The registry as it was before the first step, and as the steps have changed it since. ``referred``: see ``referred_by``."""

    registry: RegistryHttp
    levels: dict[str, str | None]
    subjects: dict[str, Observed]
    provenance: str | None
    referred: Mapping[str, str]

    def observed(self, subject: str) -> Observed:
        """What is known of a subject; nothing where it has no version."""
        return self.subjects.get(subject, Observed(level=None, versions={}))


def apply_registry(made: Plan, registry: RegistryHttp, *, done: Callable[[Step, str], None]) -> Done:
    """Runs the steps in order; a step that already holds is skipped, so the same plan can be run again after a failure.

    ``done`` hears each step and what became of it. Raises ``RegistryMoved`` when the registry is neither as planned nor already
    done, or not as the plan left it at the end; ``UsageError`` before the first call if it is another one. A level that was
    lifted for a waived break is put back first, whatever happens.
    """
    made.require_target(registry.host)
    seen = look(made, registry)
    changed = 0
    with lifted_levels(registry) as lifted:
        for step in made.steps:
            lifts = is_lift(step, made)
            is_needless = lifts and already_registered(step, made, seen)
            outcome = ALREADY if is_needless else ACTIONS[step.action](step, seen)
            if lifts:
                lifted[step.subject] = step.before
            elif step.action == "set-level":
                lifted.pop(step.subject, None)
            changed += outcome != ALREADY
            done(step, outcome)
    now = contents(registry)
    check_done(made, now)
    return Done(changed=changed, contents=now)


def look(made: Plan, registry: RegistryHttp) -> Seen:
    """What the steps of a plan ask for, read before the first of them."""
    held = contents(registry) if made.steps else {}
    return Seen(
        registry=registry,
        levels=levels(registry, (step.subject for step in made.steps if step.action == "set-level")),
        subjects={name: observed(versions) for name, versions in held.items()},
        provenance=f"commit={made.git_commit}" if made.git_commit else None,
        referred=referred_by(made),
    )


def referred_by(made: Plan) -> dict[str, str]:
    """Subjects that steps refer to, with the whole text that a step registers there; "": none does."""
    steps = [step for step in made.steps if step.action == "register"]
    texts = {step.subject: whole(step.after) for step in steps}
    names = {each["subject"] for step in steps for each in step.after.get("references", ())}
    return {name: texts.get(name, "") for name in names}


def check_done(made: Plan, now: Contents) -> None:
    """Raises ``RegistryMoved`` where what a step registered or deleted is not so: somebody else was at work meanwhile."""
    deleted = {step.subject for step in made.steps if step.action == "soft-delete"}
    for step in made.steps:
        held = observed(now.get(step.subject, {}))
        if step.action == "register" and step.subject not in deleted and not is_registered(whole(step.after), held):
            raise moved(step, found=f"{newest(held)} without the text that was registered")
        if step.action == "soft-delete" and held.versions:
            raise moved(step, found=sorted(held.versions))


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


def already_registered(lift: Step, made: Plan, seen: Seen) -> bool:
    """Whether the text that a level is lifted for has been registered by an earlier run."""
    text = next(whole(each.after) for each in made.steps if each.subject == lift.subject and each.action == "register")
    return is_registered(text, seen.observed(lift.subject))


def set_level(step: Step, seen: Seen) -> str:
    """Sets a subject's level; what happened, as text. Raises ``RegistryMoved`` if it is neither the old nor the new one."""
    now = seen.levels[step.subject]
    if now == step.after:
        return ALREADY
    if now != step.before:
        raise moved(step, found=now)
    seen.registry.set_level(step.subject, step.after)
    seen.levels[step.subject] = step.after
    return f"{step.before or 'inherited'} → {step.after}"


def register(step: Step, seen: Seen) -> str:
    """Registers a text; what happened, as text. Raises ``RegistryMoved`` if another version came after the planned one."""
    text, held = whole(step.after), seen.observed(step.subject)
    if is_registered(text, held):
        return ALREADY
    if newest(held) != step.before:
        raise moved(step, found=newest(held))
    references = [reference(each, step, seen) for each in step.after.get("references", ())]
    sent = step.after["schema"]
    given = seen.registry.register(step.subject, sent, references=references, provenance=seen.provenance)
    if step.subject in seen.referred:
        number = seen.registry.number_of(step.subject, sent, references=references)
        seen.subjects[step.subject] = replace(held, versions={**held.versions, number: text})
    return f"id {given}"


def reference(told: Mapping[str, Any], step: Step, seen: Seen) -> dict[str, Any]:
    """A reference with its version: the planned one, or that of the text which an earlier step of the plan registered.

    Raises ``RegistryMoved`` where the registry does not have it.
    """
    text = seen.referred[told["subject"]]
    number = told["version"] or version_of(text, seen.observed(told["subject"]).versions) if text else told["version"]
    if not number:
        raise moved(step, found=f"no {told['subject']} to refer to")
    return {**told, "version": number}


def soft_delete(step: Step, seen: Seen) -> str:
    """Soft-deletes a subject; what happened, as text. Raises ``RegistryMoved`` if it has other versions than were planned.

    The registry is asked again just before: a deletion is the one step that a look of a second ago is not good enough for.
    """
    now = sorted(seen.registry.versions(step.subject))
    if not now:
        return ALREADY
    if now != step.before:
        raise moved(step, found=now)
    seen.registry.delete(step.subject)
    return f"{len(now)} version{'s' * (len(now) > 1)}"


def permanent_delete(step: Step, seen: Seen) -> str:
    """Removes for good what was soft-deleted; what happened, as text. Raises ``RegistryMoved`` if it lives again."""
    if step.subject not in seen.registry.deleted_subjects():
        if seen.registry.versions(step.subject):
            raise moved(step, found="live versions")
        return ALREADY
    seen.registry.delete(step.subject, permanent=True)
    return "gone for good"


ACTIONS: Final[Mapping[str, Callable[[Step, Seen], str]]] = {
    "set-level": set_level,
    "register": register,
    "soft-delete": soft_delete,
    "permanent-delete": permanent_delete,
}


def moved(step: Step, *, found: object) -> RegistryMoved:
    """The error for a subject that is not as it was when the plan was made."""
    return RegistryMoved(
        f"The registry moved: {step.subject}, expected {step.before}, found {found}.",
        next_step="make and review a new plan",
    )
