"""A parsed schema: its types, its text, and where each part of it stands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from treaty_avro.schema.equality import equal
from treaty_avro.schema.jsontext import Places, Span
from treaty_avro.schema.model import Enum, Fixed, Named, Record, Type


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that is accepted as Avro Java accepts it, and was probably not meant."""

    pointer: str
    reason: str


@dataclass(eq=False, slots=True, kw_only=True)
class Schema:
    """A schema as it was read.

    ``named``: the named types that this text defines, by full name, in order of definition. ``references``: the schemas
    whose types it may use. ``path`` names the text in messages. ``==`` is Avro Java's: docs and aliases do not count,
    other properties do.
    """

    root: Type
    named: Mapping[str, Named]
    text: str
    path: str = "<schema>"
    references: tuple[Schema, ...] = ()
    warnings: tuple[Notice, ...] = ()
    _places: Places | None = field(default=None, repr=False)

    @property
    def name(self) -> str:
        """The root's full name, or its kind if it has no name."""
        root = self.root
        return root.name.full if isinstance(root, Record | Enum | Fixed) else root.kind

    def known(self) -> dict[str, Named]:
        """Every named type within reach: this text's own, then those of the references (and theirs)."""
        return known_types([self])

    def locate(self, pointer: str, *, key: bool = False) -> Span:
        """Where the value at an RFC 6901 pointer stands in the text, or its key; raises ``KeyError`` if nothing does."""
        if self._places is None:
            self._places = Places(self.text)
        at_key, at_value = self._places[pointer]
        return at_key if key else at_value

    def __eq__(self, other: object) -> bool:
        return equal(self.root, other.root) if isinstance(other, Schema) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.name)


def known_types(schemas: Iterable[Schema]) -> dict[str, Named]:
    """Every named type of some schemas and of their references, by full name; where two are the same, the nearer one."""
    result: dict[str, Named] = {}
    seen: set[int] = set()
    waiting = list(schemas)
    for schema in waiting:
        if id(schema) not in seen:
            seen.add(id(schema))
            for name, named in schema.named.items():
                result.setdefault(name, named)
            waiting.extend(schema.references)
    return result
