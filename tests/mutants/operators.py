"""Every small fault that can be planted in a module: a comparison turned, a number one off, a condition always true."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_TURNED: Final[dict[type[ast.cmpop], type[ast.cmpop]]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
_OPERATORS: Final[dict[type[ast.operator], type[ast.operator]]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.BitXor: ast.BitOr,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
}
_BLOCKS: Final = ("body", "orelse", "finalbody")


@dataclass(frozen=True, slots=True)
class Mutant:
    """A module with one fault. ``what`` names line, fault and code: it is the mutant's name in the list of survivors."""

    line: int
    what: str
    source: str


def mutants(source: str, *, drops_statements: bool = False) -> Iterator[Mutant]:
    """All mutants of a module's source, in the order of its lines; annotations, texts and docstrings are left alone.

    ``drops_statements``: one mutant more for each call, yield or change of state that stands alone, without it.
    """
    tree = ast.parse(source)
    lines = source.splitlines()
    for node in _code(tree):
        for fault in (*_faults(node), *(_dropped(node) if drops_statements else ())):
            undo = fault.plant()
            line = fault.line or getattr(node, "lineno", 0)
            yield Mutant(line, f"{fault.name}: {lines[line - 1].strip()}", ast.unparse(tree))
            undo.plant()


@dataclass(frozen=True, slots=True)
class _Fault:
    """An attribute of a node, and the value that plants the fault. ``line``: of what is at fault, if not of the node."""

    name: str
    node: ast.AST
    attribute: str
    value: object
    line: int = 0

    def plant(self) -> _Fault:
        """Plant it; what undoes it."""
        before = getattr(self.node, self.attribute)
        setattr(self.node, self.attribute, self.value)
        return _Fault(self.name, self.node, self.attribute, before)


def _code(node: ast.AST) -> Iterator[ast.AST]:
    for name, child in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list"):
            continue
        for each in child if isinstance(child, list) else [child]:
            if isinstance(each, ast.AST) and not isinstance(each, ast.Import | ast.ImportFrom):
                yield each
                yield from _code(each)


def _faults(node: ast.AST) -> Iterator[_Fault]:
    match node:
        case ast.Compare(ops=[only]):
            yield _Fault("turned", node, "ops", [_TURNED[type(only)]()])
        case ast.BoolOp(op=ast.And()):
            yield _Fault("and to or", node, "op", ast.Or())
        case ast.BoolOp(op=ast.Or()):
            yield _Fault("or to and", node, "op", ast.And())
        case ast.UnaryOp(op=ast.Not()):
            yield _Fault("not dropped", node, "op", ast.UAdd())
        case ast.BinOp(op=op) if type(op) in _OPERATORS and not _is_text(node):
            yield _Fault("operator", node, "op", _OPERATORS[type(op)]())
        case ast.AugAssign(op=op) if type(op) in _OPERATORS:
            yield _Fault("operator", node, "op", _OPERATORS[type(op)]())
        case ast.If() | ast.IfExp():
            yield _Fault("always", node, "test", ast.Constant(value=True))
            yield _Fault("never", node, "test", ast.Constant(value=False))
        case ast.Constant(value=bool() as value):
            yield _Fault("flipped", node, "value", not value)
        case ast.Constant(value=int() as value):
            yield _Fault("one more", node, "value", value + 1)


def _is_text(node: ast.BinOp) -> bool:
    return any(
        isinstance(each, ast.JoinedStr) or isinstance(getattr(each, "value", None), str)
        for each in (node.left, node.right)
    )


def _dropped(node: ast.AST) -> Iterator[_Fault]:
    for block in _BLOCKS:
        found = getattr(node, block, None)
        statements: list[ast.stmt] = found if isinstance(found, list) else []  # a conditional expression has just one
        for index, each in enumerate(statements):
            if _changes(each):
                without = [*statements[:index], ast.Pass(), *statements[index + 1 :]]
                yield _Fault("dropped", node, block, without, each.lineno)


def _changes(statement: ast.stmt) -> bool:
    """Whether it does something by itself: names of its own are left alone, as what follows would only not find them."""
    match statement:
        case ast.Expr(value=value):
            return not isinstance(value, ast.Constant)
        case ast.Assign(targets=[target]):
            return not isinstance(target, ast.Name)
        case ast.AugAssign() | ast.Delete():
            return True
    return False
