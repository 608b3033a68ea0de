"""Changes of what a value is: types, unions and enums, alone and inside others."""

from __future__ import annotations

from collections.abc import Iterator

from tests.treaty_codegen.change_row import (
    BECOMES,
    BRANCH,
    ENUM_DEFAULT,
    LOSS,
    NAME,
    NULL,
    ORDER,
    REQUIRED,
    SCALE,
    SIZE,
    SYMBOL,
    SYMBOL_REMOVED,
    TYPE,
    Row,
    retyped,
)
from tests.treaty_codegen.schema_texts import array, decimal, enum, f, fixed, mapping, record


def types() -> Iterator[Row]:
    yield from retyped("int to long", "int", "long", FULL=(TYPE,), BACKWARD=(), FORWARD=(TYPE,), NONE=())
    yield from retyped("long to int", "long", "int", FORWARD=(), BACKWARD=(TYPE,))
    yield from retyped("int to float", "int", "float", BACKWARD=(LOSS,), FULL=(LOSS, TYPE))
    yield from retyped("int to double", "int", "double", BACKWARD=())
    yield from retyped("long to double", "long", "double", BACKWARD=(LOSS,), NONE=(LOSS,))
    yield from retyped("double to long", "double", "long", FORWARD=(LOSS,), BACKWARD=(TYPE,))
    yield from retyped("float to double", "float", "double", BACKWARD=())
    yield from retyped("double to float", "double", "float", FORWARD=())
    yield from retyped("string to bytes", "string", "bytes", FULL=(LOSS,), BACKWARD=(), FORWARD=(LOSS,))
    yield from retyped("bytes to string", "bytes", "string", FULL=(LOSS,), BACKWARD=(LOSS,), FORWARD=())
    yield from retyped("string to int", "string", "int", FULL=(TYPE,), NONE=())
    yield from retyped("boolean to string", "boolean", "string", FULL=(TYPE,))
    yield from retyped("string to enum", "string", enum("A"), FULL=(TYPE,))
    yield from retyped("array to map", array("int"), mapping("int"), FULL=(TYPE,))
    yield from retyped("array of int to array of long", array("int"), array("long"), BACKWARD=(), FULL=(TYPE,))
    yield from retyped("map of long to map of double", mapping("long"), mapping("double"), BACKWARD=(LOSS,))
    yield from retyped(
        "array of arrays of bytes to strings", array(array("bytes")), array(array("string")), BACKWARD=(LOSS,)
    )
    yield from retyped("a fixed grows", fixed("D", 4), fixed("D", 8), FULL=(SIZE,), NONE=())
    yield from retyped("a fixed is renamed", fixed("D", 4), fixed("E", 4), FULL=(NAME,))
    yield from retyped("fixed to bytes", fixed("D", 4), "bytes", FULL=(TYPE,))


def unions() -> Iterator[Row]:
    yield from retyped("made optional", "string", ["null", "string"], FULL=(TYPE, NULL), BACKWARD=(NULL,), NONE=(NULL,))
    yield from retyped("made required", ["null", "string"], "string", FULL=(TYPE,), FORWARD=())
    yield from retyped("wrapped into a union of one", "string", ["string"], FULL=())
    yield from retyped("branches change places", ["null", "string"], ["string", "null"], FULL=())
    yield from retyped(
        "a branch is added",
        ["null", "string"],
        ["null", "string", "boolean"],
        FULL=(BRANCH,),
        BACKWARD=(),
        FORWARD=(BRANCH,),
    )
    yield from retyped(
        "a branch goes",
        ["null", "string", "boolean"],
        ["null", "string"],
        FULL=(BRANCH,),
        FORWARD=(),
        BACKWARD=(BRANCH,),
    )
    yield from retyped(
        "null is added to a union",
        ["string", "long"],
        ["string", "long", "null"],
        BACKWARD=(NULL,),
        FULL=(BRANCH, NULL),
    )
    yield from retyped("an optional int widens", ["null", "int"], ["null", "long"], BACKWARD=(), FULL=(BRANCH,))
    yield from retyped("an optional long loses digits", ["null", "long"], ["null", "double"], BACKWARD=(LOSS,))
    yield from retyped(
        "items become optional", array("string"), array(["null", "string"]), BACKWARD=(NULL,), FULL=(NULL, TYPE)
    )
    card, more = record("Card", f("no", "string")), record("Card", f("no", "string"), f("bank", "string", default=""))
    yield from retyped("an optional record grows by an optional field", ["null", card], ["null", more], FULL=())
    strict = record("Card", f("no", "string"), f("bank", "string"))
    yield from retyped(
        "an optional record grows by a required field", ["null", card], ["null", strict], FULL=(REQUIRED,), FORWARD=()
    )
    yield from retyped(
        "a record of a union is renamed",
        ["null", card],
        ["null", record("Pass", f("no", "string"))],
        BACKWARD=(BRANCH,),
    )
    yield from retyped(
        "a record of a union is renamed by alias",
        ["null", card],
        ["null", record("Pass", f("no", "string"), aliases=["Card"])],
        BACKWARD=(),
    )
    yield from retyped(
        "an enum of a union gains a symbol", ["null", enum("A")], ["null", enum("A", "B")], FULL=(SYMBOL,), BACKWARD=()
    )


def enums() -> Iterator[Row]:
    one, known = enum("A", "B"), enum("U", "A", "B", default="U")
    yield from retyped(
        "a symbol is added", one, enum("A", "B", "C"), FULL=(SYMBOL,), BACKWARD=(), FORWARD=(SYMBOL,), NONE=()
    )
    yield from retyped(
        "a symbol is added, there is a default",
        known,
        enum("U", "A", "B", "C", default="U"),
        FULL=(BECOMES,),
        BACKWARD=(),
        FORWARD=(BECOMES,),
        NONE=(BECOMES,),
    )
    yield from retyped("a symbol goes", one, enum("A"), FULL=(SYMBOL, SYMBOL_REMOVED), FORWARD=(SYMBOL_REMOVED,))
    yield from retyped("a symbol goes, there is a default", known, enum("U", "A", default="U"), FULL=(SYMBOL_REMOVED,))
    yield from retyped("symbols change places", one, enum("B", "A"), FULL=(ORDER,))
    yield from retyped("a symbol comes first", known, enum("N", "U", "A", "B", default="U"), FULL=(BECOMES, ORDER))
    yield from retyped(
        "another default symbol", known, enum("U", "A", "B", default="A"), FULL=(ENUM_DEFAULT,), NONE=(ENUM_DEFAULT,)
    )
    yield from retyped("a first default symbol", one, enum("A", "B", default="A"), FULL=())
    yield from retyped("the default symbol goes", known, enum("U", "A", "B"), FULL=(ENUM_DEFAULT,))
    yield from retyped("an enum is renamed", one, enum("A", "B", name="State"), FULL=(NAME,), NONE=())
    yield from retyped(
        "an enum is renamed by alias", one, enum("A", "B", name="State", aliases=["Status"]), FULL=(NAME,), BACKWARD=()
    )
    yield from retyped("an enum moves to another namespace", one, enum("A", "B", namespace="mall.shared"), FULL=())
    yield from retyped("an enum gets a doc", one, enum("A", "B", doc="Where it stands."), FULL=())


def nested() -> Iterator[Row]:
    line = record("Line", f("sku", "string"), f("price", decimal(12, 2)))
    yield from retyped(
        "a nested record grows by an optional field",
        line,
        record("Line", f("sku", "string"), f("price", decimal(12, 2)), f("n", "int", default=1)),
        FULL=(),
    )
    yield from retyped(
        "a nested record grows by a required field",
        array(line),
        array(record("Line", f("sku", "string"), f("price", decimal(12, 2)), f("n", "int"))),
        FULL=(REQUIRED,),
    )
    yield from retyped(
        "a nested scale",
        mapping(array(line)),
        mapping(array(record("Line", f("sku", "string"), f("price", decimal(12, 0))))),
        FULL=(SCALE,),
    )
    yield from retyped("a nested record is renamed", line, record("Item", *line["fields"]), FULL=(NAME,))
    tree = record("Tree", f("v", "int"), f("next", ["null", "Tree"], default=None))
    yield from retyped("a recursive record stays", tree, tree, FULL=())
    yield from retyped(
        "a recursive record grows", tree, record("Tree", *tree["fields"], f("w", "int", default=0)), FULL=()
    )
    yield from retyped(
        "a recursive record's value loses digits",
        record("Tree", f("v", "long"), tree["fields"][1]),
        record("Tree", f("v", "double"), tree["fields"][1]),
        BACKWARD=(LOSS,),
    )
