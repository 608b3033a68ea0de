"""What one generated module is made of: the names it may use, the libraries it needs, the texts that went in.

Inside a class an attribute hides what is outside: a builtin is then spelt ``_builtins.str``, a class ``_t_Channel``.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from treaty_codegen import literals

LIBRARIES: Final[Mapping[str, str]] = {
    "_builtins": "builtins",
    "_dc": "dataclasses",
    "_datetime": "datetime",
    "_decimal": "decimal",
    "_enum": "enum",
    "_typing": "typing",
    "_uuid": "uuid",
}
"""Our name of each library that generated code may import."""

DURATION: Final = "<duration>"
"""Stands for the shared ``Duration`` among the full names of a module; no schema can have this name."""


class Source:
    """One module while it is written. ``classes``: full name to class name in this module."""

    def __init__(self, classes: Mapping[str, str]) -> None:
        """Begin with nothing used."""
        self.classes = classes
        self.libraries: set[str] = set()
        self.aliases: set[str] = set()
        self.texts: set[str | bytes] = set()

    def literal(self, text: str, *, indent: str = "") -> str:
        """A text as a literal; the guard will look for it."""
        self.texts.add(text)
        return literals.literal(text, indent=indent)

    def docstring(self, text: str, *, indent: str = "") -> str:
        """A text as documentation; the guard will look for it."""
        self.texts.add(text)
        return literals.docstring(text, indent=indent)

    def bytes_literal(self, value: bytes) -> str:
        """Bytes as a literal; the guard will look for them."""
        self.texts.add(value)
        return literals.bytes_literal(value)

    def library(self, name: str) -> str:
        """Our name of a library (``_dc``), which is imported then."""
        self.libraries.add(name)
        return name

    def imports(self) -> list[str]:
        """The statements that import the libraries in use, sorted by library."""
        return [f"import {LIBRARIES[ours]} as {ours}" for ours in sorted(self.libraries, key=LIBRARIES.__getitem__)]

    def within(self, attributes: Collection[str] = ()) -> Scope:
        """The names as they are inside a class with these attributes."""
        return Scope(self, attributes)


class Scope:
    """What a name means inside one class."""

    def __init__(self, source: Source, attributes: Collection[str]) -> None:
        """``attributes`` hide builtins and classes."""
        self.source = source
        self._attributes = frozenset(attributes)
        self._hidden = self._attributes.union(source.classes.values())

    def builtin(self, name: str) -> str:
        """A builtin, spelt so that nothing hides it."""
        return f"{self.source.library('_builtins')}.{name}" if name in self._hidden else name

    def class_name(self, full_name: str) -> str:
        """A class of the module, spelt so that no attribute hides it."""
        name = self.source.classes[full_name]
        if name not in self._attributes:
            return name
        self.source.aliases.add(name)
        return f"_t_{name}"

    def hides(self, full_name: str) -> bool:
        """Whether an attribute has the name of this class: then it is known only when the module is complete."""
        return self.source.classes[full_name] in self._attributes
