"""The checks of a schema pull request: gather facts, judge, hand the findings to a printer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from treaty.config import Settings
from treaty.ops.baseline import baselines
from treaty.ops.schemas import load_project, read_tree
from treaty_avro import SchemaError
from treaty_codegen import CatalogError, load_catalog
from treaty_codegen.breaking import breaking
from treaty_codegen.finding import Finding, Location, Severity, Text, fingerprint
from treaty_codegen.lint import lint


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a check found, and what it looked at (a sentence for people)."""

    findings: tuple[Finding, ...]
    looked_at: str


def run_breaking(settings: Settings, *, against: Iterable[str]) -> Outcome:
    """The working tree against old sets. Raises ``UsageError`` for baselines, ``SchemaError`` for the tree itself."""
    names = tuple(against) or tuple(settings.get("breaking", "against"))
    catalog, sets = load_project(settings), baselines(settings, names)
    root = f"{settings.get('project', 'schemas')}/"
    findings = breaking(catalog, sets, root=root, use=settings.get("breaking", "use"))
    events = sum(len(topic.events) for topic in catalog.topics.values())
    labels = ", ".join(old.label for old in sets) or "nothing: there is no release yet"
    return Outcome(findings=tuple(findings), looked_at=f"{events} events against {labels}")


def run_lint(settings: Settings, *, rules: Iterable[str] = ()) -> Outcome:
    """Every chosen rule over the working tree; a text that does not parse is a finding like any other."""
    texts, topics = read_tree(settings.folder("schemas"))
    root = f"{settings.get('project', 'schemas')}/"
    looked_at = f"{len(texts)} schemas"
    try:
        catalog = load_catalog(texts, topics=topics)
    except (SchemaError, CatalogError) as error:
        return Outcome(findings=(syntax_error(error, root),), looked_at=looked_at)
    findings = lint(
        catalog,
        root=root,
        namespace=settings.get("project", "namespace"),
        use=tuple(rules) or tuple(settings.get("lint", "use")),
        leave_out=settings.get("lint", "except"),
        severities=settings.get("lint", "severity"),
        ignore=settings.get("lint", "ignore"),
    )
    return Outcome(findings=tuple(findings), looked_at=looked_at)


def syntax_error(error: SchemaError | CatalogError, root: str) -> Finding:
    """A schema or ``topics.toml`` that cannot be read, as a finding at its place."""
    path = getattr(error, "path", None) or "topics.toml"
    at = Location(path=f"{root}{path}", line=getattr(error, "line", 1) or 1, column=getattr(error, "column", 1) or 1)
    return Finding(
        rule="syntax-error",
        severity=Severity.ERROR,
        category="syntax",
        at=at,
        message=Text("{reason}", {"reason": getattr(error, "reason", None) or str(error)}),
        fingerprint=fingerprint("syntax-error", path, str(error)),
    )
