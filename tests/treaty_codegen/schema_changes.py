"""Schema changes with the verdict that Avro's specification and the rules of the project give them, written by hand.

Each row changes the fields of one event, ``mall.order.OrderPaid``. A verdict is ``rule severity``; none means silence.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

MILLIS = {"type": "long", "logicalType": "timestamp-millis"}
MICROS = {"type": "long", "logicalType": "timestamp-micros"}
DATE = {"type": "int", "logicalType": "date"}
UUID = {"type": "string", "logicalType": "uuid"}

REQUIRED = "reader-field-without-default error"
TYPE = "type-changed error"
BRANCH = "union-branch-missing error"
SYMBOL = "enum-symbol-missing error"
NAME = "name-changed error"
SIZE = "fixed-size-changed error"
LOGICAL = "logical-type-changed error"
SCALE = "decimal-scale-changed error"
PRECISION = "decimal-precision-shrunk error"
LOSS = "promotion-loses-value error"
NULL = "null-newly-possible warning"
BECOMES = "enum-symbol-becomes-default warning"
GREW = "decimal-precision-shrunk warning"
ORDER = "enum-symbol-reordered warning"
ENUM_DEFAULT = "enum-default-changed error"
DEFAULT = "default-value-changed info"
UNIT = "unit-changed error"
REMOVED = "field-removed error"
RENAMED = "field-renamed error"
SYMBOL_REMOVED = "symbol-removed error"
PERSONAL = "pii-tag-removed error"
DOC = "doc-changed info"
NO_DOC = "doc-emptied warning"


@dataclass(frozen=True, slots=True)
class Row:
    """One change: what it does, fields before and after, the topic's level, the verdict."""

    title: str
    old: list[dict[str, Any]]
    new: list[dict[str, Any]]
    level: str
    verdict: tuple[str, ...]


def f(name: str, type_: Any, **more: Any) -> dict[str, Any]:
    return {"name": name, "type": type_, **more}


def decimal(precision: int, scale: int = 0) -> dict[str, Any]:
    return {"type": "bytes", "logicalType": "decimal", "precision": precision, "scale": scale}


def enum(*symbols: str, name: str = "Status", **more: Any) -> dict[str, Any]:
    return {"type": "enum", "name": name, "symbols": list(symbols), **more}


def record(name: str, *fields: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "record", "name": name, "fields": list(fields), **more}


def fixed(name: str, size: int, **more: Any) -> dict[str, Any]:
    return {"type": "fixed", "name": name, "size": size, **more}


def array(items: Any) -> dict[str, Any]:
    return {"type": "array", "items": items}


def mapping(values: Any) -> dict[str, Any]:
    return {"type": "map", "values": values}


def retyped(title: str, old: Any, new: Any, **verdicts: tuple[str, ...]) -> Iterator[Row]:
    """A field ``x`` whose type alone changes: a verdict per level."""
    for level, verdict in verdicts.items():
        yield Row(f"{title} ({level})", [f("id", "long"), f("x", old)], [f("id", "long"), f("x", new)], level, verdict)


def row(title: str, old: list[dict[str, Any]], new: list[dict[str, Any]], **verdicts: tuple[str, ...]) -> Iterator[Row]:
    for level, verdict in verdicts.items():
        yield Row(f"{title} ({level})", [f("id", "long"), *old], [f("id", "long"), *new], level, verdict)


def fields() -> Iterator[Row]:
    x, bare = f("x", "string", default=""), f("x", "string")
    yield from row("a field with default is added", [], [x], FULL=(), BACKWARD=(), FORWARD=(), NONE=())
    yield from row("an optional field is added", [], [f("x", ["null", "string"], default=None)], FULL=())
    yield from row(
        "a field without default is added", [], [bare], FULL=(REQUIRED,), BACKWARD=(REQUIRED,), FORWARD=(), NONE=()
    )
    yield from row("a field with default goes", [x], [], FULL=(REMOVED,), NONE=(REMOVED,))
    yield from row(
        "a field without default goes",
        [bare],
        [],
        FULL=(REMOVED, REQUIRED),
        BACKWARD=(REMOVED,),
        FORWARD=(REMOVED, REQUIRED),
    )
    yield from row("fields change places", [x, f("y", "int")], [f("y", "int"), x], FULL=())
    yield from row("a rename without alias", [x], [f("z", "string", default="")], FULL=(REMOVED,))
    yield from row(
        "a rename by alias, with defaults", [x], [f("z", "string", default="", aliases=["x"])], FULL=(RENAMED,)
    )
    yield from row(
        "a rename by alias, without default",
        [bare],
        [f("z", "string", aliases=["x"])],
        FULL=(RENAMED, REQUIRED),
        BACKWARD=(RENAMED,),
    )
    yield from row(
        "an alias is added, nothing renamed", [x], [f("x", "string", default="", aliases=["old_x"])], FULL=()
    )
    yield from row("a default is added", [bare], [x], FULL=())
    yield from row("a default goes", [x], [bare], FULL=())
    yield from row("a default changes", [x], [f("x", "string", default="new")], FULL=(DEFAULT,), NONE=(DEFAULT,))
    yield from row(
        "a double's default is written otherwise",
        [f("x", "double", default=1)],
        [f("x", "double", default=1.0)],
        FULL=(),
    )
    yield from row(
        "a boolean's default turns",
        [f("x", "boolean", default=True)],
        [f("x", "boolean", default=False)],
        FULL=(DEFAULT,),
    )
    yield from row("sort order changes", [x], [f("x", "string", default="", order="ignore")], FULL=())
    yield from row(
        "one alias for two fields",
        [f("a", "long", default=0), f("b", "long", default=0)],
        [f("b", "long", default=0, aliases=["a"])],
        FULL=(REMOVED, "alias-ambiguous error"),
        FORWARD=(REMOVED,),
    )


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


def logical() -> Iterator[Row]:
    yield from retyped("millis to micros", MILLIS, MICROS, FULL=(LOGICAL,), NONE=(LOGICAL,), FORWARD=(LOGICAL,))
    yield from retyped("long to timestamp", "long", MICROS, FULL=(LOGICAL,))
    yield from retyped("timestamp to long", MICROS, "long", FULL=(LOGICAL,))
    yield from retyped(
        "instant to local time", MICROS, {"type": "long", "logicalType": "local-timestamp-micros"}, FULL=(LOGICAL,)
    )
    yield from retyped("date to timestamp", DATE, MILLIS, BACKWARD=(LOGICAL,), FULL=(LOGICAL, TYPE))
    yield from retyped(
        "time of day to finer",
        {"type": "int", "logicalType": "time-millis"},
        {"type": "long", "logicalType": "time-micros"},
        BACKWARD=(LOGICAL,),
    )
    yield from retyped("string to uuid", "string", UUID, FULL=(LOGICAL,))
    yield from retyped("uuid to string", UUID, "string", FULL=(LOGICAL,))
    yield from retyped("uuid in a string to uuid in bytes", UUID, fixed("U", 16, logicalType="uuid"), FULL=(TYPE,))
    yield from retyped("decimal to bytes", decimal(12, 2), "bytes", FULL=(LOGICAL,))
    yield from retyped("bytes to decimal", "bytes", decimal(12, 2), FULL=(LOGICAL,))
    yield from retyped("decimal to string", decimal(12, 2), "string", FULL=(LOGICAL,))
    yield from retyped("a scale grows", decimal(12, 2), decimal(12, 4), FULL=(SCALE,), NONE=(SCALE,))
    yield from retyped("scale and precision grow alike", decimal(10, 2), decimal(12, 4), FULL=(SCALE,))
    yield from retyped("a precision grows", decimal(10, 2), decimal(18, 2), FULL=(GREW,), BACKWARD=(), NONE=())
    yield from retyped("a precision shrinks", decimal(10, 2), decimal(6, 2), FULL=(PRECISION,), NONE=(PRECISION,))
    yield from retyped("scale and precision shrink", decimal(10, 2), decimal(6, 0), FULL=(SCALE,))
    yield from retyped(
        "a decimal on a fixed",
        fixed("M", 6, logicalType="decimal", precision=12, scale=2),
        fixed("M", 6, logicalType="decimal", precision=12, scale=3),
        FULL=(SCALE,),
    )
    yield from retyped(
        "decimal from bytes to fixed",
        decimal(12, 2),
        fixed("M", 6, logicalType="decimal", precision=12, scale=2),
        FULL=(TYPE,),
    )
    yield from retyped("a scale of items", array(decimal(12, 2)), array(decimal(12, 4)), FULL=(SCALE,))
    yield from retyped("a scale of an optional", ["null", decimal(12, 2)], ["null", decimal(12, 4)], FULL=(SCALE,))
    yield from retyped(
        "a scale of map values", mapping(["null", decimal(12, 2)]), mapping(["null", decimal(12, 4)]), FULL=(SCALE,)
    )
    yield from retyped(
        "names that no reader knows",
        {"type": "long", "logicalType": "epoch"},
        {"type": "long", "logicalType": "ticks"},
        FULL=(),
    )
    yield from retyped(
        "an invalid decimal is plain bytes", {"type": "bytes", "logicalType": "decimal"}, "bytes", FULL=()
    )
    yield from retyped(
        "unit and optional at once", MILLIS, ["null", MICROS], BACKWARD=(LOGICAL, NULL), FULL=(LOGICAL, NULL, TYPE)
    )


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


def words() -> Iterator[Row]:
    def with_(name: str, **more: Any) -> list[dict[str, Any]]:
        return [f(name, "long", **more)]

    fen, yuan = {"unit": "CNY/100"}, {"unit": "CNY"}
    yield from row("a doc is added", with_("x"), with_("x", doc="Sum."), FULL=())
    yield from row(
        "a doc changes", with_("x", doc="Sum."), with_("x", doc="Sum of all lines."), FULL=(DOC,), NONE=(DOC,)
    )
    yield from row("a doc goes", with_("x", doc="Sum."), with_("x"), FULL=(NO_DOC,))
    yield from row("a unit changes", with_("x", treaty=fen), with_("x", treaty=yuan), FULL=(UNIT,), NONE=(UNIT,))
    yield from row("a unit is added", with_("x"), with_("x", treaty=fen), FULL=())
    yield from row("a unit goes", with_("x", treaty=fen), with_("x"), FULL=(UNIT,))
    yield from row(
        "a unit in the doc",
        with_("x", doc="Taken, in ms."),
        with_("x", doc="Taken, in seconds."),
        FULL=(DOC, "unit-changed warning"),
    )
    yield from row(
        "the same unit in other words",
        with_("x", doc="Taken, in ms."),
        with_("x", doc="Time taken (milliseconds)."),
        FULL=(DOC,),
    )
    yield from row(
        "a personal tag goes", with_("x", treaty={"pii": "id"}), with_("x"), FULL=(PERSONAL,), NONE=(PERSONAL,)
    )
    yield from row(
        "another kind of personal data",
        with_("x", treaty={"pii": "id", "unit": "s"}),
        with_("x", treaty={"unit": "s", "pii": "email"}),
        FULL=(PERSONAL,),
    )
    yield from row("other words of other people", with_("x", owner="a"), with_("x", owner="b", since=[1]), FULL=())
    yield from row(
        "an optional field becomes required, with a default",
        [f("x", ["null", "string"], default=None)],
        [f("x", "string", default="")],
        FULL=(TYPE, DEFAULT),
        FORWARD=(DEFAULT,),
    )
    yield from row(
        "everything harmless at once",
        [f("a", "long", default=1), f("b", enum("U", "A", default="U"), doc="B.")],
        [
            f("c", ["null", "string"], default=None, doc="C."),
            f("b", enum("U", "A", default="U"), doc="B.", treaty={"unit": "s"}),
            f("a", "long", default=1, aliases=["aa"], order="descending", doc="A."),
        ],
        FULL=(),
    )
    yield from row("personal data is tagged", with_("x"), with_("x", treaty={"pii": "id"}), FULL=())
    yield from row(
        "a field is deprecated",
        with_("x"),
        with_("x", treaty={"deprecated": {"use": "y", "remove_after": "2027-06-30"}}),
        FULL=(),
    )


def rows() -> list[Row]:
    """The whole table."""
    return [*fields(), *types(), *logical(), *unions(), *enums(), *nested(), *words()]


def event(fields_: list[dict[str, Any]], *, name: str = "OrderPaid", **more: Any) -> dict[str, str]:
    """The file of one event."""
    body = {"type": "record", "namespace": "mall.order", "name": name, "fields": fields_, **more}
    return {f"order/{name.lower()}.avsc": json.dumps(body)}


def topics(
    level: str = "FULL_TRANSITIVE", *, events: tuple[str, ...] = ("mall.order.OrderPaid",), key: str = ""
) -> str:
    """``topics.toml`` with one topic."""
    extra = f"key = {json.dumps(key)}\n" if key else ""
    return f"""format = 1
[topic."order-events"]
doc = "Orders."
owner = "@mall/orders"
events = {json.dumps(events)}
producers = ["order"]
compatibility = "{level}"
{extra}"""
