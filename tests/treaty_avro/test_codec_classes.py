"""Classes and schemas: which classes fit, how objects are built, and that no schema's text becomes code."""

from __future__ import annotations

import enum
import json
import re
from dataclasses import dataclass, field
from typing import Any, ClassVar

import pytest

from tests.treaty_avro.orders import SCHEMA, Card, Line, OrderCreated
from treaty_avro import (
    BackendMissing,
    ClassMismatch,
    compile_decoder,
    compile_encoder,
    compile_generic,
    parse,
    schema_of,
)


def _one(type_: Any) -> Any:
    return parse(json.dumps({"type": "record", "name": "R", "fields": [{"name": "f", "type": type_}]}))


class _Colour(enum.Enum):
    __avro_fullname__: ClassVar[str] = "Colour"

    RED = "RED"


def _class(**attributes: Any) -> Any:
    schema = _one({"type": "enum", "name": "Colour", "symbols": ["RED"]})
    offered = {
        "__avro_schema__": schema.text,
        "__avro_fullname__": "R",
        "__avro_types__": staticmethod(lambda: {"Colour": _Colour}),
        "__annotations__": {"f": "Colour"},
    }
    return type("R", (), {**offered, **attributes})


@pytest.mark.parametrize(
    ("cls", "message"),
    [
        (_class(__annotations__={}), "R has no attribute 'f'"),
        (_class(__avro_types__=staticmethod(dict)), "R.__avro_types__() has no class for 'Colour'"),
        (_class(__avro_types__=staticmethod(lambda: {"Colour": str})), "str is not an Enum, and stands for Colour"),
        (_class(__avro_schema__=None), "R has no __avro_schema__; only classes made from a top-level schema have"),
        (_class(__avro_fullname__="S"), "R says it is 'S', its schema is 'R'"),
        (Line, "Line has no __avro_schema__; only classes made from a top-level schema have"),
    ],
)
def test_a_class_that_does_not_fit_is_told_so_when_it_is_compiled(cls: Any, message: str) -> None:
    with pytest.raises(ClassMismatch) as caught:
        compile_encoder(cls)
    assert str(caught.value) == message


@dataclass(frozen=True, slots=True, kw_only=True)
class Underscored:
    """Attributes that may not stand in source: our own prefix, a dunder, a name that is no ASCII."""

    __avro_schema__: ClassVar[str] = json.dumps(
        {"type": "record", "name": "Underscored", "fields": [{"name": n, "type": "int"} for n in ("_a", "b", "c")]}
    )
    __avro_fullname__: ClassVar[str] = "Underscored"
    __avro_names__: ClassVar[dict[str, str]] = {"c": "größe"}

    _a: int
    b: int
    größe: int  # noqa: PLC2401  # that is what is tested


@dataclass(kw_only=True)
class Ordinary:
    """No slots, and a constructor that is to run."""

    __avro_schema__: ClassVar[str] = json.dumps(
        {"type": "record", "name": "Ordinary", "fields": [{"name": "b", "type": "int"}]}
    )
    __avro_fullname__: ClassVar[str] = "Ordinary"

    b: int
    doubled: int = field(init=False)

    def __post_init__(self) -> None:
        self.doubled = 2 * self.b


def test_classes_of_other_layouts_are_built_too() -> None:
    underscored = Underscored(_a=1, b=2, größe=3)
    assert compile_decoder(Underscored)(compile_encoder(Underscored)(underscored)) == underscored
    assert compile_decoder(Ordinary)(compile_encoder(Ordinary)(Ordinary(b=3))).doubled == 6


def test_a_constructor_that_raises_is_a_decode_error() -> None:
    @dataclass(kw_only=True)
    class Picky:
        __avro_schema__: ClassVar[str] = Ordinary.__avro_schema__
        __avro_fullname__: ClassVar[str] = "Ordinary"
        b: int

        def __post_init__(self) -> None:
            raise RuntimeError

    with pytest.raises(ValueError, match="RuntimeError while the value was built"):
        compile_decoder(Picky)(b"\x02")


def test_references_are_found_through_the_classes() -> None:
    class Line2:
        __slots__ = ("sku",)
        __avro_schema__ = '{"type":"record","name":"x.Line2","fields":[{"name":"sku","type":"string"}]}'
        __avro_fullname__ = "x.Line2"

    class Basket:
        __slots__ = ("line",)
        __avro_schema__ = '{"type":"record","name":"x.Basket","fields":[{"name":"line","type":"x.Line2"}]}'
        __avro_fullname__ = "x.Basket"
        __avro_references__ = ("x.Line2",)

        @staticmethod
        def __avro_types__() -> dict[str, type]:
            return {"x.Line2": Line2}

    basket = compile_decoder(Basket)(b"\x02a")
    assert type(basket.line) is Line2  # type: ignore[attr-defined]  # slots without annotations
    assert compile_encoder(Basket)(basket) == b"\x02a"
    assert schema_of(Basket) is schema_of(Basket)


def test_no_text_of_a_schema_reaches_the_source() -> None:
    hostile = "__import__('os').system('boom') # \n"
    document = {
        "type": "record",
        "name": "R",
        "doc": hostile,
        "fields": [
            {"name": "quote", "type": "string", "default": hostile, "doc": hostile},
            {"name": "import", "type": {"type": "enum", "name": "boom", "symbols": ["class", "boom"]}},
            {"name": "boom", "type": {"type": "map", "values": "boom"}, "hint": hostile},
        ],
    }
    encode, decode = compile_generic(parse(json.dumps(document)))
    for source in (encode.source, decode.source):
        assert "boom" not in source
        assert "quote" not in source
        assert "'" not in source
        assert '"' not in source
    typed = compile_decoder(OrderCreated).source
    assert not set(re.findall(r"\.([A-Za-z_]\w*)", typed)) - {
        *OrderCreated.__slots__,
        *Line.__slots__,
        *Card.__slots__,
        "append",
        "decode",
        "__class__",
    }


def test_the_native_back_end_says_that_it_is_missing() -> None:
    with pytest.raises(BackendMissing):
        compile_encoder(OrderCreated, backend="native")


def test_the_schema_of_a_class_is_the_one_it_offers() -> None:
    assert schema_of(OrderCreated) == parse(json.dumps(SCHEMA))
