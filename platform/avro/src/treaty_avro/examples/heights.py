"""How deep a type's shallowest value is: how recursive types come to an end, and whether they do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from treaty_avro.schema.model import Array, Map, Record, Type, Union

ENDLESS: Final = 1 << 30
"""The height of a type without a finite value."""


class Heights:
    """Least heights of the values of a type and all below it."""

    def __init__(self, root: Type) -> None:
        """Walk the types below ``root`` once."""
        self._records: dict[int, int] = {}
        records = _records(root)
        self._records = dict.fromkeys(records, ENDLESS)
        # Each round settles at least the records of one more height, else nothing changes any more.
        changed = True
        while changed:
            changed = False
            for key, record in records.items():
                height = min(1 + max((self.of(field.type) for field in record.fields), default=0), ENDLESS)
                changed |= height < self._records[key]
                self._records[key] = height

    def of(self, type_: Type) -> int:
        """Records that a value of the type must hold within each other; ``ENDLESS`` if it cannot end."""
        if isinstance(type_, Union):
            return min(map(self.of, type_.branches), default=ENDLESS)
        return self._records[id(type_)] if isinstance(type_, Record) else 0


def _records(root: Type) -> Mapping[int, Record]:
    found: dict[int, Record] = {}
    waiting: list[Type] = [root]
    while waiting:
        type_ = waiting.pop()
        match type_:
            case Record() if id(type_) not in found:
                found[id(type_)] = type_
                waiting.extend(field.type for field in type_.fields)
            case Union():
                waiting.extend(type_.branches)
            case Array():
                waiting.append(type_.items)
            case Map():
                waiting.append(type_.values)
    return found
