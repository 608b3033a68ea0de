"""What a page says of the types that an event is made of: one section a type, one table a record."""

from __future__ import annotations

import json
from collections.abc import Iterator

from treaty_avro import MISSING, Enum, Field, Fixed, Named, Record
from treaty_codegen.documents.markdown_text import code, paragraphs, plain, table
from treaty_codegen.documents.pages import anchor
from treaty_codegen.documents.type_words import type_words
from treaty_codegen.reach import has_class, is_duration, named_within
from treaty_codegen.tags import deprecation, personal_data, symbol_deprecation, unit

_COLUMNS = ("field", "type", "unit", "default", "personal data", "deprecated", "what it means")
_MAY_DROP = ("unit", "personal data", "deprecated")


def inner_types(root: Named) -> Iterator[str]:
    """A section for each named type within reach, in order of first use."""
    for name, type_ in named_within(root).items():
        if type_ is not root and has_class(type_) and not is_duration(type_):
            yield f"### {code(name)}"
            yield from paragraphs(type_.doc or "")
            yield from type_table(type_, root=root)


def type_table(type_: Named, *, root: Named) -> Iterator[str]:
    """The fields of a record, the symbols of an enum, the size of a fixed. ``root`` is the event that the page is about."""
    gone = deprecation(type_)
    if gone is not None and not isinstance(type_, Enum):
        yield f"**Deprecated**: {plain(str(gone))}."
    match type_:
        case Record(fields=()):
            yield "It has no fields."
        case Record():
            yield table(_COLUMNS, [_field_row(field, root) for field in type_.fields], may_drop=_MAY_DROP)
        case Enum():
            rows = [[code(symbol), _deprecated_symbol(type_, symbol)] for symbol in type_.symbols]
            yield table(("symbol", "deprecated"), rows, may_drop=("deprecated",))
            if type_.default is not None:
                yield f"A symbol that a reader does not know is read as {code(type_.default)}."
        case Fixed():
            yield f"Always {type_.size} bytes."


def _field_row(field: Field, root: Named) -> list[str]:
    gone = deprecation(field)
    return [
        code(field.name),
        type_words(field.type, named=lambda type_: _link(type_, root)),
        plain(unit(field) or ""),
        "required" if field.default is MISSING else code(json.dumps(field.default, ensure_ascii=False)),
        plain(personal_data(field) or ""),
        plain(str(gone)) if gone is not None else "",
        plain(field.doc or ""),
    ]


def _link(type_: Named, root: Named) -> str:
    """To the section of a type; the event itself, where it holds another of itself, begins with its fields."""
    return f"[{code(type_.name.simple)}](#{'fields' if type_ is root else anchor(type_.name.full)})"


def _deprecated_symbol(type_: Enum, symbol: str) -> str:
    gone = symbol_deprecation(type_, symbol=symbol)
    return plain(str(gone)) if gone is not None else ""
