"""Schema changes with the verdict that Avro's specification and the rules of the project give them, written by hand.

Each row changes the fields of one event, ``mall.order.OrderPaid``. A verdict is ``rule severity``; none means silence.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.treaty_codegen.change_row import (
    DEFAULT,
    DOC,
    GREW,
    LOGICAL,
    NO_DOC,
    NULL,
    PERSONAL,
    PRECISION,
    REMOVED,
    RENAMED,
    REQUIRED,
    SCALE,
    TYPE,
    UNIT,
    Row,
    retyped,
    row,
)
from tests.treaty_codegen.changes_of_values import enums, nested, types, unions
from tests.treaty_codegen.schema_texts import DATE, MICROS, MILLIS, UUID, array, decimal, enum, f, fixed, mapping


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
