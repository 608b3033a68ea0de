"""Types that are named before they are defined: stand-ins while a text is read, settled at its end."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

from treaty_avro.schema.model import PRIMITIVES, Array, Field, Map, Record, Type, Union
from treaty_avro.schema.names import nearest
from treaty_avro.schema.notes import Notes
from treaty_avro.schema.scope import Scope

Holder: TypeAlias = Array | Map | Union | Field
"""What a type can stand in."""


@dataclass(slots=True, eq=False, kw_only=True)
class Forward(Record):
    """Stands for a type that is named before it is defined; none is left in a finished schema."""


def settle(holders: Iterable[Holder], scope: Scope, notes: Notes) -> None:
    """Put the types in place of their stand-ins; raises ``SchemaError`` for one that was never defined."""
    for holder in holders:
        match holder:
            case Array():
                holder.items = settled(holder.items, scope, notes)
            case Map():
                holder.values = settled(holder.values, scope, notes)
            case Field():
                holder.type = settled(holder.type, scope, notes)
            case Union():
                holder.branches = tuple(settled(branch, scope, notes) for branch in holder.branches)


def settled(type_: Type, scope: Scope, notes: Notes) -> Type:
    """The type itself, or the one it stands for."""
    if not isinstance(type_, Forward):
        return type_
    full = type_.name.full
    found = scope.named.get(full)
    if found is None:
        meant = nearest(full, [*scope.names(), *PRIMITIVES])
        hint = f"; did you mean '{meant}'?" if meant else "; define it, or give the schema that defines it"
        raise notes.error(f"unknown type '{full[:200]}'{hint}", type_.pointer)
    notes.warn(f"{full} is used before it is defined; older readers of schemas refuse this", type_.pointer)
    return found
