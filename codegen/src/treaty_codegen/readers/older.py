"""Fields that are gone: code still reads them, though the SDK of today has them no more."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from treaty_avro import Record, parse
from treaty_codegen.index import SdkIndex, SdkType, records_in
from treaty_codegen.names import place
from treaty_codegen.reach import named_within


def with_fields_of(sdk: SdkIndex, texts: Iterable[str]) -> SdkIndex:
    """The index with the fields that older published texts had in records that are still there."""
    types = dict(sdk.types)
    for text in texts:
        for name, named in named_within(parse(text, rules="stored").root).items():
            if isinstance(named, Record) and name in types:
                types[name] = with_fields(types[name], named)
    return SdkIndex(types=types)


def with_fields(type_: SdkType, older: Record) -> SdkType:
    """A class with what an older version of its record had."""
    gone = [field for field in older.fields if field.name not in type_.attributes]
    names = place([field.name for field in gone])
    return replace(
        type_,
        attributes={**names, **type_.attributes},
        holds={**{field.name: tuple(records_in(field.type)) for field in gone}, **type_.holds},
    )
