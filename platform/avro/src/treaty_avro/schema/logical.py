"""Logical types: which name is valid on which base.

An invalid one is no error: the value is read as its base type, as Avro Java does; the reason is kept for lint.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final, TypeGuard

from treaty_avro.schema.model import Json, Logical

_BASES: Final[Mapping[str, tuple[str, ...]]] = {
    "date": ("int",),
    "time-millis": ("int",),
    "time-micros": ("long",),
    "timestamp-millis": ("long",),
    "timestamp-micros": ("long",),
    "timestamp-nanos": ("long",),
    "local-timestamp-millis": ("long",),
    "local-timestamp-micros": ("long",),
    "local-timestamp-nanos": ("long",),
    "uuid": ("string", "fixed"),
    "duration": ("fixed",),
    "decimal": ("bytes", "fixed"),
}
_SIZES: Final = {"uuid": 16, "duration": 12}


def read(kind: str, *, props: Mapping[str, Json], size: int = 0) -> Logical | str | None:
    """The logical type of a schema object; a sentence if it is not valid there; None if there is none.

    ``kind`` is the base type, ``size`` a fixed's bytes. Names that this package does not know are None.
    Source: Apache Avro 1.12 specification, "Logical Types"; Java's ``LogicalTypes`` for what is ignored.
    """
    name = props.get("logicalType")
    if not isinstance(name, str) or name not in _BASES:
        return None
    if kind not in _BASES[name]:
        return f"logical type {name} does not fit {kind}; it stands on {' or '.join(_BASES[name])}"
    if name == "decimal":
        return _decimal(kind, props=props, size=size)
    if kind == "fixed" and size != _SIZES[name]:
        return f"logical type {name} needs a fixed of {_SIZES[name]} bytes, not {size}"
    return Logical(name)


def _decimal(kind: str, *, props: Mapping[str, Json], size: int) -> Logical | str:
    precision, scale = props.get("precision"), props.get("scale", 0)
    if not _is_int(precision) or not _is_int(scale):
        return "logical type decimal needs an integer precision, and an integer scale if any"
    if precision < 1:
        return f"decimal precision {precision} is not positive"
    if kind == "fixed" and precision > digits(size):
        return f"decimal precision {precision} does not fit in {size} bytes; they hold {digits(size)} digits"
    if not 0 <= scale <= precision:
        return f"decimal scale {scale} is not between 0 and the precision {precision}"
    return Logical("decimal", precision, scale)


def digits(size: int) -> int:
    """Decimal digits that a signed number of ``size`` bytes always holds."""
    return math.floor(math.log10(2) * (8 * size - 1))


def _is_int(value: Json) -> TypeGuard[int]:
    # Java asks for an Integer: a number that needs a long is not one.
    return type(value) is int and -(2**31) <= value < 2**31
