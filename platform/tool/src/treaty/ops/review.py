"""What a branch changes about events, for those who review it: facts, verdicts, readers and the plan, in one value."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from treaty.config import Settings
from treaty.errors import EnvironmentFault, UsageError
from treaty.ops import git
from treaty.ops.baseline import RELEASES, at_commit, releases
from treaty.ops.diff import facts
from treaty.ops.plan import Kind, Plan
from treaty.ops.readers import project_readers
from treaty_avro import AvroError
from treaty_codegen import Catalog, EmitError
from treaty_codegen.bump import Contracts
from treaty_codegen.finding import Finding, Severity
from treaty_codegen.old_set import OldSet, old_set
from treaty_codegen.readers import Readers
from treaty_codegen.review import EventRow, Problem

CROSS = "\N{HEAVY MULTIPLICATION X}"
WORDS = {"wire": "records break", "meaning": "values change", "source": "code breaks"}
"""What an error of a category does, in a table's cell."""
EMPTY = OldSet(label="nothing", events={})


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """A branch's schemas beside what it left, and what was found about them."""

    catalog: Catalog
    base: OldSet
    last: OldSet | None
    contracts: Contracts
    findings: tuple[Finding, ...] = ()
    readers: Readers = field(default_factory=Readers)


def base_of(settings: Settings, branch: str) -> OldSet:
    """What the branch left: its merge base where git knows one, else the last release, else nothing."""
    try:
        name, commit = git.merge_base(settings.root, branch)
        return at_commit(settings, commit, label=f"merge base with {name}")
    except (UsageError, EnvironmentFault):
        return next(iter(releases(settings.folder("schemas") / RELEASES)), EMPTY)


def readers_now(settings: Settings, catalog: Catalog, base: OldSet) -> Readers:
    """Who reads what, fields that go included; nobody is known where no class can be made of the schemas."""
    try:
        return project_readers(settings, catalog, older=sorted({event.text for event in base.events.values()}))
    except (EmitError, AvroError):
        return Readers()


def changed_events(branch: Branch) -> Iterator[EventRow]:
    """A row for each event that is not as the branch found it, or that an error is about, in alphabetical order."""
    now = old_set(branch.catalog, label="the branch")
    changes: dict[str, list[str]] = {}
    for fact in facts(branch.base, now):
        changes.setdefault(fact.event, []).append(" ".join(str(fact).replace(fact.event, "").split()))
    errors = {name for row in branch.findings if row.severity is Severity.ERROR for name in row.affects}
    for name in sorted(changes.keys() | errors):
        before = branch.last.events[name].contract if branch.last and name in branch.last.events else ""
        yield EventRow(
            event=name,
            before=before,
            after=branch.contracts.versions.get(name, ""),
            changes=tuple(changes.get(name, ())),
            wire=verdict(branch.findings, name, "wire") or clean_wire(branch.catalog, name),
            meaning=verdict(branch.findings, name, "meaning"),
            sdk=verdict(branch.findings, name, "source") or ("additive" if changes.get(name) else "same"),
            readers=tuple(who_reads(branch.catalog, branch.readers, name)),
        )


def verdict(findings: Iterable[Finding], event: str, category: str) -> str:
    """The cell of one event and category; "" where nothing was found that matters."""
    own = [row.severity for row in findings if row.category == category and event in row.affects]
    if Severity.ERROR in own:
        return f"{CROSS} {WORDS[category]}"
    return f"! {own.count(Severity.WARNING)}" if Severity.WARNING in own else ""


def clean_wire(catalog: Catalog, event: str) -> str:
    """What the level of an event promises where nothing breaks it."""
    topic = catalog.topic_of(event)
    if topic is None or topic.compatibility == "NONE":
        return ""
    return "ok both ways" if topic.compatibility.startswith("FULL") else "ok"


def who_reads(catalog: Catalog, readers: Readers, event: str) -> Iterator[str]:
    """Each declared reader of an event, and what its code says: places, unknown, or that the code is elsewhere."""
    scans = dict(readers.scans)
    topic = catalog.topic_of(event)
    declared = [each for each in topic.consumers if not each.events or event in each.events] if topic else []
    for name in sorted({each.service or f"external {each.external}" for each in declared}):
        scan = scans.get(name)
        if scan is None:
            yield f"{name} (code elsewhere)"
            continue
        places = len({(read.file, read.line) for read in scan.reads if read.event == event})
        if any(lost.event == event for lost in scan.unknown):
            yield f"{name} (unknown)"
        else:
            yield f"{name} ({places} place{'s' * (places != 1)})" if places else f"{name} (no read found)"


def owners_of(catalog: Catalog, events: Collection[str]) -> tuple[str, ...]:
    """Who owns the topics of these events."""
    return tuple(sorted({topic.owner for name in events if (topic := catalog.topic_of(name)) is not None}))


def rollout(catalog: Catalog, events: Iterable[str]) -> Iterator[str]:
    """Who goes first, for each level among the topics of these events."""
    orders: dict[str, list[str]] = {}
    for name in events:
        topic = catalog.topic_of(name)
        level = topic.compatibility.partition("_")[0] if topic is not None else ""
        orders.setdefault(level, []).append(name.rpartition(".")[2])
    for level, order in (("FULL", "in any order"), ("BACKWARD", "readers first"), ("FORWARD", "producers first")):
        if level in orders:
            yield f"{', '.join(sorted(orders[level]))} {order}"


def problems(findings: Iterable[Finding]) -> Iterator[Problem]:
    """Every error."""
    for row in findings:
        if row.severity is Severity.ERROR:
            yield Problem(
                rule=row.rule,
                place=f"{row.at.path}:{row.at.line}",
                message=str(row.message),
                fingerprint=row.fingerprint,
                proof=str(row.proof) if row.proof is not None else "",
                affects=row.affects,
                against=row.against or "",
                readers=tuple(map(str, row.readers)),
                help=str(row.help) if row.help is not None else "",
            )


def remarks(findings: Iterable[Finding]) -> Iterator[str]:
    """Every warning and remark on one line."""
    for row in findings:
        if row.severity is not Severity.ERROR:
            yield f"{row.at.path}:{row.at.line} {row.rule}: {row.message}" + (f" ({row.help})" if row.help else "")


STEPS: Mapping[Kind, Mapping[str, tuple[str, ...]]] = {
    "registry": {
        "level": ("set-level",),
        "version": ("register",),
        "delete": ("soft-delete", "permanent-delete"),
    },
    "topics": {
        "creation": ("create",),
        "change": ("alter-config", "add-partitions"),
        "delete": ("delete-topic",),
    },
}


def told(made: Plan) -> str:
    """A plan as a sentence."""
    words = STEPS[made.kind].items()
    counts = [(word, sum(step.action in actions for step in made.steps)) for word, actions in words]
    parts = [*counts, ("drift", len(made.drift))]
    text = ", ".join(f"{count} {word}{'s' * (count != 1)}" for word, count in parts)
    return f"{made.kind.capitalize()} plan for {made.environment}: {text}."
