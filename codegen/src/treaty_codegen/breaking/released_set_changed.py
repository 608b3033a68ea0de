"""released-set-changed: a file of a release is no longer what was released."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from treaty_codegen.finding import Finding, Location, Severity, Text, fingerprint

NAME = "released-set-changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleasedFile:
    """A file below ``releases/`` by its path from the project, as ``witness`` (a tag, the merge base) has it and as it is now.

    ``now`` None: it is gone.
    """

    path: str
    witness: str
    before: bytes
    now: bytes | None


def check(files: Iterable[ReleasedFile]) -> Iterator[Finding]:
    """Each file once, by its first witness: every later comparison would be with something that was never released."""
    told: set[str] = set()
    for file in files:
        if file.now == file.before or file.path in told:
            continue
        told.add(file.path)
        what = "is gone" if file.now is None else "is not what was released"
        yield Finding(
            rule=NAME,
            severity=Severity.ERROR,
            category="policy",
            at=Location(path=file.path),
            message=Text(
                "{path} {what}: {witness} holds other bytes", {"path": file.path, "what": what, "witness": file.witness}
            ),
            help=Text("git restore it; what must change goes into a new release"),
            against=file.witness,
            fingerprint=fingerprint(NAME, file.path),
        )
