"""Release notes: what changed between two sets, for people who read events."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from treaty.ops.baseline import release_folders
from treaty.ops.diff import Fact, facts
from treaty_codegen.old_set import OldSet
from treaty_codegen.render.markdown import as_code, as_text

NOTES = "notes.md"
CHANGELOG = "CHANGELOG.md"
"""Beside ``topics.toml``: the notes of all releases on one page."""


def notes(last: OldSet | None, now: OldSet, *, version: str, contracts: Mapping[str, str]) -> str:
    """Markdown: a heading with the version, then each event that changed with its contract version and the facts.

    Texts of schemas appear as texts.
    """
    return f"# {version}\n" + "".join(sections(last, now, contracts))


def sections(last: OldSet | None, now: OldSet, contracts: Mapping[str, str]) -> Iterator[str]:
    """One section an event."""
    if last is None:
        yield "\nThe first release.\n"
        return
    by_event: dict[str, list[Fact]] = {}
    for fact in facts(last, now):
        by_event.setdefault(fact.event, []).append(fact)
    if not by_event:
        yield f"\nNothing changed since {last.label}.\n"
    for event, rows in by_event.items():
        old = last.events[event].contract if event in last.events else ""
        contract = " → ".join(filter(None, (old, contracts.get(event, "")))) if old != contracts.get(event) else old
        yield f"\n## {as_text(event)}{f' ({contract})' if contract else ''}\n\n" + "".join(map(line, rows))


def line(fact: Fact) -> str:
    """One fact as an item."""
    name = f" {as_code(fact.path)}" if fact.path else ""
    values = " → ".join(as_text(value) for value in (fact.before, fact.after) if value)
    return f"- {fact.kind.replace('-', ' ')}{name}{f': {values}' if values else ''}\n"


def changelog(folder: Path) -> str:
    """Markdown: the notes of every release, newest first; made of the release folders alone."""
    return "# Events: what changed\n" + "".join(section(release) for release in release_folders(folder))


def section(release: Path) -> str:
    """One release's notes, its headings one step lower."""
    file = release / NOTES
    text = file.read_text(encoding="utf-8") if file.is_file() else f"# {release.name}\n\nNo notes were kept.\n"
    return "\n" + "".join(f"#{row}" if row.startswith("#") else row for row in text.splitlines(keepends=True))
