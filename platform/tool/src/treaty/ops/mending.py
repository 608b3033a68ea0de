"""``treaty lint --fix``: what can be mended without changing a meaning is mended, whole files at a time.

Laws: a file is written only if all schemas still parse with it, and only over the text that was judged; a second run changes nothing.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from treaty.config import Settings
from treaty.errors import TreatyError
from treaty.ops.check import is_below, lint_of, root_of
from treaty.ops.files import replace_whole
from treaty.ops.schemas import Tree, Unread, read_tree, text_of
from treaty.ops.tolerant import load_readable
from treaty_codegen.finding import Finding
from treaty_codegen.mend import applied
from treaty_codegen.written_examples import examples_path

ROUNDS = 10
"""One fix may make room for another; nothing needs more rounds than a field has findings."""


class ChangedMeanwhile(TreatyError):
    """A file was changed while it was being mended; nothing of it was written."""

    exit_code = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Mended:
    """One file: its paths from the schemas folder, before and after, its texts, and the findings that are gone."""

    path: str
    to: str
    before: str
    after: str
    findings: tuple[Finding, ...] = ()

    def diff(self) -> str:
        """What changed, as a unified diff; a new name alone as one line."""
        old, new = (text.splitlines(keepends=True) for text in (self.before, self.after))
        name = f"rename {self.path} => {self.to}\n" if self.path != self.to else ""
        return name + "".join(difflib.unified_diff(old, new, fromfile=f"a/{self.path}", tofile=f"b/{self.to}"))


def mend(settings: Settings, *, rules: Iterable[str] = (), only: Iterable[str] = ()) -> list[Mended]:
    """What `--fix` would change; nothing is written. ``only``: paths from the project to which it is limited ((): all)."""
    folder, limit = settings.folder("schemas"), tuple(only)
    tree = first = read_tree(folder)
    files = {path: Mended(path=path, to=path, before=text, after=text) for path, text in first.schemas.items()}
    refused: set[str] = set()
    for _ in range(ROUNDS):
        rows = [row for row in lint_of(settings, tree, rules=rules).findings if row.fix]
        rows = [row for row in rows if not limit or is_below(row.at.path, limit)]
        before = tree
        for path, found in by_file(rows, root_of(settings)).items():
            if path not in refused:
                tree = one_file(tree, path, found, files, refused)
        if tree == before:
            break
    return [file for file in files.values() if file.findings]


def one_file(tree: Tree, path: str, found: list[Finding], files: dict[str, Mended], refused: set[str]) -> Tree:
    """The tree with one file mended: its text first, its name in a round of its own; as it was where that would break something."""
    edited = [row for row in found if row.fix is not None and row.fix.edits]
    source = next(name for name, file in files.items() if file.to == path)
    if edited:
        text, numbers = applied(tree.schemas[path], [row.fix.edits for row in edited if row.fix is not None])
        changed = replace(tree, schemas={**tree.schemas, path: text})
        after = replace(files[source], after=text, findings=(*files[source].findings, *(edited[n] for n in numbers)))
    else:
        changed, after = renamed(tree, path, found[0], files[source])
    if len(load_readable(changed)[1]) > len(load_readable(tree)[1]):
        refused.add(path)
        return tree
    files[source] = after
    return changed


def renamed(tree: Tree, path: str, row: Finding, file: Mended) -> tuple[Tree, Mended]:
    """The tree with another name for one file, and for its examples."""
    assert row.fix is not None  # noqa: S101  # who calls has looked
    to = path.rpartition("/")[0] + "/" * ("/" in path) + (row.fix.rename_to or "").rpartition("/")[2]
    schemas = {to if name == path else name: text for name, text in tree.schemas.items()}
    examples = {
        examples_path(to) if name == examples_path(path) else name: text for name, text in tree.examples.items()
    }
    return replace(tree, schemas=schemas, examples=examples), replace(file, to=to, findings=(*file.findings, row))


def by_file(rows: Iterable[Finding], root: str) -> dict[str, list[Finding]]:
    """Findings by the file that their fix is about, from the schemas folder."""
    found: dict[str, list[Finding]] = {}
    for row in rows:
        if row.fix is not None:
            found.setdefault(row.fix.path.removeprefix(root), []).append(row)
    return found


def write(settings: Settings, files: Iterable[Mended]) -> None:
    """Writes them; a kill leaves each file as it was or mended, and the next run mends the rest.

    Raises ``ChangedMeanwhile`` for a text that is no longer the one that was judged, or a name that somebody took.
    """
    folder = settings.folder("schemas")
    for file in files:
        path = folder / file.path
        now = text_of(path, file.path) if os.path.lexists(path) else None
        if isinstance(now, Unread) or now != file.before:
            raise ChangedMeanwhile(f"{file.path} was changed by somebody else.", next_step="treaty lint --fix")
        if file.after != file.before:
            replace_whole(path, file.after)
        if file.to != file.path:
            # Examples first: killed in between, the schema still has its old name, and is found again.
            rename(folder / examples_path(file.path), folder / examples_path(file.to))
            rename(path, folder / file.to)


def rename(path: Path, to: Path) -> None:
    """Another name for a file that is there; never in place of another one."""
    if not os.path.lexists(path):
        return
    if os.path.lexists(to):
        raise ChangedMeanwhile(f"{to} exists already.", next_step="treaty lint")
    path.rename(to)
