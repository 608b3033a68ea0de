"""The fields of a type, with what is within it: what each means, since when it is there, who reads it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from treaty.ops.catalogue.frame import paragraphs
from treaty.ops.catalogue.history import Field as Place
from treaty.ops.catalogue.html import Child, Html, code, el, table
from treaty.ops.catalogue.places import Places
from treaty.ops.catalogue.reading import lines_of
from treaty_avro import MISSING, Enum, Field, Fixed, Named, Record
from treaty_codegen.documents.type_words import type_words
from treaty_codegen.reach import has_class, is_duration, named_within
from treaty_codegen.readers import Readers
from treaty_codegen.tags import deprecation, personal_data, symbol_deprecation, unit


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What a type's table needs besides the type: where it stands, since when fields are, who reads them for which event."""

    places: Places
    at: PurePosixPath
    since: Mapping[Place, str]
    readers: Readers
    event: str


def types(root: Named, around: Around) -> list[Child]:
    """A section for the type and for each one within it."""
    found: list[Child] = []
    for name, type_ in named_within(root).items():
        if type_ is root:
            found.append(type_section(type_, around))
        elif has_class(type_) and not is_duration(type_):
            link = around.places.link("types", name, at=around.at)
            found += [el("h3", link, id=anchor(name)), paragraphs(type_.doc or ""), type_section(type_, around)]
    return found


def type_section(type_: Named, around: Around) -> Child:
    """The fields of a record, the symbols of an enum, the size of a fixed."""
    words = around.places.words
    match type_:
        case Record(fields=()):
            return el("p", words("It has no fields."))
        case Record():
            head = (
                "field",
                "type",
                "unit",
                "default",
                "personal data",
                "since",
                "deprecated",
                "what it means",
                "read by",
            )
            return table(map(words, head), [field_row(type_, field, around) for field in type_.fields])
        case Enum():
            rows: list[list[Child]] = [
                [code(symbol), told(symbol_deprecation(type_, symbol=symbol))] for symbol in type_.symbols
            ]
            unknown = words("A symbol that a reader does not know is read as:")
            default = el("p", unknown, " ", code(type_.default)) if type_.default is not None else None
            return [table(map(words, ("symbol", "deprecated")), rows), default]
        case Fixed():
            return el("p", words("Always {size} bytes.", size=type_.size))


def field_row(record: Record, field: Field, around: Around) -> list[Child]:
    """One field of a record; its type's names lead to where they are told."""
    words = around.places.words
    place = (record.name.full, field.name)
    required = words("required")
    return [
        code(field.name),
        typed(field),
        unit(field) or "",
        required if field.default is MISSING else code(json.dumps(field.default, ensure_ascii=False)),
        personal_data(field) or "",
        around.since.get(place) or (words("unreleased") if around.since else ""),
        told(deprecation(field)),
        field.doc or "",
        lines_of(around.readers.of(owner=place[0], field=place[1], event=around.event)),
    ]


def typed(field: Field) -> list[Child]:
    """A field's type in words. Types with a name are put in afterwards, so that they are links and everything else stays text."""
    names: list[Named] = []

    def hole(type_: Named) -> str:
        names.append(type_)
        return f"\0{len(names) - 1}\0"

    words = type_words(field.type, named=hole).split("\0")
    return [reference(names[int(part)]) if number % 2 else part for number, part in enumerate(words)]


def reference(type_: Named) -> Html:
    """A link to where a type is told on the same page."""
    return el("a", code(type_.name.simple), href=f"#{anchor(type_.name.full)}")


def anchor(full_name: str) -> str:
    """The place of a type on a page."""
    return f"type-{full_name}"


def told(gone: object) -> str:
    """A deprecation in words; nothing where there is none."""
    return "" if gone is None else str(gone)
