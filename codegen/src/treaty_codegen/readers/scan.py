"""The scanner: every function is walked with the events that it is given, and what it calls, five deep.

Source of the rules: the table in docs/cli/readers.md.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping
from typing import Final

from treaty_codegen.index import SdkIndex
from treaty_codegen.readers.model import Handled, Scan, Unknown
from treaty_codegen.readers.program import Found, Module, Program
from treaty_codegen.readers.walk import NOTHING, Answers, Spots, Walker, parameters, roots

DEEPEST: Final = 5
"""Calls that a value is followed through."""


def scan(sources: Mapping[str, str], sdk: SdkIndex, *, events: Collection[str]) -> Scan:
    """Everything that the sources (path to text) read of the ``events`` (full names); nothing of them is executed or imported."""
    program, answers = Program(sources, sdk, events=events), Answers(set(), set(), set())
    walk = _Walk(program, answers)
    for module in program.modules.values():
        for node in list(module.functions.values()):
            found = Found(module, node)
            walk.follow(found, given(program, found))
    for path in program.broken:
        answers.unknown |= {Unknown(file=path, line=1, event=event, why="the file is no Python") for event in events}
    return Scan(
        reads=tuple(sorted(answers.reads)),
        unknown=tuple(sorted(answers.unknown)),
        handled=tuple(sorted({each for module in program.modules.values() for each in handled(program, module)})),
        exhaustive=tuple(sorted(answers.exhaustive)),
    )


def handled(program: Program, module: Module) -> Iterator[Handled]:
    """The events that decorators called ``on`` name: ``@on(OrderPaid)``, ``@handlers.on(OrderPaid, inbox=False)``."""
    for node in module.functions.values():
        for each in node.decorator_list:
            match each:
                case ast.Call(func=ast.Name(id="on") | ast.Attribute(attr="on"), args=[kind, *_]):
                    for spot in roots(program, module, kind):
                        yield Handled(file=module.path, line=each.lineno, event=spot.root)


class _Walk:
    def __init__(self, program: Program, answers: Answers) -> None:
        self._program, self._answers = program, answers
        self._seen: set[tuple[int, frozenset[tuple[str, Spots]]]] = set()
        self._depth = 0

    def follow(self, found: Found, values: dict[str, Spots]) -> bool:
        """Walks a function with these values, once; False where that would be too deep."""
        key = (id(found.node), frozenset(values.items()))
        if key in self._seen:
            return True
        if self._depth > DEEPEST:
            return False
        self._seen.add(key)
        self._depth += 1
        Walker(self._program, found.module, self._answers, self.follow).run(found.node, values)
        self._depth -= 1
        return True


def given(program: Program, found: Found) -> dict[str, Spots]:
    """The parameters that are events by their annotation, or by ``@on(OrderPaid)`` for the first one without any."""
    values = {each.arg: roots(program, found.module, each.annotation) for each in parameters(found.node)}
    first = next((each for each in parameters(found.node) if each.arg not in {"self", "cls"}), None)
    if first is not None and first.annotation is None:
        decorated = (roots(program, found.module, each) for each in found.node.decorator_list)
        values[first.arg] = NOTHING.union(*decorated)
    return {name: spots for name, spots in values.items() if spots}
