"""What lint rules look at: every named type and field of the catalog, each with its place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field as defaulting
from functools import cached_property
from typing import Any

from treaty_avro import Array, Enum, Field, Map, Named, Record, Type, Union
from treaty_codegen.catalog import Catalog, SchemaFile
from treaty_codegen.diff import Place
from treaty_codegen.finding import Finding, Fix, Location, Operation, Severity, Text, fingerprint
from treaty_codegen.mend import edits
from treaty_codegen.places import Places
from treaty_codegen.reach import leaves
from treaty_codegen.readers.model import Scan
from treaty_codegen.released import Released
from treaty_codegen.waivers import Ignore


@dataclass(frozen=True, kw_only=True)
class LintFacts:
    """The catalog and where its parts stand; ``namespace`` is the project's (``mall``), ``personal`` its own categories of personal
    data, ``ignores`` the places that it excepts, ``scans`` what its services read, by name. ``released``: what was released before.
    """

    catalog: Catalog
    places: Places
    namespace: str
    personal: tuple[str, ...] = ()
    ignores: tuple[Ignore, ...] = ()
    scans: tuple[tuple[str, Scan], ...] = ()
    released: Released = defaulting(default_factory=Released)

    def types(self) -> Iterator[tuple[SchemaFile, Named]]:
        """Every named type, once, with the file that defines it."""
        return iter(self._types)

    def records(self) -> Iterator[tuple[SchemaFile, Record]]:
        """Every record."""
        return iter(self._records)

    def enums(self) -> Iterator[tuple[SchemaFile, Enum]]:
        """Every enum."""
        for file, named in self.types():
            if isinstance(named, Enum):
                yield file, named

    def fields(self) -> Iterator[tuple[Record, Field]]:
        """Every field of every record."""
        return iter(self._fields)

    def leaves(self, field: Field) -> tuple[Type, ...]:
        """What a field of the catalog holds in the end (``reach.leaves``)."""
        return self._leaves[id(field)]

    def logical_fields(self) -> Iterator[tuple[Record, Field, tuple[Type, ...]]]:
        """The fields that hold a logical type, each with the leaves that have one."""
        return iter(self._logical_fields)

    # Some forty rules walk through all of these: the walk is made once.
    @cached_property
    def _types(self) -> tuple[tuple[SchemaFile, Named], ...]:
        return tuple((file, named) for file in self.catalog.files.values() for named in file.schema.named.values())

    @cached_property
    def _records(self) -> tuple[tuple[SchemaFile, Record], ...]:
        return tuple((file, named) for file, named in self._types if isinstance(named, Record))

    @cached_property
    def _fields(self) -> tuple[tuple[Record, Field], ...]:
        return tuple((record, field) for _, record in self._records for field in record.fields)

    @cached_property
    def _leaves(self) -> dict[int, tuple[Type, ...]]:
        # By identity, which is what tells fields apart; the catalog keeps them.
        return {id(field): leaves(field.type) for _, field in self._fields}

    @cached_property
    def _logical_fields(self) -> tuple[tuple[Record, Field, tuple[Type, ...]], ...]:
        held = (
            (record, field, tuple(leaf for leaf in self.leaves(field) if leaf.logical is not None))
            for record, field in self._fields
        )
        return tuple(each for each in held if each[2])

    def at_type(self, named: Named, step: str = "") -> Location:
        """The place of a named type, or of one of its keys (``/name``)."""
        return self.places.of(Place(owner=named.name.full, pointer=named.pointer), step=step)

    def at_namespace(self, named: Named) -> Location:
        """Where a named type says its namespace: in a key of its own, in its dotted name, or, inherited, nowhere."""
        at = self.at_type(named, "/namespace")
        return at if at.pointer.endswith("/namespace") else self.at_type(named, "/name")

    def at_field(self, record: Record, field: Field, step: str = "") -> Location:
        """The place of a field, or of one of its keys (``/type``)."""
        return self.places.of(Place(owner=record.name.full, pointer=field.pointer), step=step)

    def at_leaf(self, record: Record, leaf: Type, step: str = "") -> Location:
        """The place of a type inside a field: a branch, an item (``leaves``), or of one of its keys."""
        return self.places.of(Place(owner=record.name.full, pointer=leaf.pointer), step=step)

    def fix(self, record: Record, field: Field, *operations: Operation) -> Fix | None:
        """How a field is mended; None for one that was released: somebody wrote it as it is."""
        file = self.places.file_of(record.name.full)
        if file is None or any(
            self.released.has_field(record.name.full, name) for name in (field.name, *field.aliases)
        ):
            return None
        made = edits(file.text, operations)
        return Fix(path=self.places.root + file.path, operations=operations, edits=made) if made else None

    def at_topic(self, line: int) -> Location:
        """A line of ``topics.toml``."""
        return Location(path=f"{self.places.root}topics.toml", line=line or 1, end_line=line or 1)


def finding(
    rule: str,
    category: str,
    severity: Severity,
    at: Location,
    message: Text,
    *names: str,
    help: Text,
    fix: Fix | None = None,
) -> Finding:
    """A lint finding; ``names`` (full names, field paths) make its fingerprint."""
    return Finding(
        rule=rule,
        severity=severity,
        category=category,
        at=at,
        message=message,
        help=help,
        event=names[0] if names else None,
        fingerprint=fingerprint(rule, *names),
        fix=fix,
    )


def treaty_props(props: Any) -> dict[str, Any]:
    """Our own attributes of a type or field: the object under the property ``treaty``."""
    own = props.get("treaty")
    return own if isinstance(own, dict) else {}


def unions(type_: Type) -> Iterator[Union]:
    """Every union in a field: its own, and those of its items and values."""
    match type_:
        case Array():
            yield from unions(type_.items)
        case Map():
            yield from unions(type_.values)
        case Union():
            yield type_
            for branch in type_.branches:
                yield from unions(branch)
        case _:
            return


def is_optional(type_: Type) -> bool:
    """Whether null is one of the branches."""
    return isinstance(type_, Union) and any(branch.kind == "null" for branch in type_.branches)
