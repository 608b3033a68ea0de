"""What would change on disk: the files that are there against the files that are wanted."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Final, Literal, TypeAlias

from treaty_avro.errors import one_line
from treaty_codegen.lines import MARK

Kind: TypeAlias = Literal["added", "changed", "stale", "foreign"]

GENERATED: Final = MARK.removeprefix("# ")
"""What says in a file's first line that it is the generator's."""

_STARTS: Final = ("# ", "<!-- ", "/* ", '{\n  "x-generated": "')
"""What stands before the mark in Python, Markdown and HTML, style sheets and scripts, and JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileChange:
    """One difference, from ``before`` to ``after``: what is there and what is wanted, b"" for nothing.

    stale: generated, and no longer wanted: to be deleted. foreign: not generated: never to be touched, only reported, even
    where a file is wanted.
    """

    path: PurePosixPath
    kind: Kind
    before: bytes = field(repr=False)
    after: bytes = field(repr=False)

    @property
    def diff(self) -> str:
        """Unified; "" for a foreign file. Made when it is asked for: most are only counted."""
        return "" if self.kind == "foreign" else _diff(self.path, self.before, self.after)

    def told(self, *, folder: str = "") -> str:
        """``changed  sdk/README.md``: one printable line, whatever the file is called."""
        return one_line(f"{self.kind:8} {PurePosixPath(folder) / self.path}")


def compare(
    existing: Mapping[PurePosixPath, bytes], wanted: Mapping[PurePosixPath, bytes], *, mark: str = GENERATED
) -> list[FileChange]:
    """The differences, sorted by path; none where all wanted files are there, byte for byte, and nothing else.

    ``mark``: how files begin that the maker of ``wanted`` may change or delete; those of another maker are foreign.
    """
    marks = tuple(f"{start}{mark}".encode() for start in _STARTS)
    changes = []
    for path in sorted({*existing, *wanted}, key=lambda path: path.parts):
        before, after = existing.get(path), wanted.get(path)
        if before == after:
            continue
        changes.append(
            FileChange(path=path, kind=_kind(before, after, marks), before=before or b"", after=after or b"")
        )
    return changes


def _kind(before: bytes | None, after: bytes | None, marks: tuple[bytes, ...]) -> Kind:
    if before is None:
        return "added"
    # Nobody loses anything with an empty file; there may be one where a machine lost its power.
    if before and not before.startswith(marks):
        return "foreign"
    return "changed" if after is not None else "stale"


def _diff(path: PurePosixPath, before: bytes, after: bytes) -> str:
    old, new = (text.decode("utf-8", "replace").splitlines(keepends=True) for text in (before, after))
    return "".join(difflib.unified_diff(old, new, fromfile=f"a/{path}", tofile=f"b/{path}"))
