"""The checks of a schema pull request: gather facts, judge, hand the findings to a printer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from treaty.config import Settings
from treaty.errors import UsageError
from treaty.ops.baseline import baselines
from treaty.ops.rules import check_breaking_settings, check_lint_settings
from treaty.ops.schemas import Tree, load_project, read_tree
from treaty.ops.tolerant import Fault, load_readable
from treaty_avro import AvroError
from treaty_codegen.breaking import breaking
from treaty_codegen.finding import Finding, Location, Severity, Text, fingerprint
from treaty_codegen.lint import lint


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a check found, and what it looked at (a sentence for people)."""

    findings: tuple[Finding, ...]
    looked_at: str


def run_breaking(settings: Settings, *, against: Iterable[str], base: str = "") -> Outcome:
    """The working tree against old sets; ``base`` names the branch for ``merge-base``.

    Raises ``UsageError`` for baselines, ``BrokenSchemas`` for the tree itself.
    """
    check_breaking_settings(settings)
    names = tuple(against) or tuple(settings.get("breaking", "against"))
    catalog, sets = load_project(settings), baselines(settings, names, base=base)
    try:
        findings = breaking(catalog, sets, root=root_of(settings), use=settings.get("breaking", "use"))
    except AvroError as error:
        raise UsageError(f"An old version cannot be compared with: {error}") from error
    events = sum(len(topic.events) for topic in catalog.topics.values())
    labels = ", ".join(old.label for old in sets) or "nothing: there is no release yet"
    return Outcome(findings=tuple(findings), looked_at=f"{events} event{'s' if events != 1 else ''} against {labels}")


def run_lint(settings: Settings, *, rules: Iterable[str] = ()) -> Outcome:
    """Every chosen rule over the working tree. A file that cannot be read is a finding; the others are checked all the same."""
    check_lint_settings(settings)
    tree = read_tree(settings.folder("schemas"))
    catalog, faults = load_readable(tree)
    findings = lint(
        catalog,
        root=root_of(settings),
        namespace=settings.get("project", "namespace"),
        use=tuple(rules) or tuple(settings.get("lint", "use")),
        leave_out=settings.get("lint", "except"),
        severities=settings.get("lint", "severity"),
        ignore=settings.get("lint", "ignore"),
    )
    broken = list(unreadable(tree, faults, root_of(settings)))
    count = len(tree.schemas) + len(tree.unread)
    return Outcome(findings=(*broken, *findings), looked_at=f"{count} schema{'s' if count != 1 else ''}")


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
