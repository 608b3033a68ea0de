"""When two types are the same: Avro Java's ``equals``.

Names, fields, symbols, sizes, defaults, order and properties count; docs, aliases and an enum's default do not.
"""

from __future__ import annotations

from treaty_avro.schema.model import MISSING, Array, Enum, Field, Fixed, Json, Map, Missing, Record, Type, Union


def equal(first: Type, second: Type) -> bool:
    """Whether two types are the same; a pair that is being compared further up counts as the same.

    Source: Avro Java 1.12, ``Schema.equals`` and ``Field.equals``.
    """
    seen: set[tuple[int, int]] = set()
    waiting = [(first, second)]
    # An explicit stack: chains of named types are deeper than Python's.
    while waiting:
        one, two = waiting.pop()
        if one is two or (id(one), id(two)) in seen:
            continue
        seen.add((id(one), id(two)))
        if one.kind != two.kind or not same_json(one.props, two.props) or not _same_head(one, two):
            return False
        waiting.extend(_parts(one, two))
    return True


def same_json(first: Json, second: Json) -> bool:
    """Whether two JSON values are the same, the order of keys aside; 1, 1.0 and true are three values."""
    waiting = [(first, second)]
    while waiting:
        one, two = waiting.pop()
        if type(one) is not type(two):
            return False
        if isinstance(one, dict):
            if one.keys() != two.keys():
                return False
            waiting.extend((one[key], two[key]) for key in one)
        elif isinstance(one, list):
            if len(one) != len(two):
                return False
            waiting.extend(zip(one, two, strict=True))
        # repr tells 0.0 from -0.0 and finds NaN equal to itself, as Java's Double.compare does.
        elif repr(one) != repr(two) if isinstance(one, float) else one != two:
            return False
    return True


def _same_head(one: Type, two: Type) -> bool:
    match one, two:
        case Record(), Record():
            pairs = zip(one.fields, two.fields, strict=False)
            return one.name == two.name and len(one.fields) == len(two.fields) and all(_same_field(*p) for p in pairs)
        case Enum(), Enum():
            return one.name == two.name and one.symbols == two.symbols
        case Fixed(), Fixed():
            return one.name == two.name and one.size == two.size
        case Union(), Union():
            return len(one.branches) == len(two.branches)
    return True


def _same_field(one: Field, two: Field) -> bool:
    if isinstance(one.default, Missing) or isinstance(two.default, Missing):
        has_same_default = one.default is MISSING and two.default is MISSING
    else:
        has_same_default = same_json(one.default, two.default)
    return has_same_default and one.name == two.name and one.order == two.order and same_json(one.props, two.props)


def _parts(one: Type, two: Type) -> list[tuple[Type, Type]]:
    match one, two:
        case Record(), Record():
            return [(a.type, b.type) for a, b in zip(one.fields, two.fields, strict=True)]
        case Array(), Array():
            return [(one.items, two.items)]
        case Map(), Map():
            return [(one.values, two.values)]
        case Union(), Union():
            return list(zip(one.branches, two.branches, strict=True))
    return []
