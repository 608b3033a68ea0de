"""The checks of a schema pull request: gather facts, judge, hand the findings to a printer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from treaty.config import Settings
from treaty.errors import EnvironmentFault, UsageError
from treaty.ops import git
from treaty.ops.against import Against
from treaty.ops.baseline import REGISTRY, RELEASES, baselines, catalog_at, each_release
from treaty.ops.outcome import Outcome
from treaty.ops.readers import project_readers
from treaty.ops.released import released_files
from treaty.ops.rules import check_breaking_settings, check_lint_settings
from treaty.ops.schemas import Tree, load_project, read_tree
from treaty.ops.tolerant import Fault, load_readable
from treaty.ops.waivers import load_waivers, waivers_or_fault
from treaty_avro import AvroError
from treaty_codegen import Catalog, EmitError
from treaty_codegen.breaking import breaking, registry_disagrees, released_set_changed
from treaty_codegen.breaking.waiving import Judge
from treaty_codegen.finding import Finding, Location, Severity, Text, fingerprint
from treaty_codegen.lint import Choice, facts_of, lint
from treaty_codegen.old_set import OldSet
from treaty_codegen.places import Places
from treaty_codegen.readers import Readers
from treaty_codegen.released import Released

if TYPE_CHECKING:
    from treaty.ops.http import RegistryHttp
    from treaty.ops.registry_sides import RegistrySide


def run_breaking(settings: Settings, against: Against, *, today: date) -> Outcome:
    """The working tree against old sets, and released files against what git remembers of them.

    Raises ``UsageError`` for baselines, ``BrokenSchemas`` for the tree itself.
    """
    check_breaking_settings(settings)
    catalog, names = load_project(settings), names_of(settings, against)
    sets = baselines(settings, names, base=against.base)
    side = None
    if REGISTRY in names and against.registry is not None:
        from treaty.ops.registry_sides import look, old_sets  # noqa: PLC0415  # an HTTP client takes as long as the rest

        side = look(catalog, against.registry, environment=against.environment)
        sets = sets + old_sets(side, catalog)
    readers = readers_of(settings, catalog, sets)
    found = list(chosen(settings, judged(settings, catalog, sets, today=today, readers=readers, proves=against.proves)))
    judge = Judge(
        catalog=catalog,
        today=today,
        root=root_of(settings),
        pii_owner=settings.get("governance", "pii_owner"),
        approvals=against.approvals,
        judges_unused=not against.names,
    )
    found = judge.apply(found, load_waivers(settings).waivers)
    if not against.judges_all:
        found = inherited(found, known_before(settings, sets, base=against.base, today=today))
    found += chosen(settings, released_set_changed.check(released_files(settings, base=against.base)))
    if side is not None and against.registry is not None:
        found += chosen(settings, disagreements(settings, catalog, side, against.registry))
    events = sum(len(topic.events) for topic in catalog.topics.values())
    labels = ", ".join(old.label for old in sets) or "nothing: there is no release yet"
    return Outcome(
        findings=tuple(found),
        looked_at=f"{events} event{'s' if events != 1 else ''} against {labels}",
        files=tuple(root_of(settings) + path for path in catalog.files),
        root=settings.root,
    )


def disagreements(
    settings: Settings, catalog: Catalog, side: RegistrySide, registry: RegistryHttp
) -> Iterable[Finding]:
    """Where the registry's verdict on a new text is not ours."""
    from treaty.ops.registry_sides import verdicts  # noqa: PLC0415  # as above

    return registry_disagrees.check(verdicts(side, registry), catalog, places=Places(catalog, root=root_of(settings)))


def names_of(settings: Settings, against: Against) -> tuple[str, ...]:
    """The old sides: those that were asked for, else the project's; with an environment its registry too."""
    names = against.names or tuple(settings.get("breaking", "against"))
    if against.registry is None and REGISTRY in names:
        raise UsageError("--against registry: which one?", next_step="name it: --env prod")
    return names if against.registry is None or against.names else (*names, REGISTRY)


def readers_of(settings: Settings, catalog: Catalog, sets: list[OldSet]) -> Readers:
    """Who reads what, fields of old sides included; nobody is known where no class can be made of the schemas."""
    try:
        texts = {event.text for old in sets for event in old.events.values()}
        return project_readers(settings, catalog, older=sorted(texts))
    except (EmitError, AvroError):
        return Readers()


def judged(
    settings: Settings,
    catalog: Catalog,
    sets: list[OldSet],
    *,
    today: date,
    readers: Readers | None = None,
    proves: bool = True,
) -> list[Finding]:
    """Every finding of one catalog against old sets; the project's choice of rules comes later (``chosen``)."""
    try:
        return breaking(catalog, sets, root=root_of(settings), today=today, readers=readers, proves=proves)
    except AvroError as error:
        raise UsageError(f"An old version cannot be compared with: {error}") from error


def known_before(settings: Settings, sets: list[OldSet], *, base: str, today: date) -> frozenset[str]:
    """Fingerprints of what the merge base already has against the same old sides; none where git knows no merge base."""
    try:
        branch, commit = git.merge_base(settings.root, base)
        before = catalog_at(settings, commit, label=f"merge base with {branch}")
    except (UsageError, EnvironmentFault):
        return frozenset()
    return frozenset(row.fingerprint for row in judged(settings, before, sets, today=today, proves=False))


def inherited(found: list[Finding], before: frozenset[str]) -> list[Finding]:
    """Findings that the merge base has too, as information: this branch did not bring them."""
    note = Text("this branch did not bring it: the merge base has it already; --all judges it again")
    return [
        replace(row, severity=Severity.INFO, help=note)
        if row.fingerprint in before and row.severity is not Severity.INFO
        else row
        for row in found
    ]


def chosen(settings: Settings, found: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings of the categories and rules that ``[breaking] use`` names."""
    use = frozenset(settings.get("breaking", "use"))
    return tuple(row for row in found if not use or {row.rule, row.category} & use)


def run_lint(settings: Settings, *, rules: Iterable[str] = (), only: Iterable[str] = ()) -> Outcome:
    """Every chosen rule over the working tree. A file that cannot be read is a finding; the others are checked all the same.

    ``only``: paths from the project whose findings are told ((): all); what they depend on is read all the same.
    """
    outcome, limit = lint_of(settings, read_tree(settings.folder("schemas")), rules=rules), tuple(only)
    if not limit:
        return outcome
    kept = tuple(row for row in outcome.findings if is_below(row.at.path, limit))
    files = tuple(path for path in outcome.files if is_below(path, limit))
    looked_at = f"{len(files)} schema{'s' if len(files) != 1 else ''}"
    return Outcome(findings=kept, files=files, looked_at=looked_at, root=settings.root)


def is_below(path: str, only: Iterable[str]) -> bool:
    """Whether a path is one of these, or lies in one of them."""
    return any(path == each or path.startswith(f"{each}/") for each in only)


def lint_of(settings: Settings, tree: Tree, *, rules: Iterable[str] = ()) -> Outcome:
    """The same over files that were read already."""
    check_lint_settings(settings)
    catalog, faults = load_readable(tree)
    waivers, broken_waivers = waivers_or_fault(settings)
    facts = facts_of(
        catalog,
        root=root_of(settings),
        namespace=settings.get("project", "namespace"),
        personal=settings.get("governance", "pii"),
        ignores=waivers.ignores,
        scans=readers_of(settings, catalog, []).scans,
        released=Released(texts_of(each_release(settings.folder("schemas") / RELEASES))),
    )
    choice = Choice(
        use=tuple(rules) or tuple(settings.get("lint", "use")),
        leave_out=settings.get("lint", "except"),
        severities=settings.get("lint", "severity"),
        ignore=settings.get("lint", "ignore"),
    )
    findings = lint(facts, choice)
    broken = list(unreadable(tree, [*faults, *broken_waivers], root_of(settings)))
    count = len(tree.schemas) + len(tree.unread)
    return Outcome(
        findings=(*broken, *findings),
        looked_at=f"{count} schema{'s' if count != 1 else ''}",
        files=tuple(root_of(settings) + path for path in tree.schemas),
        root=settings.root,
    )


def texts_of(sets: Iterable[OldSet]) -> Iterator[dict[str, str]]:
    """Of each set its events and their published texts."""
    return ({name: event.text for name, event in old.events.items()} for old in sets)


def root_of(settings: Settings) -> str:
    return f"{settings.get('project', 'schemas')}/"


def unreadable(tree: Tree, faults: Iterable[Fault], root: str) -> Iterator[Finding]:
    """Files that were not read, then texts that break a rule of Avro or of ``topics.toml``, each at its place."""
    for each in tree.unread:
        yield fault("file-unreadable", Location(path=root + each.path), each.reason)
    for error in faults:
        line, column = max(error.line, 1), max(getattr(error, "column", 1), 1)
        at = Location(path=root + error.path, line=line, column=column, end_line=line, end_column=column)
        yield fault("syntax-error", at, error.reason)


def fault(rule: str, at: Location, reason: str) -> Finding:
    return Finding(
        rule=rule,
        severity=Severity.ERROR,
        category="syntax",
        at=at,
        message=Text("{reason}", {"reason": reason}),
        fingerprint=fingerprint(rule, at.path, reason),
    )
