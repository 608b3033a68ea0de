"""The last look at generated source before it leaves: it may hold only what the emitter makes.

Names and texts of schemas come from strangers. Each is validated or quoted where it enters; this check does not trust that.
Nothing here runs the source.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from treaty_codegen.errors import GuardError
from treaty_codegen.source import LIBRARIES

Fault: TypeAlias = tuple[int, str]
"""A line of the module, and what is wrong there."""


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


def kinds(node: ast.AST, allowed: Allowed) -> Iterator[Fault]:  # noqa: ARG001  # all rules have one shape
    """Only the kinds of nodes that the emitter makes."""
    yield getattr(node, "lineno", 0), f"holds a {type(node).__name__}"


def calls(node: ast.Call, allowed: Allowed) -> Iterator[Fault]:
    """Only calls of listed functions and of the module's classes."""
    name = _dotted(node.func)
    if name not in _CALLS and name.removeprefix("_t_") not in allowed.classes:
        yield node.lineno, f"calls {name or ast.unparse(node.func):.80}"


def bases(node: ast.ClassDef, allowed: Allowed) -> Iterator[Fault]:  # noqa: ARG001  # as above
    """Only known bases and no metaclass: they run."""
    if node.keywords or any(_dotted(base) not in _BASES for base in node.bases):
        yield node.lineno, "has a base or a keyword of a class that is not ours"


def decorators(node: ast.ClassDef | ast.FunctionDef, allowed: Allowed) -> Iterator[Fault]:  # noqa: ARG001  # as above
    """Only known decorators: they are calls without brackets."""
    for each in node.decorator_list:
        name = _dotted(each.func if isinstance(each, ast.Call) else each)
        if name not in _DECORATORS and not (isinstance(each, ast.Call) and name == "_dc.dataclass"):
            yield node.lineno, "has a decorator that is not ours"


def libraries(node: ast.Import, allowed: Allowed) -> Iterator[Fault]:  # noqa: ARG001  # as above
    """Only listed libraries under our names."""
    for each in node.names:
        if LIBRARIES.get(each.asname or "") != each.name:
            yield node.lineno, f"imports {each.name}"


def modules(node: ast.ImportFrom, allowed: Allowed) -> Iterator[Fault]:
    """Only modules of the package, and annotations that are not evaluated."""
    is_future = node.module == "__future__" and [each.name for each in node.names] == ["annotations"]
    if node.level or not (is_future or node.module in allowed.modules):
        yield node.lineno, f"imports from {node.module}"


def names(node: ast.AST, allowed: Allowed) -> Iterator[Fault]:
    """No name starts with an underscore but ours."""
    name = _name_in(node)
    is_ours = name in _OURS or name == allowed.text_module
    is_alias = name.startswith("_t_") and name.removeprefix("_t_") in allowed.classes
    if name.startswith("_") and not (is_ours or is_alias):
        yield getattr(node, "lineno", 0), f"uses the name {name:.80}"


def builtins(node: ast.Attribute, allowed: Allowed) -> Iterator[Fault]:  # noqa: ARG001  # as above
    """Of ``_builtins`` only what annotations need."""
    if isinstance(node.value, ast.Name) and node.value.id == "_builtins" and node.attr not in _BUILTINS:
        yield node.lineno, f"uses the builtin {node.attr:.80}"


def texts(node: ast.Constant, allowed: Allowed) -> Iterator[Fault]:
    """Every literal evaluates back to a text that was put in."""
    if isinstance(node.value, str | bytes) and node.value not in allowed.texts:
        yield node.lineno, f"holds a text that no schema has: {node.value!r:.80}"


def documentation(node: ast.Expr, allowed: Allowed) -> Iterator[Fault]:
    """A statement that is a text documents something; its lines are indented like their place."""
    value = node.value.value if isinstance(node.value, ast.Constant) else None
    if isinstance(value, str) and value not in allowed.texts and inspect.cleandoc(value) not in allowed.texts:
        yield node.lineno, f"holds a text that no schema has: {value!r:.80}"


Rule: TypeAlias = Callable[[Any, Allowed], Iterator[Fault]]

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
    *(ast.Module, ast.arguments, ast.Return, ast.Assign, ast.AnnAssign, ast.Load, ast.Store, ast.Subscript),
    *(ast.Tuple, ast.List, ast.Dict, ast.Lambda, ast.BinOp, ast.BitOr, ast.Add, ast.UnaryOp, ast.USub),
    *(ast.If, ast.Compare, ast.NotEq, ast.Raise, ast.JoinedStr, ast.FormattedValue),
)


def check(path: str, *, source: str, allowed: Allowed, rules: Mapping[Rule, tuple[type[ast.AST], ...]] = RULES) -> None:
    """Raise ``GuardError`` at the first thing that the emitter would never write; ``path`` names the module in it."""
    if "\r" in source or "\f" in source or not source.endswith("\n") or source.endswith("\n\n"):
        raise GuardError("lines do not end in a single line feed", path=path)
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError) as error:
        raise GuardError(f"is not Python: {error}", path=path) from None
    looks_at = _by_kind(rules)
    strangers = looks_at[ast.AST]
    for node in _walk(tree):
        for rule in looks_at.get(type(node), strangers):
            for line, reason in rule(node, allowed):
                raise GuardError(reason, path=path, line=line)


def _by_kind(rules: Mapping[Rule, tuple[type[ast.AST], ...]]) -> dict[type[ast.AST], list[Rule]]:
    table: dict[type[ast.AST], list[Rule]] = {kind: [] for kinds_ in RULES.values() for kind in kinds_}
    table |= {kind: [] for kind in _WITHOUT_RULE}
    for rule, nodes in rules.items():
        for kind in nodes:
            table[kind].append(rule)
    return table


def _walk(tree: ast.Module) -> Iterator[ast.AST]:
    """Every node, but for the text inside a statement of documentation, which is looked at as such."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        if type(node) is ast.Expr and type(node.value) is ast.Constant:
            continue
        for name in node._fields:
            value = getattr(node, name, None)
            if type(value) is list:
                waiting += [each for each in value if isinstance(each, ast.AST)]
            elif isinstance(value, ast.AST):
                waiting.append(value)


def _name_in(node: ast.AST) -> str:
    """The name that a node binds or uses; "" for ``**``."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name) | ast.ClassDef(name=name) | ast.FunctionDef(name=name):
            return name
        case ast.arg(arg=name):
            return name
        case ast.keyword(arg=name):
            return name or ""
        case ast.alias(name=name, asname=asname):
            return asname or name
        case _:
            return ""


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
