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
    """A class: imported as ``from module import name``.

    Records only: ``attributes`` is field to attribute; ``holds`` is field to the full names of the records that its value
    is made of, through arrays, maps and unions.
    """

    module: str
    name: str
    attributes: Mapping[str, str]
    holds: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class SdkIndex:
    """Full name of each type to its class."""

    types: Mapping[str, SdkType]

    def attribute_path(self, event: str, *, path: str) -> str | None:
        """``payment.from`` of an event (full name) as ``payment.from_``; None where there is no such field."""
        attributes: list[str] = []
        within: tuple[str, ...] = (event,)
        for field in path.split("."):
            found = [self.types[name] for name in within if field in self.types[name].attributes]
            if not found:
                return None
            attributes.append(found[0].attributes[field])
            within = tuple(dict.fromkeys(name for each in found for name in each.holds[field]))
        return ".".join(attributes)


def sdk_index(catalog: Catalog, settings: SdkSettings) -> SdkIndex:
    """The index of what ``emit_sdk`` makes of the same catalog. Raises ``EmitError`` as that does."""
    layout = Layout(catalog, settings=settings)
    types = {}
    for full_name, home in sorted(layout.homes.items()):
        record = home.type if isinstance(home.type, Record) else None
        types[full_name] = SdkType(
            module=home.package,
            name=home.public,
            attributes=layout.attributes(record) if record else {},
            holds={field.name: tuple(records_in(field.type)) for field in record.fields} if record else {},
        )
    return SdkIndex(types=types)


def records_in(type_: Type) -> Iterator[str]:
    """Full names of the records that a value of a type is made of, through arrays, maps and unions."""
    match type_:
        case Record():
            yield type_.name.full
        case Array():
            yield from records_in(type_.items)
        case Map():
            yield from records_in(type_.values)
        case Union():
            for branch in type_.branches:
                yield from records_in(branch)
        case _:
            return
