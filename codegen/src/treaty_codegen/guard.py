"""The last look at generated source before it leaves: it may hold only what the emitter makes.

Names and texts of schemas come from strangers. Each is validated or quoted where it enters; this check does not trust that.
Nothing here runs the source.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
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
    ast.Name: "id",
    ast.Attribute: "attr",
    ast.ClassDef: "name",
    ast.FunctionDef: "name",
    ast.arg: "arg",
    ast.keyword: "arg",
    ast.alias: "asname",
}
"""Where a node has the name that it binds or uses."""


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


def names(node: ast.AST, allowed: Allowed) -> str | None:
    """No name starts with an underscore but ours."""
    name = getattr(node, _NAMED[type(node)])
    strange = _strange(name, allowed) if name is not None and name[:1] == "_" else None
    if strange is None and type(node) is ast.alias:
        strange = _strange(node.name, allowed)
    return strange and f"uses the name {strange:.80}"


def _strange(name: str, allowed: Allowed) -> str | None:
    if name[:1] != "_" or name in _OURS or name == allowed.text_module:
        return None
    return None if name.startswith("_t_") and name.removeprefix("_t_") in allowed.classes else name


def builtins(node: ast.Attribute, allowed: Allowed) -> str | None:  # noqa: ARG001  # as above
    """Of ``_builtins`` only what annotations need."""
    value = node.value
    is_strange = isinstance(value, ast.Name) and value.id == "_builtins" and node.attr not in _BUILTINS
    return f"uses the builtin {node.attr:.80}" if is_strange else None


def texts(node: ast.Constant, allowed: Allowed) -> str | None:
    """Every literal evaluates back to a text that was put in."""
    value = node.value
    is_strange = isinstance(value, (str, bytes)) and value not in allowed.texts
    return f"holds a text that no schema has: {value!r:.80}" if is_strange else None


def documentation(node: ast.Expr, allowed: Allowed) -> str | None:
    """A statement that is a text documents something; its lines are indented like their place."""
    value = node.value.value if isinstance(node.value, ast.Constant) else None
    if not isinstance(value, str) or value in allowed.texts or inspect.cleandoc(value) in allowed.texts:
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
    names: (ast.Name, ast.Attribute, ast.arg, ast.keyword, ast.alias, ast.ClassDef, ast.FunctionDef),
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

_Table: TypeAlias = Mapping[type[ast.AST], tuple[tuple[Rule, ...], tuple[str, ...]]]
"""Kind of node to the rules that look at it, and to its members that hold nodes."""


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
    waiting: list[ast.AST | None] = [tree]
    while waiting:
        node = waiting.pop()
        if node is None:  # the key of ``**`` in a dict
            continue
        looks_at, members = table.get(type(node), strangers)
        for rule in looks_at:
            reason = rule(node, allowed)
            if reason is not None:
                raise GuardError(reason, path=path, line=getattr(node, "lineno", 0))
        # The text inside a statement of documentation has been looked at as such, with its indentation.
        if type(node) is ast.Expr and type(node.value) is ast.Constant:
            continue
        for member in members:
            value = getattr(node, member, None)
            if type(value) is list:
                waiting += value
            elif value is not None:  # a member that is left out
                waiting.append(value)


def _by_kind(rules: Mapping[Rule, tuple[type[ast.AST], ...]]) -> _Table:
    known: set[type[ast.AST]] = {*_WITHOUT_RULE, *(kind for kinds_ in RULES.values() for kind in kinds_)}
    return {
        kind: (
            tuple(rule for rule, nodes in rules.items() if kind in nodes),
            () if kind is ast.Constant else tuple(name for name in kind._fields if name not in _WITHOUT_NODES),
        )
        for kind in known
    }


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
