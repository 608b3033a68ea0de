"""Three hundred hostile catalogs, the same each time: names that Python, dataclasses, enums or our own files use, texts that
look like code, the same short name everywhere, types deep and wide, files whose names are no names.

Nothing here cares whether a schema is legal: a catalog is either generated or clearly refused.
"""

from __future__ import annotations

import json
import keyword
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any, Final

from tests.treaty_codegen.features import Json, array, enum, field, fixed, logical, map_, record
from tests.treaty_codegen.hard import HOSTILE_DOCS, HOSTILE_NAMES

CASES: Final = 300

NEIGHBOUR_PATH: Final = "neighbour/plain.avsc"
NEIGHBOUR: Final = record(
    ("id", "long"),
    field("text", "string", default="x", doc="A text."),
    field("side", enum("Side", "LEFT", "RIGHT", default="LEFT"), default="LEFT"),
    name="Plain",
    namespace="test.neighbour",
    doc="A well-behaved event, which lives in the same catalog as each hostile one.",
)


def words(text: str) -> tuple[str, ...]:
    """Names as they are listed below; none of them has a space."""
    return tuple(text.split())


KEYWORDS: Final = (*keyword.kwlist, *keyword.softkwlist)
BUILTINS: Final = words("""
    int str bytes bool float list dict tuple type object len ValueError property staticmethod classmethod super print eval exec
    open set frozenset range isinstance getattr setattr BaseException Ellipsis NotImplemented copyright exit hash id vars
""")
DUNDERS: Final = words("""
    __init__ __new__ __class__ __slots__ __dict__ __doc__ __module__ __annotations__ __post_init__ __init_subclass__ __set_name__
    __getattr__ __class_getitem__ __mro_entries__ __avro_schema__ __avro_names__ __avro_types__ __avro_fullname__ __subject__
    __avro_references__ __topic__ __event_type__ __key__ __get_pydantic_core_schema__ __pydantic_config__ __reduce__ __del__
    __match_args__ __dataclass_fields__ __dataclass_params__ __hash__ __eq__ __all__ __builtins__ __import__ __name__ __path__
    __file__ __loader__ __spec__ __debug__
""")
MACHINERY: Final = words("""
    _dc _typing _builtins _enum _decimal _uuid _datetime _avsc _lazy _duration _t_Side annotations EVENTS SCHEMA_SET Duration TEXT
    Events exports get home value name mro self cls source handler check field fields dataclass KW_ONLY InitVar ClassVar Enum
    _ignore_ _missing_ _order_ _value_ _name_ _generate_next_value_ _sunder_ __private names values keys items copy json schema
    model_config model_fields validate count index
""")
ALIKE: Final = words("Order order ORDER Order_ _Order __Order Order__ _Order_ Orders l1I lI1 Il1")
UNICODE_ALIKE: Final = words("оrder Ordеr ｏｒｄｅｒ orde\u0280 ord\u200ber ﬁeld naïve ℌ Σ １ \u0301a a\u0301 µ K")
NO_NAMES: Final = (
    *UNICODE_ALIKE,
    *words("0rder a.b a-b 1 a;b a' __import__('os') int a:b x\u0000 \ud800 \udfff\ud800"),
    "a b",
    "a\n",
    "",
)
NAMES: Final = (*HOSTILE_NAMES, *KEYWORDS, *BUILTINS, *DUNDERS, *MACHINERY, *ALIKE)
TEXTS: Final = (
    *HOSTILE_DOCS,
    *words(
        '{ } {{ }} {x!r:>{y}} {0.__class__} {"""} f\'{exit()}\' %s%n ${PATH} `id` $(id) # </textarea><script> [x](javascript:x)'
    ),
    *words(
        '""" \'\'\' "" \\"\\"\\" \\\' \'"\'"\' \\x \\u \\N{ \\8 \\d \U0001f600 \U0001fae8 \U0001fabe \ufeff \x7f \x1a'
    ),
    *(
        '"""" ',
        '\\\n"""',
        "\\\\\n",
        "\u0085",
        "\x0b\x1c",
        "\tindented\n\t\tmore",
        " x ",
        "x\n ",
        "\n",
        "a\r\nb\rc",
        "-" * 119,
    ),
    *(
        "# -*- coding: utf-7 -*-",
        "# type" + ": ignore",
        "from __future__ import braces",
        "line\n" * 300,
        "x" * 5_000,
        "e\u0301" * 400,
    ),
)
PATHS: Final = (
    *(
        f"{name}.avsc"
        for name in words("__init__ __main__ _lazy lazy con NUL a;b a.b coding=utf-7 é order_avsc Order order - 1")
    ),
    *(
        f"{name}.avsc"
        for name in (
            "",
            "a b",
            "x'\"\n",
            "class",
            "py.typed",
            "__pycache__/x",
            "a/../b",
            "y" * 180,
            "duration",
            "\u202e",
        )
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One hostile catalog: texts by path, ``topics.toml`` or None. The neighbour is among the files."""

    name: str
    files: Mapping[str, str]
    topics: str | None = None


def adversarial() -> Iterator[Case]:
    """All cases, in turn from each theme."""
    for number in range(CASES):
        theme = THEMES[number % len(THEMES)]
        rng = Random(f"treaty {number}")
        schemas = theme(rng)
        files = {path: json.dumps(schema) for path, schema in schemas.items()}
        topics = _topics(rng, schemas.values()) if number % 3 == 0 else None
        everything = {**files, NEIGHBOUR_PATH: json.dumps(NEIGHBOUR)}
        yield Case(name=f"{number:03}-{theme.__name__.strip('_')}", files=everything, topics=topics)


def _names(rng: Random) -> dict[str, Json]:
    """Fields, symbols, types and namespaces named by strangers."""
    names = rng.sample(NAMES, 12)
    types = rng.sample(NAMES, 4)
    kind = enum(types[0], *rng.sample(NAMES, 5))
    inner = record(
        *(_field(rng, name) for name in names[:5]), name=types[1], namespace="test.things", doc=rng.choice(TEXTS)
    )
    fields = [
        *(_field(rng, name) for name in names[5:]),
        field(types[0], kind, default=kind["symbols"][0]),
        field(types[1], ["null", inner], default=None),
        field(types[2], fixed(types[2], rng.randrange(9))),
    ]
    unique = {each["name"]: each for each in fields}
    return {f"{rng.choice(types)}.avsc": record(*unique.values(), name=types[3], namespace=_namespace(rng))}


def _same_short_names(rng: Random) -> dict[str, Json]:
    """One simple name, or one that differs in case only, in many namespaces, files and packages."""
    simple = rng.choice(("Order", "List", "str", "Duration", "order", "EVENTS", "None", "__init__"))
    spaces = [
        f"test.{segment}" for segment in rng.sample(("a", "A", "b", "order", "Order", "class", "_a", "con", simple), 5)
    ]
    inner = [record(("x", "int"), name=simple, namespace=space) for space in spaces[:3]]
    outer = record(
        field("union", ["null", *inner], default=None),
        field("list", array(f"{spaces[0]}.{simple}"), default=[]),
        field(simple, map_(f"{spaces[1]}.{simple}")),
        name=simple,
        namespace=spaces[3],
    )
    other = record(("theirs", f"{spaces[3]}.{simple}"), (simple, "int"), name=simple, namespace=spaces[4])
    return {f"{simple}.avsc": outer, f"x/{simple.upper()}.avsc": other}


def _texts(rng: Random) -> dict[str, Json]:
    """Texts that look like code wherever a schema may hold one."""
    text = iter(rng.sample(TEXTS, 30))
    side = enum("Side", "LEFT", doc=next(text))
    fields = [
        field("a", "string", doc=next(text), default=next(text), treaty={"pii": next(text)}),
        field("b", map_("string"), default={next(text): next(text), next(text): ""}, doc=next(text)),
        field("c", side, default="LEFT", treaty={"deprecated": {"since": next(text), "use": next(text)}}),
        field("d", array(map_(array("string"))), default=[{next(text): [next(text)]}]),
        field("e", "string", default=next(text), order="ignore", custom=[next(text)]),
        field("f", fixed("Seal", 3, doc=next(text)), default=next(text).ljust(3)[:3]),
        field("g", ["string", "null"], default=next(text), aliases=[next(text)]),
        field("h", logical("string", next(text)), default=next(text)),
    ]
    kept = rng.sample(fields, rng.randrange(2, 5))
    properties = {"owner": next(text), next(text): next(text)}
    return {rng.choice(PATHS): record(*kept, doc=next(text), **properties)}


def _deep(rng: Random) -> dict[str, Json]:
    """Types within types, records within records, namespaces within namespaces."""
    depth = rng.choice((20, 45, 90, 98, 101))
    type_: Json = rng.choice(("int", "string", fixed("Seal", 1)))
    for level in range(depth):
        type_ = rng.choice(
            (array, map_, lambda type_: ["null", type_] if not isinstance(type_, list) else array(type_))
        )(type_)
        if level % 15 == 0:
            type_ = record(("x", type_), name=f"{rng.choice(('Level', 'x', '_'))}{level}")
    namespace = ".".join(["test", *(rng.choice(("a", "b", "_", "if")) for _ in range(rng.choice((1, 10, 40))))])
    return {"deep.avsc": record(("x", type_), namespace=namespace)}


def _wide(rng: Random) -> dict[str, Json]:
    """Hundreds of fields and symbols, and names as long as files may not be."""
    long = rng.choice((100, 254, 300, 2_000)) * "n"
    symbols = [f"{rng.choice(('S', 's', '_', '__'))}{number}" for number in range(rng.choice((10, 300)))]
    fields = [_field(rng, f"{rng.choice(('f', 'F', '_f', '__f'))}{number}") for number in range(rng.choice((5, 150)))]
    kind = enum("Kind", *dict.fromkeys(symbols), long)
    simple, namespace = rng.choice(
        ((long, "test.things"), ("Thing", f"test.{long}"), ("Thing", f"test.{long}.{long}x"))
    )
    return {
        f"{long[:200]}.avsc": record(*fields, ("kinds", array(kind)), (long, "int"), name=simple, namespace=namespace)
    }


def _defaults(rng: Random) -> dict[str, Json]:
    """Defaults of every type, some of which no value has."""
    inner = record(
        ("a", "int"), field("str", "string", default=rng.choice(TEXTS)), name="Inner", namespace="test.things"
    )
    known = [
        ("int", 2**31), ("long", -(2**63)), ("float", 1e39), ("double", 1e308), ("double", 5e-324), ("boolean", 1),
        ("bytes", "\u00ff"), ("bytes", "\u0100"), (logical("bytes", "decimal", precision=3, scale=1), "\u0003\u00e7"),
        (logical("int", "date"), -719162), (logical("int", "date"), 2**31 - 1), (logical("string", "uuid"), rng.choice(TEXTS)),
        (logical("long", "timestamp-micros"), -(2**60)), (logical(fixed("Span", 12), "duration"), "\u0001\u0000\u0000" * 4),
        (inner, {"a": 1}), (inner, {"a": 1, "str": rng.choice(TEXTS), "more": 2}), (array(inner), [{"a": n} for n in range(50)]),
        (["null", "int"], 1), (["int", "null"], None), (enum("Side", "LEFT"), "UP"), (fixed("Seal", 2), "\u00e9\u00e9\u00e9"),
        (map_(array(map_("long"))), {rng.choice(NAMES): [{"": 2**53 + 1}]}), (logical("int", "time-millis"), -1), ("null", "x"),
        (array("string"), [rng.choice(TEXTS) for _ in range(5)]), ("double", "NaN"), ("string", None), ("float", "-Infinity"),
    ]  # fmt: skip  # one row a pair would be a page
    names = rng.sample(NAMES, 8)
    picked = rng.sample(known, rng.choice((1, 2, 3)))
    return {
        "defaults.avsc": record(*(field(names[n], type_, default=value) for n, (type_, value) in enumerate(picked)))
    }


def _files(rng: Random) -> dict[str, Json]:
    """Files of strange names that refer to each other."""
    paths = rng.sample(PATHS, 4)
    space = rng.choice(("test", "test.a", "", "mine", "test.things"))
    spaced = f"{space}." if space else ""
    names = rng.sample((*MACHINERY, *BUILTINS, *ALIKE), 4)
    first = enum(names[0], *rng.sample(NAMES, 3), namespace=space)
    second = record((names[0], f"{spaced}{names[0]}"), ("x", "string"), name=names[1], namespace=space)
    third = record(
        (names[1], array(f"{spaced}{names[1]}")), name=names[2], namespace=space, aliases=rng.sample(NAMES, 2)
    )
    fourth = fixed(names[3], 4, namespace=space, doc=rng.choice(TEXTS))
    return dict(zip(paths, (first, second, third, fourth), strict=True))


def _illegal(rng: Random) -> dict[str, Json]:
    """Names that are none, in one place of a legal schema."""
    bad = rng.choice(NO_NAMES)
    places: list[Json] = [
        record((bad, "int")),
        record(("x", enum("Kind", "A", bad))),
        record(("x", "int"), name=bad),
        record(("x", "int"), namespace=f"test.{bad}"),
        record(field("x", enum("Kind", "A", default=bad))),
        record(("x", bad)),
        record(("x", "int"), aliases=[bad]),
    ]
    return {rng.choice(PATHS): rng.choice(places)}


THEMES: Final[tuple[Callable[[Random], dict[str, Json]], ...]] = (
    *(_names, _same_short_names, _texts, _names, _deep, _wide, _defaults, _files, _texts, _illegal),
)


def _field(rng: Random, name: str) -> Json:
    """A field of a simple type, with a text, and a default more often than not."""
    given: dict[str, Any] = {
        "string": rng.choice(TEXTS),
        "long": 2**53 + 1,
        "boolean": True,
        "bytes": "\u00ff",
        "double": 1,
    }
    kind = rng.choice(list(given))
    default = {"default": given[kind]} if rng.random() < 0.6 else {}
    return field(name, kind, doc=rng.choice(TEXTS) if rng.random() < 0.3 else "A field.", **default)


def _namespace(rng: Random) -> str:
    """Inside the SDK's namespace, outside of it, or made of hostile segments."""
    return rng.choice(("test", "test.things", "other.things", ".".join(["test", *rng.sample(NAMES, 2)])))


def _topics(rng: Random, schemas: Iterable[Json]) -> str:
    """A topic for the neighbour, and one for the first hostile record with a text field, keyed by a hostile template."""
    own = [(each, name) for each in schemas for name in _text_fields(each) if each.get("namespace")]
    text = rng.choice(TEXTS).replace("{", "").replace("}", "").encode("utf-8", "replace").decode()
    quoted = json.dumps(text or "x", ensure_ascii=False).replace("\x7f", "\\u007f")
    neighbours = (
        'format = 1\n[topic.neighbours]\ndoc = "."\nowner = "@t"\nkey = "id"\nevents = ["test.neighbour.Plain"]\n'
    )
    if not own:
        return neighbours
    schema, name = own[0]
    key = json.dumps(f"{text}{{{name}}}{text}", ensure_ascii=False).replace("\x7f", "\\u007f")
    listed = json.dumps([f"{schema['namespace']}.{schema['name']}"], ensure_ascii=False)
    return f"{neighbours}[topic.things]\ndoc = {quoted}\nowner = {quoted}\nkey = {key}\nevents = {listed}\n"


def _text_fields(schema: Json) -> list[str]:
    return [each["name"] for each in schema.get("fields", ()) if each["type"] == "string"]
