"""One function walked with what is known of its values: reads are written down, what gets out of sight too."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

from treaty_codegen.readers.model import Read, Unknown
from treaty_codegen.readers.program import Found, FunctionNode, Module, Program


@dataclass(frozen=True, slots=True)
class Spot:
    """A record that a value is or holds: of type ``type``, at ``path`` of the event ``root``."""

    root: str
    path: tuple[str, ...]
    type: str


Spots: TypeAlias = frozenset[Spot]
NOTHING: Final[Spots] = frozenset()

HANDS_ON: Final = frozenset(
    {"list", "tuple", "set", "sorted", "reversed", "iter", "next", "enumerate", "zip", "min", "max", "filter"}
)
"""Functions whose result holds what they were given."""
LOOKS_ONLY: Final = frozenset({"len", "bool", "id", "type", "isinstance", "any", "all", "sum"})
"""Functions that read no field of a record. ``any``, ``all`` and ``sum`` get what their generator reads."""
OF_CONTAINERS: Final = frozenset({"items", "values", "keys", "get", "copy", "pop", "append", "extend"})


@dataclass(eq=False, slots=True)
class Answers:
    """What was found so far."""

    reads: set[Read]
    unknown: set[Unknown]
    exhaustive: set[Read]


class Walker:
    """Walks one function. ``follow`` is asked to walk another one with the values of its parameters."""

    def __init__(
        self, program: Program, module: Module, answers: Answers, follow: Callable[[Found, dict[str, Spots]], bool]
    ) -> None:
        self._program, self._module, self._answers, self._follow = program, module, answers, follow
        self._values: dict[str, Spots] = {}
        self._fields: dict[str, frozenset[Read]] = {}

    def run(self, function: FunctionNode, values: dict[str, Spots]) -> None:
        """Walk the body; ``values``: what parameters hold."""
        self._values = dict(values)
        self.block(function.body)

    def block(self, statements: Iterable[ast.stmt]) -> None:
        for statement in statements:
            self.statement(statement)

    def statement(self, node: ast.stmt) -> None:
        match node:
            case ast.Assign(targets=targets, value=value):
                self.bind(targets, self.value(value), node)
                self._fields |= {name.id: self.fields(value) for name in targets if isinstance(name, ast.Name)}
            case ast.AnnAssign(target=target, annotation=annotation, value=value):
                held = self.value(value) if value is not None else NOTHING
                self.bind([target], held | roots(self._program, self._module, annotation), node)
            case ast.Return(value=value):
                self.escapes(self.value(value), node, "is returned")
            case ast.For() | ast.AsyncFor():
                self.bind([node.target], self.value(node.iter), node)
                self.block([*node.body, *node.orelse])
            case ast.If() | ast.While():
                self.branch(node)
            case ast.Match():
                self.match(node)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                self.nested(node)
            case _:
                self.parts(node)

    def parts(self, node: ast.AST) -> None:
        """Whatever a statement is made of: values are looked at, blocks are walked."""
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.stmt):
                self.statement(child)
            elif isinstance(child, ast.withitem):
                held = self.value(child.context_expr)
                if child.optional_vars is not None:
                    self.bind([child.optional_vars], held, node)
            elif isinstance(child, ast.expr):
                self.value(child)
            else:
                self.parts(child)

    def nested(self, node: FunctionNode) -> None:
        """A function inside this one sees its values; what it is given itself is the business of its own annotations."""
        kept = self._values
        own = {each.arg for each in parameters(node)}
        self._values = {name: held for name, held in kept.items() if name not in own}
        self.block(node.body)
        self._values = kept

    def branch(self, node: ast.If | ast.While) -> None:
        """`if isinstance(event, OrderPaid)`: only that inside, all but that in `else`, and behind it if the inside leaves."""
        self.value(node.test)
        before = dict(self._values)
        inside, outside = self.narrowed(node.test)
        self._values = before | inside
        self.block(node.body)
        then, self._values = self._values, before | outside
        self.block(node.orelse)
        if isinstance(node, ast.If) and isinstance(node.body[-1], ast.Return | ast.Raise | ast.Continue):
            return
        otherwise = self._values
        self._values = {
            name: then.get(name, NOTHING) | otherwise.get(name, NOTHING) for name in then.keys() | otherwise.keys()
        }

    def narrowed(self, test: ast.expr) -> tuple[dict[str, Spots], dict[str, Spots]]:
        match test:
            case ast.Call(func=ast.Name(id="isinstance"), args=[ast.Name(id=name), kind]):
                types = self._program.classes_in(kind, self._module)
                held = self._values.get(name) or roots(self._program, self._module, kind)
                if types:
                    return {name: of_types(held, types)}, {name: held - of_types(held, types)}
            case ast.UnaryOp(op=ast.Not(), operand=inner):
                inside, outside = self.narrowed(inner)
                return outside, inside
        return {}, {}

    def fields(self, node: ast.expr) -> frozenset[Read]:
        """The fields whose value an expression is: `event.status`, or the name that was given it."""
        match node:
            case ast.Attribute(value=inner, attr=attribute):
                return frozenset(self.reads(self.value(inner), attribute, node))
            case ast.Name(id=name):
                return self._fields.get(name, frozenset())
        return frozenset()

    def match(self, node: ast.Match) -> None:
        subject = self.value(node.subject)
        if not any(is_open(case) for case in node.cases):
            self._answers.exhaustive |= self.fields(node.subject)
        name = node.subject.id if isinstance(node.subject, ast.Name) else ""
        before = dict(self._values)
        for case in node.cases:
            self._values = dict(before)
            matched = self.pattern(case.pattern, subject)
            if name:
                self._values[name] = matched
            if case.guard is not None:
                self.value(case.guard)
            self.block(case.body)
        self._values = before

    def pattern(self, node: ast.pattern, held: Spots) -> Spots:
        """What a value is where the pattern matched; names are bound, named attributes are read."""
        match node:
            case ast.MatchClass(cls=cls, kwd_attrs=names, kwd_patterns=patterns):
                types = self._program.classes_in(cls, self._module)
                held = of_types(held or roots(self._program, self._module, cls), types) if types else held
                for attribute, within in zip(names, patterns, strict=True):
                    self.pattern(within, self.attribute(held, attribute, node))
            case ast.MatchAs(pattern=inner, name=name):
                held = self.pattern(inner, held) if inner is not None else held
                if name:
                    self._values[name] = held
            case ast.MatchOr(patterns=patterns):
                return NOTHING.union(*(self.pattern(each, held) for each in patterns))
            case ast.MatchSequence(patterns=patterns):
                for each in patterns:
                    self.pattern(each, held)
            case _:
                pass
        return held

    def bind(self, targets: Iterable[ast.expr], held: Spots, node: ast.AST) -> None:
        for target in targets:
            match target:
                case ast.Name(id=name):
                    self._values[name] = held
                case ast.Tuple(elts=inner) | ast.List(elts=inner):
                    self.bind(inner, held, node)
                case ast.Starred(value=inner_target):
                    self.bind([inner_target], held, node)
                case _:
                    self.value(target)
                    self.escapes(held, node, "is stored on an object")

    def value(self, node: ast.expr | None) -> Spots:
        """The records that an expression is or holds; what it reads on the way is written down."""
        match node:
            case None:
                return NOTHING
            case ast.Name(id=name):
                return self._values.get(name, NOTHING)
            case ast.Attribute(value=inner, attr=attribute):
                return self.attribute(self.value(inner), attribute, node)
            case ast.Subscript(value=inner, slice=index):
                self.value(index)
                return self.value(inner)
            case ast.Call():
                return self.call(node)
            case ast.NamedExpr(target=target, value=inner):
                held = self.value(inner)
                self.bind([target], held, node)
                return held
            case ast.IfExp(test=test, body=body, orelse=orelse):
                self.value(test)
                return self.value(body) | self.value(orelse)
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
                return self.comprehension(node)
            case ast.FormattedValue(value=inner):
                self.escapes(self.value(inner), node, "is written as text")
            case ast.Yield(value=inner) | ast.YieldFrom(value=inner):
                self.escapes(self.value(inner), node, "is yielded")
            case ast.Compare():
                self.inner(node)
            case _:
                return self.inner(node)
        return NOTHING

    def inner(self, node: ast.AST) -> Spots:
        """Lists, tuples, `or`, `await`: what their parts hold."""
        return NOTHING.union(
            *(self.value(child) for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr))
        )

    def comprehension(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp) -> Spots:
        kept = dict(self._values)
        for generator in node.generators:
            self.bind([generator.target], self.value(generator.iter), node)
            for test in generator.ifs:
                self.value(test)
        held = self.value(node.key) | self.value(node.value) if isinstance(node, ast.DictComp) else self.value(node.elt)
        self._values = kept
        return held

    def attribute(self, held: Spots, attribute: str, node: ast.AST) -> Spots:
        """The value of an attribute; one that is no field of any of the records belongs to a container, or is no read."""
        reads = list(self.reads(held, attribute, node))
        self._answers.reads.update(reads)
        types = self._program.sdk.types
        found = frozenset(
            Spot(read.event, tuple(read.path.split(".")), name)
            for read in reads
            for name in types[read.owner].holds.get(read.field, ())
            if name in types
        )
        if attribute == "__dict__":
            self.escapes(held, node, "is read as a dictionary")
        return found if reads else held if attribute in OF_CONTAINERS else NOTHING

    def reads(self, held: Spots, attribute: str, node: ast.AST) -> Iterator[Read]:
        """The fields that an attribute is of what is held."""
        for spot in held:
            attributes = self._program.sdk.types[spot.type].attributes
            field = next((name for name, own in attributes.items() if own == attribute), None)
            if field is not None:
                yield Read(
                    file=self._module.path,
                    line=getattr(node, "lineno", 1),
                    event=spot.root,
                    path=".".join((*spot.path, field)),
                    owner=spot.type,
                    field=field,
                )

    def call(self, node: ast.Call) -> Spots:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        base = self.value(node.func)
        positional = [self.value(each) for each in node.args]
        named = {each.arg: self.value(each.value) for each in node.keywords}
        given = NOTHING.union(*positional, *named.values())
        if not given or name in LOOKS_ONLY:
            return base
        if name in HANDS_ON:
            return given
        if name == "getattr" and len(node.args) > 1 and isinstance(node.args[1], ast.Constant):
            return self.attribute(positional[0], str(node.args[1].value), node)
        if (getter := attribute_names(node.func)) is not None:
            return NOTHING.union(*(self.attribute(given, each, node) for each in getter))
        if base:
            return base | given  # `lines.append(line)`: a container of ours holds it
        known = self._program.function_of(node.func, self._module)
        spread = None in named or any(isinstance(each, ast.Starred) for each in node.args)
        if known is None or spread or not self._follow(known, arguments(known.node, positional, named)):
            self.escapes(given, node, f"is passed to {ast.unparse(node.func)[:60]}")
        return NOTHING

    def escapes(self, held: Spots, node: ast.AST, why: str) -> None:
        """The value gets out of sight: from here on anything of the event may be read."""
        for spot in held:
            what = f"`{'.'.join(spot.path)}` {why}" if spot.path else f"the event {why}"
            self._answers.unknown.add(
                Unknown(file=self._module.path, line=getattr(node, "lineno", 1), event=spot.root, why=what)
            )


def is_open(case: ast.match_case) -> bool:
    """Whether a case takes whatever comes: `case _`, or a name; one that only calls `assert_never` takes nothing."""
    match case:
        case ast.match_case(
            pattern=ast.MatchAs(pattern=None), guard=None, body=[ast.Expr(value=ast.Call(func=called)), *_]
        ):
            return ast.unparse(called).rpartition(".")[2] != "assert_never"
        case ast.match_case(pattern=ast.MatchAs(pattern=None), guard=None):
            return True
    return False


def roots(program: Program, module: Module, annotation: ast.expr | None) -> Spots:
    """The events that an annotation, or the second argument of `isinstance`, names."""
    return frozenset(Spot(name, (), name) for name in program.classes_in(annotation, module) & program.events)


def of_types(held: Spots, types: frozenset[str]) -> Spots:
    """Those of these types."""
    return frozenset(spot for spot in held if spot.type in types)


def parameters(function: FunctionNode) -> list[ast.arg]:
    """All named parameters, in order."""
    return [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]


def arguments(function: FunctionNode, positional: list[Spots], named: dict[str | None, Spots]) -> dict[str, Spots]:
    """What each parameter holds; `self` takes no argument."""
    names = [each.arg for each in (*function.args.posonlyargs, *function.args.args)]
    if names[:1] in (["self"], ["cls"]):
        names = names[1:]
    bound = dict(zip(names, positional, strict=False))
    return bound | {name: held for name, held in named.items() if name is not None}


def attribute_names(node: ast.expr) -> list[str] | None:
    """The names of `attrgetter("total")`; None for anything else."""
    match node:
        case ast.Call(func=ast.Name(id="attrgetter") | ast.Attribute(attr="attrgetter"), args=names):
            texts = [each.value for each in names if isinstance(each, ast.Constant) and isinstance(each.value, str)]
            return texts if len(texts) == len(names) else None
    return None
