"""alias-ambiguous: a reader's field stands for two fields of the writer, by its name and its aliases."""

from __future__ import annotations

from collections.abc import Iterator

from treaty_avro import AmbiguousField, Record
from treaty_codegen.breaking.facts import Comparison, Direction
from treaty_codegen.diff import Place, join
from treaty_codegen.finding import Finding, Severity, Text
from treaty_codegen.reach import named_within
from treaty_codegen.rule import Rule

NAME = "alias-ambiguous"


def check(comparison: Comparison) -> Iterator[Finding]:
    """Java's readers throw here, so no other wire rule can say anything of this direction."""
    for direction in comparison.directions:
        try:
            comparison.incompatibilities(direction)
        except AmbiguousField as error:
            yield ambiguous(comparison, direction, str(error))


def ambiguous(comparison: Comparison, direction: Direction, avro: str) -> Finding:
    path, both, place = two_in_one(comparison, direction)
    return comparison.finding(
        NAME,
        category="wire",
        severity=Severity.ERROR,
        at=place,
        step="/aliases",
        message=Text(
            "`{path}` stands for two fields, {both}: {reader} cannot read {records}",
            {
                "path": path,
                "both": both,
                "reader": "the new schema" if direction == "backward" else "the old schema",
                "records": "old records" if direction == "backward" else "new records",
            },
        ),
        help=Text("drop the alias, or keep the field that it names"),
        names=(direction, path, avro),
    )


def two_in_one(comparison: Comparison, direction: Direction) -> tuple[str, str, Place]:
    """Path of the reader's field, the two names in words, and where that can be seen on the new side."""
    reader, writer = comparison.new.root, comparison.old.root
    if direction == "forward":
        reader, writer = writer, reader
    written, new = named_within(writer), named_within(comparison.new.root)
    for name, record in named_within(reader).items():
        other = written.get(name)
        if not isinstance(record, Record) or not isinstance(other, Record):
            continue
        known = {field.name for field in other.fields}
        for field in record.fields:
            both = [each for each in (field.name, *field.aliases) if each in known]
            if len(both) > 1:
                here = new.get(name, comparison.new.root)
                pointer = field.pointer if direction == "backward" else f"{here.pointer}/fields"
                path = field.name if record is reader else join(record.name.simple, field.name)
                return path, " and ".join(f"`{each}`" for each in both), Place(owner=name, pointer=pointer)
    return comparison.event, "by an alias", Place(owner=comparison.event, pointer="")


RULE = Rule(name=NAME, category="wire", severity=Severity.ERROR, check=check)
