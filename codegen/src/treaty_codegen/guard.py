"""The last look at generated source before it leaves: it may hold only what the emitter makes.

Names and texts of schemas come from strangers. Each is validated or quoted where it enters; this check does not trust that.
Nothing here runs the source.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

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


_NODES: Final = (
    *(ast.Module, ast.Expr, ast.Constant, ast.Import, ast.ImportFrom, ast.alias, ast.ClassDef, ast.FunctionDef),
    *(ast.arguments, ast.arg, ast.Return, ast.Assign, ast.AnnAssign, ast.Name, ast.Load, ast.Store, ast.Attribute),
    *(ast.Subscript, ast.Tuple, ast.List, ast.Dict, ast.Call, ast.keyword, ast.Lambda, ast.BinOp, ast.BitOr, ast.Add),
    *(ast.If, ast.Compare, ast.NotEq, ast.Raise, ast.JoinedStr, ast.FormattedValue, ast.UnaryOp, ast.USub),
)

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
    if not isinstance(node, _NODES):
        yield getattr(node, "lineno", 0), f"holds a {type(node).__name__}"


def calls(node: ast.AST, allowed: Allowed) -> Iterator[Fault]:
    """Only calls of listed functions and of the module's classes."""
    if isinstance(node, ast.Call):
        name = ast.unparse(node.func)
        if name not in _CALLS and name.removeprefix("_t_") not in allowed.classes:
            yield node.lineno, f"calls {name:.80}"


def bases(node: ast.AST, allowed: Allowed) -> Iterator[Fault]:  # noqa: ARG001
    """Only known bases, no metaclass, no decorator but ours: all of them run."""
    if isinstance(node, ast.ClassDef):
        strange = [base for base in node.bases if ast.unparse(base) not in _BASES]
        if strange or node.keywords:
            yield node.lineno, "has a base or a keyword of a class that is not ours"
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        plain = [each for each in node.decorator_list if not isinstance(each, ast.Call)]
        if any(ast.unparse(each) not in _DECORATORS for each in plain):
            yield node.lineno, "has a decorator that is not ours"


def imports(node: ast.AST, allowed: Allowed) -> Iterator[Fault]:
    """Only listed libraries under our names, and modules of the package."""
    if isinstance(node, ast.Import):
        strange = [each.name for each in node.names if LIBRARIES.get(each.asname or "") != each.name]
        yield from ((node.lineno, f"imports {name}") for name in strange)
    if isinstance(node, ast.ImportFrom):
        is_future = node.module == "__future__" and [each.name for each in node.names] == ["annotations"]
        if node.level or not (is_future or node.module in allowed.modules):
            yield node.lineno, f"imports from {node.module}"


def names(node: ast.AST, allowed: Allowed) -> Iterator[Fault]:
    """No name starts with an underscore but ours; of ``_builtins`` only what annotations need."""
    for name in _names_in(node):
        is_alias = name.startswith("_t_") and name.removeprefix("_t_") in allowed.classes
        if name.startswith("_") and name not in _OURS and name != allowed.text_module and not is_alias:
            yield getattr(node, "lineno", 0), f"uses the name {name:.80}"
    match node:
        case ast.Attribute(value=ast.Name(id="_builtins"), attr=name) if name not in _BUILTINS:
            yield node.lineno, f"uses the builtin {name:.80}"


Rule: TypeAlias = Callable[[ast.AST, Allowed], Iterator[Fault]]

RULES: Final[tuple[Rule, ...]] = (kinds, calls, bases, imports, names)
"""Every check of one node; texts are checked in ``check`` itself, where it is known what is documentation."""


def check(path: str, *, source: str, allowed: Allowed, rules: Sequence[Rule] = RULES) -> None:
    """Raise ``GuardError`` at the first thing that the emitter would never write; ``path`` names the module in it."""
    if "\r" in source or "\f" in source or not source.endswith("\n") or source.endswith("\n\n"):
        raise GuardError("lines do not end in a single line feed", path=path)
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError) as error:
        raise GuardError(f"is not Python: {error}", path=path) from None
    docs = _docs(tree)
    for node in ast.walk(tree):
        for rule in rules:
            for line, reason in rule(node, allowed):
                raise GuardError(reason, path=path, line=line)
        if isinstance(node, ast.Constant) and isinstance(node.value, str | bytes):
            value = inspect.cleandoc(node.value) if id(node) in docs and isinstance(node.value, str) else node.value
            if value not in allowed.texts and node.value not in allowed.texts:
                raise GuardError(f"holds a text that no schema has: {node.value!r:.80}", path=path, line=node.lineno)


def _names_in(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name) | ast.arg(arg=name):
            yield name
        case ast.ClassDef(name=name) | ast.FunctionDef(name=name):
            yield name
        case ast.keyword(arg=str(name)):
            yield name
        case ast.alias(name=name, asname=asname):
            yield asname or name


def _docs(tree: ast.Module) -> set[int]:
    """Ids of the constants that stand as statements: documentation, which is indented like its place."""
    return {
        id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
