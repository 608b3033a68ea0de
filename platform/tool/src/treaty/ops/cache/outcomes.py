"""An outcome as JSON and back, with every member's type looked at: what comes from a file may be anything.

Errors of reading are ``ValueError``, ``TypeError``, ``KeyError`` and their kin, listed in ``NO_ENTRY``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final, TypeVar

from treaty.ops.outcome import Outcome
from treaty_codegen.finding import Edit, Finding, Fix, Location, Operation, Proof, Reader, Severity, Text

T = TypeVar("T")

NO_ENTRY: Final = (ValueError, TypeError, LookupError, AttributeError, RecursionError)
"""What reading raises for a text that ``as_json`` did not write."""


def as_json(outcome: Outcome) -> dict[str, Any]:
    """The outcome without its root, which is the reader's."""
    findings = [asdict(each) for each in outcome.findings]
    return {"findings": findings, "looked_at": outcome.looked_at, "files": list(outcome.files)}


def outcome_of(body: Any, *, root: Path) -> Outcome:
    """The outcome that ``as_json`` wrote. Raises one of ``NO_ENTRY`` for anything else."""
    return Outcome(
        findings=many(finding, body["findings"]),
        looked_at=text(body["looked_at"]),
        files=many(text, body["files"]),
        root=root,
    )


def finding(row: Any) -> Finding:
    return Finding(
        rule=text(row["rule"]),
        severity=Severity(row["severity"]),
        category=text(row["category"]),
        at=location(row["at"]),
        message=sentence(row["message"]),
        fingerprint=text(row["fingerprint"]),
        help=maybe(sentence, row["help"]),
        event=maybe(text, row["event"]),
        subject=maybe(text, row["subject"]),
        against=maybe(text, row["against"]),
        affects=many(text, row["affects"]),
        proof=maybe(proof, row["proof"]),
        readers=many(reader, row["readers"]),
        fix=maybe(fix, row["fix"]),
        waived=maybe(sentence, row["waived"]),
    )


def location(row: Any) -> Location:
    return Location(
        path=text(row["path"]),
        line=number(row["line"]),
        column=number(row["column"]),
        end_line=number(row["end_line"]),
        end_column=number(row["end_column"]),
        pointer=text(row["pointer"]),
    )


def sentence(row: Any) -> Text:
    """A sentence that can be said: each of its places has an argument."""
    said = Text(text(row["template"]), {text(name): text(value) for name, value in table(row["arguments"]).items()})
    str(said)
    return said


def proof(row: Any) -> Proof:
    return Proof(
        value=text(row["value"]),
        hex=text(row["hex"]),
        writer=text(row["writer"]),
        reader=text(row["reader"]),
        read_as=maybe(text, row["read_as"]),
        error=maybe(text, row["error"]),
        python=maybe(text, row["python"]),
    )


def reader(row: Any) -> Reader:
    return Reader(
        service=text(row["service"]),
        file=text(row["file"]),
        line=number(row["line"]),
        why=maybe(text, row["why"]),
        exhaustive=truth(row["exhaustive"]),
    )


def fix(row: Any) -> Fix:
    return Fix(
        path=text(row["path"]),
        operations=many(operation, row["operations"]),
        edits=many(edit, row["edits"]),
        rename_to=maybe(text, row["rename_to"]),
    )


def operation(row: Any) -> Operation:
    if row["op"] not in ("add", "remove", "replace", "move"):
        raise ValueError("no such operation")
    return Operation(op=row["op"], path=text(row["path"]), value=row["value"], from_=text(row["from_"]))


def edit(row: Any) -> Edit:
    return Edit(
        line=number(row["line"]),
        column=number(row["column"]),
        end_line=number(row["end_line"]),
        end_column=number(row["end_column"]),
        text=text(row["text"]),
    )


def many(read: Callable[[Any], T], rows: Any) -> tuple[T, ...]:
    if not isinstance(rows, list):
        raise TypeError("no list")
    return tuple(map(read, rows))


def maybe(read: Callable[[Any], T], value: Any) -> T | None:
    return None if value is None else read(value)


def table(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise TypeError("no table")
    return value


def text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("no text")
    return value


def number(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError("no whole number")
    return value


def truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError("neither true nor false")
    return value
