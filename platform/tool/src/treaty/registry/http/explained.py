"""The JSON of an explanation: what a schema would break, where, for whom, and how to mend it."""

from __future__ import annotations

from typing import Final

from treaty.registry.decisions.breaking import Told
from treaty.registry.rows import Json
from treaty.registry.service.explaining import Explanation
from treaty_codegen.finding import Proof

PROOF: Final = ("value", "hex", "writer", "reader", "read_as", "error", "python")
"""Members of a proof; ``python``: what our own codec makes of the bytes, where it takes them otherwise than Java does."""
NEVER_LEFT_OUT: Final = ("rule", "category", "severity", "version", "path", "message", "fails")


def explanation_body(found: Explanation) -> dict[str, Json]:
    """The whole answer; lines and columns count in the text as it was sent, from 1."""
    return {
        "is_compatible": found.is_compatible,
        "level": found.level,
        "findings": [_finding(each) for each in found.findings],
        **({"more": True} if found.is_cut else {}),
    }


def _finding(told: Told) -> dict[str, Json]:
    finding = told.finding
    members: dict[str, Json] = {
        "rule": finding.rule,
        "category": finding.category,
        "severity": str(finding.severity),
        "version": told.version,
        "path": told.path,
        "before": told.before,
        "after": told.after,
        "fails": list(told.fails),
        "message": str(finding.message),
        "fix": None if finding.help is None else str(finding.help),
        "pointer": finding.at.pointer,
        "line": finding.at.line,
        "column": finding.at.column,
        "proof": None if finding.proof is None else _proof(finding.proof),
        "fingerprint": finding.fingerprint,
    }
    return {key: value for key, value in members.items() if key in NEVER_LEFT_OUT or value not in (None, "")}


def _proof(proof: Proof) -> dict[str, Json]:
    members = {name: getattr(proof, name) for name in PROOF}
    return {name: value for name, value in members.items() if value is not None}
