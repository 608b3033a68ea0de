"""The last look at generated source before it leaves: it may hold only what the emitter makes.

Names and texts of schemas come from strangers. Each is validated or quoted where it enters; this check does not trust that.
Nothing here runs the source.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import attrgetter
from typing import Any, Final, TypeAlias

from treaty_codegen.errors import GuardError
from treaty_codegen.source import LIBRARIES


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """What one module may hold besides the fixed parts: texts that were quoted, classes, modules of the package."""

    texts: frozenset[str | bytes]
    classes: frozenset[str] = frozenset()
    modules: frozenset[str] = frozenset()
    text_module: str = ""


_BUILTINS: Final = frozenset(
    {
        *("bool", "int", "float", "str", "bytes", "list", "dict", "tuple", "type", "object", "len", "ValueError"),
        *("staticmethod", "classmethod", "property"),
    }
)

_OURS: Final = frozenset(
    {
        *LIBRARIES,
        *("_avsc", "_lazy", "_duration"),
        *("__avro_schema__", "__avro_fullname__", "__avro_names__", "__avro_references__", "__avro_types__"),
        *("__topic__", "__subject__", "__event_type__", "__key__", "__slots__", "__new__"),
        *("__get_pydantic_core_schema__", "__all__", "__version__", "__getattr__", "__dir__", "__name__"),
    }
)

_CALLS: Final = frozenset(
    {
        *("_dc.dataclass", "_dc.field", "_decimal.Decimal", "_uuid.UUID"),
        *("_datetime.date", "_datetime.time", "_datetime.datetime", "_lazy.Events", "_lazy.exports", "handler"),
        *("bytes.__new__", "_builtins.bytes.__new__"),
        *(f"{prefix}{name}" for name in ("str", "len", "float", "ValueError") for prefix in ("", "_builtins.")),
    }
)

_BASES: Final = frozenset({"_enum.Enum", "bytes", "_builtins.bytes"})
_DECORATORS: Final = frozenset(
    {f"{prefix}{name}" for name in ("staticmethod", "classmethod", "property") for prefix in ("", "_builtins.")}
)


_NAMED: Final[Mapping[type[ast.AST], str]] = {
    ast.Attribute: "attr",
    ast.ClassDef: "name",
    ast.FunctionDef: "name",
    ast.arg: "arg",
    ast.keyword: "arg",
    ast.alias: "asname",
}
"""Where a node that is more than a name has the name that it binds or uses."""


def kinds(node: ast.AST, allowed: Allowed) -> str | None:  # noqa: ARG001  # all rules have one shape
    """Only the kinds of nodes that the emitter makes."""
    return f"holds a {type(node).__name__}"


def calls(node: ast.Call, allowed: Allowed) -> str | None:
    """Only calls of listed functions and of the module's classes."""
    name = _dotted(node.func)
    if name in _CALLS or name.removeprefix("_t_") in allowed.classes:
        return None
    return f"calls {name or ast.unparse(node.func):.80}"


def bases(node: ast.ClassDef, allowed: Allowed) -> str | None:  # noqa: ARG001  # as above
    """Only known bases and no metaclass: they run."""
    is_ours = not node.keywords and all(_dotted(base) in _BASES for base in node.bases)
    return None if is_ours else "has a base or a keyword of a class that is not ours"


def decorators(node: ast.ClassDef | ast.FunctionDef, allowed: Allowed) -> str | None:  # noqa: ARG001  # as above
    """Only known decorators: they are calls without brackets."""
    for each in node.decorator_list:
        name = _dotted(each.func if isinstance(each, ast.Call) else each)
        if name not in _DECORATORS and not (isinstance(each, ast.Call) and name == "_dc.dataclass"):
            return "has a decorator that is not ours"
    return None


def libraries(node: ast.Import, allowed: Allowed) -> str | None:  # noqa: ARG001  # as above
    """Only listed libraries under our names."""
    strange = [each.name for each in node.names if LIBRARIES.get(each.asname or "") != each.name]
    return f"imports {strange[0]}" if strange else None


def modules(node: ast.ImportFrom, allowed: Allowed) -> str | None:
    """Only modules of the package, and annotations that are not evaluated."""
    is_future = node.module == "__future__" and [each.name for each in node.names] == ["annotations"]
    if not node.level and (is_future or node.module in allowed.modules):
        return None
    return f"imports from {node.module}"


def names(node: ast.Name, allowed: Allowed) -> str | None:
    """No name starts with an underscore but ours."""
    name = node.id
    return _strange(name, allowed) if name[:1] == "_" else None


def members(node: ast.AST, allowed: Allowed) -> str | None:
    """Nor does one that is a part of something: an attribute, an argument, what is imported, a class."""
    name = getattr(node, _NAMED[type(node)])
    if name is not None and name[:1] == "_" and (reason := _strange(name, allowed)) is not None:
        return reason
    return _strange(node.name, allowed) if type(node) is ast.alias and node.name[:1] == "_" else None


def _strange(name: str, allowed: Allowed) -> str | None:
    if name in _OURS or name == allowed.text_module:
        return None
    is_ours = name.startswith("_t_") and name.removeprefix("_t_") in allowed.classes
    return None if is_ours else f"uses the name {name:.80}"


def builtins(node: ast.Attribute, allowed: Allowed) -> str | None:  # noqa: ARG001  # as above
    """Of ``_builtins`` only what annotations need."""
    value = node.value
    is_strange = type(value) is ast.Name and value.id == "_builtins" and node.attr not in _BUILTINS
    return f"uses the builtin {node.attr:.80}" if is_strange else None


def texts(node: ast.Constant, allowed: Allowed) -> str | None:
    """Every literal evaluates back to a text that was put in."""
    value = node.value
    if value is None or value in allowed.texts or not isinstance(value, (str, bytes)):
        return None
    return f"holds a text that no schema has: {value!r:.80}"


def documentation(node: ast.Expr, allowed: Allowed) -> str | None:
    """A statement that is an expression is a text that documents something; its lines are indented like their place."""
    if type(node.value) is not ast.Constant:
        return f"holds a {type(node.value).__name__} as a statement"
    value = node.value.value
    if value in allowed.texts or value is ... or (isinstance(value, str) and inspect.cleandoc(value) in allowed.texts):
        return None
    return f"holds a text that no schema has: {value!r:.80}"


Rule: TypeAlias = Callable[[Any, Allowed], str | None]
"""What is wrong with a node; None where nothing is."""

RULES: Final[Mapping[Rule, tuple[type[ast.AST], ...]]] = {
    kinds: (ast.AST,),
    calls: (ast.Call,),
    bases: (ast.ClassDef,),
    decorators: (ast.ClassDef, ast.FunctionDef),
    libraries: (ast.Import,),
    modules: (ast.ImportFrom,),
    names: (ast.Name,),
    members: (ast.Attribute, ast.arg, ast.keyword, ast.alias, ast.ClassDef, ast.FunctionDef),
    builtins: (ast.Attribute,),
    texts: (ast.Constant,),
    documentation: (ast.Expr,),
}
"""Each rule and the nodes that it looks at; ``ast.AST`` stands for all kinds of nodes that are not known."""

_WITHOUT_RULE: Final = (
    *(ast.Module, ast.arguments, ast.Return, ast.Assign, ast.AnnAssign, ast.Subscript),
    *(ast.Tuple, ast.List, ast.Dict, ast.Lambda, ast.BinOp, ast.BitOr, ast.Add, ast.UnaryOp, ast.USub),
    *(ast.If, ast.Compare, ast.NotEq, ast.Raise, ast.JoinedStr, ast.FormattedValue),
)

_WITHOUT_NODES: Final = frozenset(
    {"arg", "asname", "attr", "conversion", "ctx", "id", "kind", "level", "module", "name", "simple", "type_comment"}
)
"""Members of nodes that hold a name or a number. ``ctx`` says load, store or delete, which the node around it says too."""

_LEAVES: Final = frozenset({ast.Constant, ast.Expr})
"""Kinds with members that hold no nodes, or only what a rule has looked at: documentation has its text read with its indentation."""

_Table: TypeAlias = Mapping[type, tuple[Rule | None, Callable[[Any], Iterable[Any]] | None]]
"""Kind of node to the rule that looks at it, and to what reads its members that hold nodes; lists and None are members too."""


def check(path: str, *, source: str, allowed: Allowed, rules: Mapping[Rule, tuple[type[ast.AST], ...]] = RULES) -> None:
    """Raise ``GuardError`` at the first thing that the emitter would never write; ``path`` names the module in it."""
    if "\r" in source or "\f" in source or not source.endswith("\n") or source.endswith("\n\n"):
        raise GuardError("lines do not end in a single line feed", path=path)
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError) as error:
        raise GuardError(f"is not Python: {error}", path=path) from None
    table = _TABLE if rules is RULES else _by_kind(rules)
    strangers = table[ast.AST]
    waiting: list[Iterable[Any]] = [(tree,)]
    while waiting:
        for node in waiting.pop():
            rule, within = table.get(type(node), strangers)
            if rule is not None and (reason := rule(node, allowed)) is not None:
                raise GuardError(reason, path=path, line=getattr(node, "lineno", 0))
            if within is not None:
                waiting.append(within(node))


def _by_kind(rules: Mapping[Rule, tuple[type[ast.AST], ...]]) -> _Table:
    known: set[type[ast.AST]] = {*_WITHOUT_RULE, *(kind for kinds_ in RULES.values() for kind in kinds_)}
    table: dict[type, tuple[Rule | None, Callable[[Any], Iterable[Any]] | None]] = {
        kind: (_one([rule for rule, nodes in rules.items() if kind in nodes]), _within(kind)) for kind in known
    }
    # A member may be left out, as may a key of a dict: that of ``**``.
    return {**table, list: (None, iter), type(None): (None, None)}


def _one(rules: Sequence[Rule]) -> Rule | None:
    """Several rules as one, which is one call for most kinds of nodes; None where there are none."""
    return reduce(_both, rules) if rules else None


def _both(first: Rule, second: Rule) -> Rule:
    return lambda node, allowed: first(node, allowed) or second(node, allowed)


def _within(kind: type[ast.AST]) -> Callable[[Any], Iterable[Any]] | None:
    """What reads the members of a kind of node that hold nodes, all at once; None where there are none."""
    names_ = () if kind in _LEAVES else tuple(name for name in kind._fields if name not in _WITHOUT_NODES)
    if not names_:
        return None
    read: Callable[[Any], Any] = attrgetter(*names_)
    if len(names_) > 1:
        return read
    return lambda node: value if type(value := read(node)) is list else (value,)


_TABLE: Final = _by_kind(RULES)


def _dotted(node: ast.AST) -> str:
    """``a.b.c`` of plain names; "" for anything else."""
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=value, attr=name):
            before = _dotted(value)
            return f"{before}.{name}" if before else ""
        case _:
            return ""
