"""removed-too-early: a deprecated field goes before the day that its readers were given."""

from __future__ import annotations

from collections.abc import Iterator

from treaty_avro import Field
from treaty_codegen.breaking.facts import Comparison
from treaty_codegen.diff import Change
from treaty_codegen.finding import Finding, Severity, Text
from treaty_codegen.rule import Rule
from treaty_codegen.tags import deprecation

NAME = "removed-too-early"


def check(comparison: Comparison) -> Iterator[Finding]:
    """Against the newest version: `remove_after` was a promise to whoever reads the field; a field that is read is deprecated first.

    Without a clock nothing is said of days, without a look at the code nothing of readers.
    """
    for change in comparison.changes:
        if change.kind == "field-removed" and change.old_field is not None:
            message = promise(comparison, change, change.old_field)
            if message is not None:
                yield comparison.finding(
                    NAME,
                    category="policy",
                    severity=Severity.ERROR,
                    at=change.place,
                    message=message,
                    help=Text("put it back until then; readers plan by that day"),
                    names=(change.path, "early", message.arguments.get("until", "")),
                )


def promise(comparison: Comparison, change: Change, field: Field) -> Text | None:
    """What was promised of a field, in words; None where nothing stands against its removal."""
    promised = deprecation(field)
    if promised is None:
        reads = [each for each in comparison.read_by(change.place.owner, field.name) if each.why is None]
        words = "field `{path}` was never deprecated, and {reader} reads it"
        return Text(words, {"path": change.path, "reader": str(reads[0])}) if reads else None
    if not promised.remove_after or comparison.today is None or comparison.today.isoformat() > promised.remove_after:
        return None
    words = "field `{path}` was promised to stay until {until}, and is gone"
    return Text(words, {"path": change.path, "until": promised.remove_after})


RULE = Rule(name=NAME, category="policy", severity=Severity.ERROR, check=check)
