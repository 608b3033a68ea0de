"""Every error of the package.

Laws: reading a schema raises ``SchemaError``; pairing two schemas, or a class and a schema, raises ``ResolutionError``
or ``ClassMismatch``; values raise ``EncodeError``; bytes raise ``DecodeError``. Nothing else leaves the package.
"""

from __future__ import annotations

import copyreg
from collections.abc import Sequence
from typing import Literal, Protocol, TypeAlias

DecodeCode: TypeAlias = Literal[
    "truncated",
    "trailing",
    "varint",
    "int_range",
    "bool",
    "index",
    "length",
    "count",
    "block_size",
    "depth",
    "budget",
    "utf8",
    "logical",
    "enum",
    "unresolvable",
    "input",
    "internal",
]
"""What is wrong with data, for programs; ``DecodeError.reason`` says it for people."""


def one_line(text: str) -> str:
    """A message as one printable line: names of files and texts of schemas may hold line breaks or what a terminal obeys."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


class AvroError(Exception):
    """A schema or a value is not what Avro allows; the message names the place and the next step."""

    def __reduce__(self) -> tuple[object, ...]:
        # The default way calls the class with the message alone, which the keyword-only constructors below refuse.
        return copyreg.__newobj__, (type(self), *self.args), self.__dict__  # type: ignore[attr-defined]  # missing in typeshed


class SchemaError(AvroError):
    """A schema text breaks a rule.

    ``line`` and ``column`` are 1-based, in code points (0: unknown); ``pointer`` is RFC 6901 ("" is the root).
    """

    def __init__(
        self, reason: str, *, path: str = "<schema>", line: int = 0, column: int = 0, pointer: str = ""
    ) -> None:
        """Store the parts; the text reads ``path:line:column: pointer: reason``."""
        place = f"{path}:{line}:{column}" if line else path
        super().__init__(one_line(f"{place}: {pointer}: {reason}" if pointer else f"{place}: {reason}"))
        self.path = path
        self.line = line
        self.column = column
        self.pointer = pointer
        self.reason = reason


class SchemaLimit(SchemaError):
    """A schema is larger or deeper than is read; split it, or name the nested types and refer to them."""


class Conflict(Protocol):
    """Why a reader cannot read a writer's data, as ``compat.Incompatibility`` tells it."""

    @property
    def location(self) -> str:
        """Where in the reader's schema, as tokens joined by ``/``."""
        ...

    @property
    def message(self) -> str:
        """What differs there."""
        ...


class ResolutionError(AvroError):
    """No datum of the writer can be read as the reader's type; read with a compatible schema."""

    def __init__(self, reader: str, *, incompatibilities: Sequence[Conflict]) -> None:
        """``reader``: the reader's full name or kind."""
        reasons = "; ".join(f"{each.location}: {each.message}" for each in incompatibilities)
        super().__init__(f"{reader} cannot read this writer schema: {reasons}")
        self.reader = reader
        self.incompatibilities = tuple(incompatibilities)


class AmbiguousField(AvroError):
    """A reader's field stands for two fields of the writer, by its name and its aliases; drop an alias.

    The text is Avro Java's, word for word: registries pass it on.
    """


class ClassMismatch(AvroError):  # reads as the finding it is
    """A class does not offer what its schema asks; generate it again from the schema."""


class EncodeError(AvroError, ValueError):
    """A value does not fit its schema; ``path`` names the field (``lines[2].unit_price``, "" for the value itself)."""

    def __init__(self, reason: str, *, path: str = "") -> None:
        """``reason`` shows at most 80 characters of a value, and none of a personal one."""
        super().__init__(f"{path}: {reason}" if path else reason)
        self.path = path
        self.reason = reason


class DecodeError(AvroError, ValueError):
    """Data does not hold a value of the schema; ``offset`` counts bytes from the start of the input."""

    def __init__(self, reason: str, *, code: DecodeCode, offset: int = 0, path: str = "") -> None:
        """``code`` is for programs, ``reason`` for people."""
        super().__init__(f"offset {offset} ({path}): {reason}" if path else f"offset {offset}: {reason}")
        self.code = code
        self.offset = offset
        self.path = path
        self.reason = reason
