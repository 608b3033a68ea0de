"""Findings that a project lives with for now: a file of their fingerprints, so that only what is new is told."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from treaty.errors import UsageError
from treaty.ops.files import replace_whole
from treaty_codegen.finding import Finding

FORMAT = 1
NEVER = "syntax"
"""The category of files that cannot be read: nothing else is checked in them, so they are told each time."""


def known_text(findings: Iterable[Finding]) -> str:
    """The file that knows these findings: by path, rule and fingerprint, without lines, which move."""
    rows = sorted({(row.at.path, row.rule, row.fingerprint) for row in findings if row.category != NEVER})
    body = {"format": FORMAT, "findings": [{"fingerprint": f, "rule": r, "path": p} for p, r, f in rows]}
    return json.dumps(body, indent=2, ensure_ascii=False) + "\n"


def write_known(file: Path, findings: Iterable[Finding]) -> None:
    """Writes the file, whole or not at all."""
    replace_whole(file, known_text(findings))


def read_known(file: Path) -> frozenset[str]:
    """The fingerprints in a file. Raises ``UsageError`` for one that is not there, or that ``write_known`` did not write."""
    try:
        body = json.loads(file.read_text(encoding="utf-8"))
        rows = body["findings"]
        if body["format"] != FORMAT:
            raise UsageError(f"{file} has format {body['format']!r:.40}, not {FORMAT}.")
        return frozenset(str(row["fingerprint"]) for row in rows)
    except OSError as error:
        raise UsageError(
            f"{file} cannot be read: {error.strerror}", next_step=f"treaty lint --write-baseline {file}"
        ) from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise UsageError(
            f"{file} is no baseline of findings.", next_step=f"treaty lint --write-baseline {file}"
        ) from error


def unknown(findings: Iterable[Finding], known: frozenset[str]) -> tuple[Finding, ...]:
    """Those that are not known yet."""
    return tuple(row for row in findings if row.category == NEVER or row.fingerprint not in known)
