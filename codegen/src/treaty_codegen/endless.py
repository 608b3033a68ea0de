"""Records that no value has: each would hold another of itself, for ever."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from treaty_avro import Record, Type, Union
from treaty_codegen.catalog import Catalog


@dataclass(frozen=True, slots=True, kw_only=True)
class Endless:
    """A record without a finite value. ``path`` is relative to the schemas folder, ``line`` is 1-based."""

    name: str
    path: str
    line: int

    def __str__(self) -> str:
        """The sentence to show."""
        reason = f"{self.name} has no finite value, so nobody can make one: it always holds another of itself"
        return f"{self.path}:{self.line}: {reason}; make a field optional, or a list"


def endless(catalog: Catalog) -> Iterator[Endless]:
    """The records without a finite value, by file and place; they are legal, and classes are generated for them."""
    waiting = [
        type_ for file in catalog.files.values() for type_ in file.schema.named.values() if isinstance(type_, Record)
    ]
    finite: set[str] = set()
    while True:
        ending = [record for record in waiting if all(_ends(field.type, finite) for field in record.fields)]
        if not ending:
            break
        finite.update(record.name.full for record in ending)
        waiting = [record for record in waiting if record.name.full not in finite]
    names = {record.name.full for record in waiting}
    for path, file in sorted(catalog.files.items()):
        for name, type_ in file.schema.named.items():
            if name in names:
                yield Endless(name=name, path=path, line=file.schema.locate(type_.pointer).line)


def _ends(type_: Type, finite: set[str]) -> bool:
    """Lists and maps may be empty, a union has its shortest branch."""
    match type_:
        case Record():
            return type_.name.full in finite
        case Union():
            return any(_ends(branch, finite) for branch in type_.branches)
        case _:
            return True
