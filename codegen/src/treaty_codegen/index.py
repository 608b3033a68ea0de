"""Where a schema's names are in the SDK: for the field scanner and for documentation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from treaty_avro import Array, Map, Record, Type, Union
from treaty_codegen.catalog import Catalog
from treaty_codegen.layout import Layout
from treaty_codegen.settings import SdkSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class SdkType:
    """A class: imported as ``from module import name``. ``attributes``: field path to attribute path, records only.

    A path goes through arrays, maps and unions (``lines.unit_price``) and ends before a record that it has passed.
    """

    module: str
    name: str
    attributes: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class SdkIndex:
    """Full name of each type to its class."""

    types: Mapping[str, SdkType]


def sdk_index(catalog: Catalog, settings: SdkSettings) -> SdkIndex:
    """The index of what ``emit_sdk`` makes of the same catalog. Raises ``EmitError`` as that does."""
    layout = Layout(catalog, settings=settings)
    return SdkIndex(
        types={
            name: SdkType(
                module=home.package,
                name=home.public,
                attributes=dict(_paths(home.type, layout, ())) if isinstance(home.type, Record) else {},
            )
            for name, home in sorted(layout.homes.items())
        }
    )


def _paths(record: Record, layout: Layout, passed: tuple[Record, ...]) -> Iterator[tuple[str, str]]:
    attributes = layout.attributes(record)
    for field in record.fields:
        attribute = attributes[field.name]
        yield field.name, attribute
        for inner in _records(field.type):
            if inner is not record and inner not in passed:
                for path, below in _paths(inner, layout, (*passed, record)):
                    yield f"{field.name}.{path}", f"{attribute}.{below}"


def _records(type_: Type) -> Iterator[Record]:
    """Records that a field holds, through arrays, maps and unions."""
    match type_:
        case Record():
            yield type_
        case Array():
            yield from _records(type_.items)
        case Map():
            yield from _records(type_.values)
        case Union():
            for branch in type_.branches:
                yield from _records(branch)
        case _:
            return
