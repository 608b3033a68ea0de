"""Every check of a schema pull request, in one go: each is a job with a name that stays, and all together make the review."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Final

from treaty.config import Settings
from treaty.errors import EnvironmentFault
from treaty.ops import owners
from treaty.ops.against import Against
from treaty.ops.baseline import RELEASES, releases
from treaty.ops.cache import checks
from treaty.ops.cache.drawer import Drawer
from treaty.ops.cache.generated import keep, key_of, standing
from treaty.ops.check import judged
from treaty.ops.evolution import golden_faults, matrix
from treaty.ops.generate import generated
from treaty.ops.plan import Plan
from treaty.ops.registry import plan_registry
from treaty.ops.review import (
    Branch,
    base_of,
    changed_events,
    owners_of,
    problems,
    readers_now,
    remarks,
    rollout,
    told,
)
from treaty.ops.schemas import BrokenSchemas, load_project
from treaty.ops.topics import plan_topics
from treaty_codegen.bump import Bump, Contracts, contracts
from treaty_codegen.finding import Finding, Severity
from treaty_codegen.old_set import old_set
from treaty_codegen.review import Job, Review
from treaty_runtime.admin import Cluster

CODEOWNERS: Final = Path(".github/CODEOWNERS")


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """What one job found: ``faults`` are sentences that fail it, ``findings`` fail it where one is an error. ``topics`` is a sentence
    about the cluster ("": none was asked).
    """

    findings: tuple[Finding, ...] = ()
    faults: tuple[str, ...] = ()
    looked_at: str = ""
    plan: Plan | None = None
    topics: str = ""

    @property
    def failed(self) -> bool:
        """Whether the job fails."""
        return bool(self.faults) or any(row.severity is Severity.ERROR for row in self.findings)

    def fault(self) -> str:
        """The first fault and how many there are; "" where only findings fail it, which speak for themselves."""
        more = f" (and {len(self.faults) - 1} more)" if len(self.faults) > 1 else ""
        return self.faults[0] + more if self.faults else ""

    def detail(self) -> str:
        """One sentence: the first fault, the number of errors, or what was looked at."""
        errors = sum(row.severity is Severity.ERROR for row in self.findings)
        return self.fault() or (f"{errors} error{'s' * (errors != 1)}" if errors else self.looked_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What to check: a project on a day, against what, and an environment if ``against`` names its registry; its cluster too,
    where one is known. ``drawer``: what was judged before (None: nothing is remembered).
    """

    settings: Settings
    against: Against
    today: date
    cluster: Cluster | None = None
    drawer: Drawer | None = None


def run(asked: Asked, only: Collection[str]) -> Iterator[tuple[str, Check]]:
    """Each job that was asked for (``only`` empty: all), in the order of ``JOBS``. Schemas that cannot be read fail a job, no more."""
    for name, check in JOBS.items():
        if name in (only or JOBS) and (name != "plan" or asked.against.registry is not None):
            try:
                yield name, check(asked)
            except BrokenSchemas as error:
                yield name, Check(faults=(str(error),))


def lint(asked: Asked) -> Check:
    outcome = checks.lint(asked.settings, drawer=asked.drawer)
    return Check(findings=outcome.findings, looked_at=outcome.looked_at)


def breaking(asked: Asked) -> Check:
    outcome = checks.breaking(asked.settings, asked.against, today=asked.today, drawer=asked.drawer)
    return Check(findings=outcome.findings, looked_at=outcome.looked_at)


def fresh(asked: Asked) -> Check:
    """What is generated, where it was ever generated: SDK, catalogue, and the owners' block."""
    faults, files = compared(asked)
    file = asked.settings.root / CODEOWNERS
    if file.exists() and not owners.is_fresh(asked.settings, file, write=False):
        faults.append(f"{CODEOWNERS} is not what topics.toml says; treaty owners --write {CODEOWNERS}")
    return Check(faults=tuple(faults), looked_at=f"{files} files")


def compared(asked: Asked) -> tuple[list[str], int]:
    """A fault for each generated folder that is not fresh, and the number of files."""
    key = key_of(asked.settings, drawer=asked.drawer)
    if known := standing(asked.settings, key, drawer=asked.drawer):
        return [], known.files
    made = list(generated(asked.settings))
    keep(asked.settings, key, made, drawer=asked.drawer)
    faults = []
    for each in made:
        stale = each.changes() if each.output.folder.is_dir() else []
        faults += [f"{each.name}: {len(stale)} files are not what the schemas give; treaty generate"] if stale else []
    return faults, sum(len(each.wanted) for each in made)


def old_bytes(asked: Asked) -> Check:
    """Golden values of every release, and every pair of releases."""
    folder = asked.settings.folder("schemas") / RELEASES
    now = old_set(load_project(asked.settings), label="the branch")
    pairs = list(matrix([now, *releases(folder)]))
    wrong = [*golden_faults(folder, now), *(str(pair) for pair in pairs if pair.contradicts)]
    return Check(faults=tuple(wrong), looked_at=f"{len(pairs)} pairs of releases")


def plan(asked: Asked) -> Check:
    """What apply would do. Drift is told and fails nothing: this branch did not bring it."""
    registry, environment = asked.against.registry, asked.against.environment
    assert registry is not None, "a plan needs an environment"  # noqa: S101  # `run` leaves the job out
    made, blocked = plan_registry(asked.settings, registry, environment=environment, today=asked.today)
    faults = tuple(f"{row.subject} would break version {row.version}: {'; '.join(row.messages)}" for row in blocked)
    return Check(
        faults=faults,
        looked_at=f"{len(made.steps)} steps, {len(made.drift)} drifts",
        plan=made,
        topics=told_of_topics(asked),
    )


def told_of_topics(asked: Asked) -> str:
    """What would be done to the cluster's topics. A cluster that gives no answer fails nothing: the branch did not do that."""
    if asked.cluster is None:
        return ""
    environment = asked.against.environment
    try:
        return told(plan_topics(asked.settings, asked.cluster, environment=environment, today=asked.today))
    except EnvironmentFault as error:
        return f"Topics of {environment} were not looked at: {error}"


JOBS: Final[Mapping[str, Callable[[Asked], Check]]] = {
    "lint": lint,
    "breaking": breaking,
    "generated": fresh,
    "bytes": old_bytes,
    "plan": plan,
}
"""Name to check; the names are those of the jobs that a hosting service shows, and stay."""


def review(asked: Asked, checks: Mapping[str, Check]) -> Review:
    """What reviewers are told, from the checks that were made."""
    findings = tuple(row for check in checks.values() for row in check.findings)
    made = checks["plan"].plan if "plan" in checks else None
    told_so_far = Review(
        problems=tuple(problems(findings)),
        remarks=tuple(remarks(findings)),
        jobs=tuple(Job(name=name, failed=each.failed, detail=each.fault()) for name, each in checks.items()),
        looked_at="Checked " + "; ".join(each.looked_at for each in checks.values() if each.looked_at) + ".",
        plan=f"{told(made)} {checks['plan'].topics}".strip() if made is not None else "",
        plan_sha256=made.steps_sha256 if made is not None else "",
    )
    try:
        return with_events(told_so_far, asked, findings)
    except BrokenSchemas:
        return told_so_far  # the job that reads them says why


def with_events(so_far: Review, asked: Asked, findings: tuple[Finding, ...]) -> Review:
    """The review with a row for each event that changed."""
    settings, catalog = asked.settings, load_project(asked.settings)
    base = base_of(settings, asked.against.base)
    last = next(iter(releases(settings.folder("schemas") / RELEASES)), None)
    versions = next_contracts(asked)
    branch = Branch(
        catalog=catalog,
        base=base,
        last=last,
        contracts=versions,
        findings=findings,
        readers=readers_now(settings, catalog, base),
    )
    rows = tuple(changed_events(branch))
    names = [row.event for row in rows]
    return replace(
        so_far,
        rows=rows,
        owners=owners_of(catalog, names),
        rollout=tuple(rollout(catalog, names)),
        bump="none" if versions.bump is Bump.NONE else versions.bump.name.lower(),
    )


def next_contracts(asked: Asked) -> Contracts:
    """The contract version of each event in the next release, waivers or not."""
    catalog = load_project(asked.settings)
    last = next(iter(releases(asked.settings.folder("schemas") / RELEASES)), None)
    found = judged(asked.settings, catalog, [last], today=asked.today) if last is not None else []
    return contracts(old_set(catalog, label="the branch"), last, found)
