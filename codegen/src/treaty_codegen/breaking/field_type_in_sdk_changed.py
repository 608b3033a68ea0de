"""field-type-in-sdk-changed: an attribute of the generated class has another Python type."""

from __future__ import annotations

from collections.abc import Iterator

from treaty_avro import Type, Union
from treaty_codegen.annotations import annotation
from treaty_codegen.breaking.facts import Comparison
from treaty_codegen.finding import Finding, Severity, Text
from treaty_codegen.reach import named_within
from treaty_codegen.rule import Rule
from treaty_codegen.source import Source

NAME = "field-type-in-sdk-changed"


def check(comparison: Comparison) -> Iterator[Finding]:
    """Whatever the wire says: code that takes an int for granted gets something else. Null alone is `null-newly-possible`."""
    told: set[str] = set()
    for change in comparison.changes:
        old, new = change.old, change.new
        if change.kind not in {"type-changed", "branch-added", "branch-removed"} or old is None or new is None:
            continue
        before, after = in_python(old), in_python(new)
        if before == after or change.path in told:
            continue
        told.add(change.path)
        yield comparison.finding(
            NAME,
            category="source",
            severity=Severity.ERROR,
            at=change.place,
            step="/type",
            message=Text(
                "`{path}` is {after} in the next SDK, it was {before}: code that uses it breaks",
                {"path": change.path or "/", "before": before, "after": after},
            ),
            help=Text("add a new field of the new type and deprecate the old one"),
            names=(change.path, before, after),
        )


def in_python(type_: Type) -> str:
    """The annotation of a type as the SDK spells it, without None: `int`, `str | Decimal`."""
    source = Source({name: name.rpartition(".")[2] for name in named_within(type_)})
    branches = type_.branches if isinstance(type_, Union) else (type_,)
    words = [annotation(branch, scope=source.within()) for branch in branches if branch.kind != "null"]
    return " | ".join(dict.fromkeys(word.rpartition("._")[2].removeprefix("_") for word in words)) or "None"


RULE = Rule(name=NAME, category="source", severity=Severity.ERROR, check=check)
