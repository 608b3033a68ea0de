"""Which branch of a union takes a Python value: by its exact class, and by nothing else.

Branches of one class (int and long, two decimals) are tried in the schema's order; the first that takes the value wins.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import Final, TypeAlias
from uuid import UUID

from treaty_avro.plan.binding import Binding
from treaty_avro.schema.model import Enum, Fixed, Record, Type, Union
from treaty_avro.values.meaning import Meaning, meaning_of

Table: TypeAlias = Mapping[type, int | tuple[int, ...]]

_PRIMITIVES: Final[Mapping[str, tuple[type, ...]]] = {
    "null": (type(None),),
    "boolean": (bool,),
    "int": (int,),
    "long": (int,),
    "float": (float,),
    "double": (float,),
    "bytes": (bytes, bytearray),
    "string": (str,),
    "array": (list, tuple),
    "map": (dict,),
}
_MEANINGS: Final[Mapping[Meaning, type]] = {
    Meaning.DECIMAL: Decimal,
    Meaning.UUID: UUID,
    Meaning.DATE: date,
    Meaning.TIME_MILLIS: time,
    Meaning.TIME_MICROS: time,
    Meaning.TIMESTAMP_MILLIS: datetime,
    Meaning.TIMESTAMP_MICROS: datetime,
    Meaning.LOCAL_TIMESTAMP_MILLIS: datetime,
    Meaning.LOCAL_TIMESTAMP_MICROS: datetime,
}


def table(union: Union, binding: Binding) -> Table:
    """For each class the index of its branch, or the indexes of its branches."""
    found: dict[type, list[int]] = {}
    for index, branch in enumerate(union.branches):
        for cls in _classes(branch, binding):
            found.setdefault(cls, []).append(index)
    for cls in (bytes, bytearray):
        # Plain bytes belong to a bytes branch, else to the fixed that alone has their length.
        if not binding.is_generic and cls not in found:
            indexes = _only_of_their_size(union)
            if indexes:
                found[cls] = indexes
    return {cls: indexes[0] if len(indexes) == 1 else tuple(indexes) for cls, indexes in found.items()}


def branch_of(classes: Table, cls: type) -> int | tuple[int, ...] | None:
    """The branch of a class, or of the first class it inherits from that has one."""
    return next((classes[each] for each in cls.__mro__ if each in classes), None)


def _classes(branch: Type, binding: Binding) -> tuple[type, ...]:
    meaning = meaning_of(branch.logical)
    if isinstance(branch, Fixed) and meaning is Meaning.DURATION:
        made = binding.duration(branch)
        return (made if isinstance(made, type) else tuple,)
    if meaning is not None:
        return (_MEANINGS[meaning],)
    match branch:
        case Record():
            return (binding.record(branch),)
        case Enum():
            return (type(binding.member(branch, branch.symbols[0])),) if branch.symbols else ()
        case Fixed():
            cls = binding.fixed(branch)
            return (bytes, bytearray) if cls is None else (cls,)
    return _PRIMITIVES[branch.kind]


def _only_of_their_size(union: Union) -> list[int]:
    sizes = [b.size if isinstance(b, Fixed) and meaning_of(b.logical) is None else None for b in union.branches]
    return [index for index, size in enumerate(sizes) if size is not None and sizes.count(size) == 1]
