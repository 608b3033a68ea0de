"""Hard schemas, each a single file: five about one subject, and one of all together."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any, Final

from tests.treaty_codegen.features import (
    AN_INSTANT,
    DEFAULTS,
    LOGICAL,
    Feature,
    array,
    enum,
    feature,
    field,
    fixed,
    logical,
    map_,
    record,
)

HOSTILE_DOCS: Final = (
    '"""\nimport builtins\nbuiltins.treaty_was_here = True\n"""',
    "'''\n__import__('builtins').treaty_was_here = True\n'''",
    '\\"""\nimport builtins; builtins.treaty_was_here = True #',
    "{__import__('builtins').__dict__.update(treaty_was_here=True)}",
    "\\",
    "\\\\\\",
    '"',
    "'",
    "\r\nimport builtins; builtins.treaty_was_here = True\r",
    "\x0c\x00\x1b[31m",
    "\u2028import builtins\u2029",
    "\u202e\u2066",
    "%s {0} ${x} `x`",
    "|--|--|",
    "<script>alert(1)</script>",
    "*/ // # -->",
    "\U0001f600\u0301",
    "é" * 200,
    "\n\n  \n",
    "\\N{BULLET}\\x41\\u0041",
)

HOSTILE_NAMES: Final = (
    *("None", "True", "class", "def", "lambda", "import", "async", "await", "match", "type"),
    *("self", "cls", "int", "str", "len", "list", "dict", "object", "staticmethod", "property"),
    *(
        "__init__",
        "__class__",
        "__slots__",
        "__avro_schema__",
        "__topic__",
        "__key__",
        "_dc",
        "_avsc",
        "_typing",
        "annotations",
    ),
)


def _logical_types() -> Feature:
    fields: list[Any] = []
    values: dict[str, Any] = {}
    for number, each in enumerate(LOGICAL):
        if each.name in ("decimal on a fixed used twice by name", "logical defaults"):
            continue  # they define the same fixed again
        name = f"Logical{number}"
        type_ = {**each.schema, "name": name}
        fields.append((f"f{number}", type_))
        values[f"f{number}"] = each.values[0]
    return feature("every logical type", record(*fields, name="Everything"), values)


def _unions() -> Feature:
    leaf = record(("n", ["null", "long", "string"]), name="Leaf")
    fork = record(
        ("left", ["null", "Tree", leaf]),
        ("right", array(["null", "Tree", map_(["Leaf", array(["int", "null"])])])),
        name="Fork",
    )
    tree = record(("root", [fork, "Leaf", "null", fixed("Mark", 2)]), name="Tree")
    small = {"n": "x"}
    deep = {
        "left": ("test.things.Tree", {"root": ("test.things.Leaf", {"n": 1})}),
        "right": [None, {"k": [1, None], "l": ("test.things.Leaf", small)}, ("test.things.Tree", {"root": None})],
    }
    return feature(
        "unions in everything, with recursion",
        tree,
        {"root": ("test.things.Fork", deep)},
        {"root": ("test.things.Mark", b"ab")},
        {"root": None},
    )


def _names() -> Feature:
    symbols = enum("Symbols", *HOSTILE_NAMES, default="None")
    fields = [field(name, "string", doc=HOSTILE_DOCS[n % 20]) for n, name in enumerate(HOSTILE_NAMES)]
    values = {name: name for name in HOSTILE_NAMES}
    return feature(
        "thirty hostile field names and symbols",
        record(*fields, ("symbols", array(symbols)), name="Names"),
        {**values, "symbols": list(HOSTILE_NAMES)},
    )


def _namespaces() -> Feature:
    inner = record(
        ("up", ["null", "test.a.Node"]),
        ("kind", enum("Kind", "A", namespace="test.c")),
        name="Node",
        namespace="test.b",
    )
    other = record(("kinds", array("test.c.Kind")), ("node", ["null", "test.b.Node"]), name="Node", namespace="other.c")
    outer = record(
        ("inner", inner),
        ("other", other),
        ("all", ["null", "test.b.Node", "other.c.Node"]),
        name="Node",
        namespace="test.a",
    )
    in_b = {"up": None, "kind": "A"}
    in_c = {"kinds": ["A"], "node": ("test.b.Node", in_b)}
    value = {"inner": in_b, "other": in_c, "all": ("other.c.Node", in_c)}
    nested = {**value, "inner": {"up": value, "kind": "A"}}
    return feature("namespaces that refer to each other", outer, value, nested)


def _defaults() -> Feature:
    fields: list[Any] = []
    seen: set[str] = set()
    for number, each in enumerate(DEFAULTS):
        for one in each.schema["fields"]:
            if "Card" not in str(one) or "Card" not in seen:
                seen.update({"Card"} if "Card" in str(one) else set())
                doc = HOSTILE_DOCS[len(fields) % 20]
                fields.append({**one, "name": f"f{number}_{one['name']}", "doc": doc})
    fields.append(
        field("money", logical("bytes", "decimal", precision=4, scale=2), default="\u0001", doc=HOSTILE_DOCS[0])
    )
    fields.append(field("text", "string", default=HOSTILE_DOCS[0], doc=HOSTILE_DOCS[1]))
    fields.append(field("texts", map_("string"), default=dict.fromkeys(HOSTILE_DOCS, HOSTILE_DOCS[2])))
    return feature("twenty defaults with hostile docs", record(*fields, name="Defaults", doc=HOSTILE_DOCS[2]))


def _all_at_once() -> Feature:
    """Every trap in one file: what hides what, twins, recursion, unions in containers, defaults, texts."""
    shipping = record(
        field("Address", "string", default=HOSTILE_DOCS[0]),
        name="Address",
        namespace="test.shipping",
        doc=HOSTILE_DOCS[2],
    )
    billing = record(
        field("list", array("string"), default=list(HOSTILE_DOCS[:4])), name="Address", namespace="test.billing"
    )
    word = enum(
        "None", "None", "mro", "name", "_x", "x", "str", default="mro", namespace="test.class", doc=HOSTILE_DOCS[3]
    )
    number = logical("bytes", "decimal", precision=9, scale=3)
    span = record(
        ("span", logical(fixed("Span", 12), "duration")),
        field("value", ["int", "long"], default=2**31 - 1),
        field("dict", map_(array(word)), default={"\"'": ["_x", "None"]}),
        name="Duration",
        namespace="test.parts",
    )
    order = record(
        field("required", shipping),
        field("self", array(array(map_(span))), doc=HOSTILE_DOCS[19]),
        field("Order", ["null", "test.class.Order"], default=None, doc=HOSTILE_DOCS[1]),
        field("None", "test.class.None", default="_x"),
        field(
            "str",
            map_(["null", "test.shipping.Address", billing, array(["test.shipping.Address", "null"])]),
            default={},
        ),
        field("bytes", [fixed("bytes", 2), "bytes"], default="\u00ff\u0000"),
        field("_dc", number, default="\u0000\u0080", doc=HOSTILE_DOCS[6]),
        field("datetime", logical("long", "timestamp-micros"), default=-1, treaty={"pii": HOSTILE_DOCS[0]}),
        field("int", ["string", "null", "test.class.None"], default=HOSTILE_DOCS[3]),
        field("date", ["null", logical("int", "date")], default=None),
        field("property", "test.billing.Address", default={}),
        name="Order",
        namespace="test.class",
        doc=HOSTILE_DOCS[0],
        aliases=["None"],
        owner=HOSTILE_DOCS[0],
    )
    small: dict[str, Any] = {
        "Order": None,
        "None": "str",
        "str": {
            "": None,
            '"': ("test.billing.Address", {"list": []}),
            "a": [("test.shipping.Address", {"Address": "x"}), None],
        },
        "bytes": ("test.class.bytes", b"ab"),
        "_dc": Decimal("-12.340"),
        "datetime": AN_INSTANT,
        "self": [[], [{"k": {"span": b"\x01\0\0\0\x02\0\0\0\x03\0\0\0", "value": 2**40, "dict": {"d": ["x", "mro"]}}}]],
        "int": ("test.class.None", "name"),
        "date": date(1969, 12, 31),
        "property": {"list": list(HOSTILE_DOCS)},
        "required": {"Address": HOSTILE_DOCS[0]},
    }
    return feature(
        "every trap at once",
        order,
        small,
        {**small, "Order": ("test.class.Order", small), "bytes": b"abc", "int": None, "date": None},
    )


HARD: Final = (_logical_types(), _unions(), _names(), _namespaces(), _defaults(), _all_at_once())
