"""Python source that is made of lines, our own names, integer literals and checked attribute names.

Law: no text of a schema or a class gets in. Whatever is not a number or a checked attribute stands in ``names`` as an
object, under a name of ours.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

_ATTRIBUTE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*", re.ASCII)
_BUILTINS: Final[dict[str, Any]] = {
    each.__name__: each for each in (type, isinstance, len, range, getattr, Exception, float)
}


def is_plain(attribute: str) -> bool:
    """Whether an attribute may be written into source."""
    return _ATTRIBUTE.fullmatch(attribute) is not None and not keyword.iskeyword(attribute)


class Source:
    """Lines of one module, and the objects that its names stand for."""

    def __init__(self, **names: Any) -> None:
        """``names``: objects that the source knows from the start."""
        self.names: dict[str, Any] = {"__builtins__": {}, **_BUILTINS, **names}
        self.lines: list[str] = []
        self.indent = 0
        self.loops = 0
        self._places: dict[int, str] = {}
        self._count = 0

    def line(self, text: str) -> None:
        """One line at the present indentation."""
        self.lines.append("    " * self.indent + text)

    @contextmanager
    def block(self, head: str, *, is_loop: bool = False) -> Iterator[None]:
        """``head`` and what follows below it."""
        self.line(head)
        self.indent += 1
        self.loops += is_loop
        before = len(self.lines)
        yield
        if len(self.lines) == before:
            self.line("pass")
        self.indent -= 1
        self.loops -= is_loop

    def fresh(self, prefix: str = "v") -> str:
        """A name that nothing else has."""
        self._count += 1
        return f"{prefix}{self._count}"

    def const(self, value: Any) -> str:
        """The name of an object."""
        name = self._places.get(id(value))
        if name is None:
            name = self._places[id(value)] = self.fresh("k")
            self.names[name] = value
        return name

    def bound(self, expression: str) -> str:
        """A local name for an expression that is used more than once."""
        if expression.isidentifier():
            return expression
        name = self.fresh()
        self.line(f"{name} = {expression}")
        return name

    def is_full(self) -> bool:
        """Whether what comes next belongs into a function of its own: CPython nests 20 blocks and 99 indents at most."""
        return self.loops > 3 or self.indent > 15

    @contextmanager
    def function(self, head: str) -> Iterator[None]:
        """A function at the top level."""
        indent, loops = self.indent, self.loops
        self.indent = self.loops = 0
        with self.block(head):
            yield
        self.indent, self.loops = indent, loops

    def text(self) -> str:
        """The whole module."""
        return "\n".join((*self.lines, ""))
