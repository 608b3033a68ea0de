"""Which values of an event are personal: those of fields that carry `"treaty": {"pii": …}`. They stay out of error texts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from treaty_avro import Array as AvroArray
from treaty_avro import AvroError, Field, Record, Type, Union, schema_of
from treaty_avro import Map as AvroMap

_SHORTEST = 3  # a shorter text would blot out half of any sentence


def personal_values(event: object) -> frozenset[str]:
    """Texts of the personal values in an event of a generated class; nothing for anything else."""
    if not hasattr(type(event), "__avro_schema__"):
        return frozenset()
    try:
        root = schema_of(type(event)).root
    except AvroError:
        return frozenset()  # a class that does not fit was reported when its codec was compiled
    names: Mapping[str, str] = getattr(type(event), "__avro_names__", {})
    return frozenset(text for text in _of_record(event, root, names) if len(text) >= _SHORTEST)


def is_personal(field: Field) -> bool:
    """Whether a field is declared to hold personal data, of whatever category."""
    told = field.props.get("treaty")
    return isinstance(told, Mapping) and bool(told.get("pii"))


def _of_record(value: object, schema: Type, names: Mapping[str, str]) -> Iterator[str]:
    if isinstance(schema, Union):
        for branch in schema.branches:
            yield from _of_record(value, branch, names)
    elif isinstance(schema, AvroArray) and isinstance(value, (list, tuple)):
        for item in value:
            yield from _of_record(item, schema.items, names)
    elif isinstance(schema, AvroMap) and isinstance(value, dict):
        for item in value.values():
            yield from _of_record(item, schema.values, names)
    elif isinstance(schema, Record):
        own: Mapping[str, str] = getattr(type(value), "__avro_names__", names)
        for field in schema.fields:
            inner = getattr(value, own.get(field.name, field.name), None)
            if is_personal(field):
                yield from _leaves(inner)
            elif inner is not None:
                yield from _of_record(inner, field.type, own)


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from _leaves(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from _leaves(item)
    elif hasattr(type(value), "__dataclass_fields__"):
        for name in type(value).__dataclass_fields__:
            yield from _leaves(getattr(value, name))
    elif value is not None:
        yield str(value)
