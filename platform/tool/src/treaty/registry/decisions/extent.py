"""How much a schema comes to once everything that it uses is resolved."""

from __future__ import annotations

import treaty_avro as avro


def exceeds(schema: avro.Schema, most: int) -> bool:
    """True if a schema has more than ``most`` types and fields, with those that it uses of its references.

    A named type counts once, and is told by its name: one that is reached on two ways may have been read twice. Each array,
    map and union counts; simple types do not, beside the field, array, map or union that holds them. No more is looked at
    than it takes to know.
    """
    count, named = 0, set[str]()
    waiting: list[avro.Type] = [schema.root]
    while waiting and count <= most:
        here = waiting.pop()
        if isinstance(here, avro.Record | avro.Enum | avro.Fixed):
            if here.name.full in named:
                continue
            named.add(here.name.full)
        held = _held(here)
        count += not isinstance(here, avro.Primitive)
        count += len(held) if isinstance(here, avro.Record) else 0
        waiting.extend(held)
    return count > most


def _held(holder: avro.Type) -> list[avro.Type]:
    match holder:
        case avro.Record(fields=fields):
            return [field.type for field in fields]
        case avro.Union(branches=branches):
            return list(branches)
        case avro.Array(items=inner) | avro.Map(values=inner):
            return [inner]
        case _:
            return []
