"""Names of types and fields: what is a name, and which namespace it lands in."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Final

from treaty_avro.schema.model import PRIMITIVES, Name

KINDS: Final = frozenset({*PRIMITIVES, "record", "enum", "fixed", "array", "map", "union"})
"""The 14 words that a bare name in a schema text may not be mistaken for."""

_SUGGESTED_FROM: Final = 1_000
_SUGGESTED_LENGTH: Final = 200


def is_name(text: object) -> bool:
    """Whether this is one segment of a name: ASCII letters, digits and ``_``, not beginning with a digit."""
    # Of ASCII texts Python's identifiers are just these; asked in C, for each name of each schema.
    return isinstance(text, str) and text.isascii() and text.isidentifier()


def are_names(namespace: str) -> bool:
    """Whether each dotted segment is a name; "" is the legal absence of a namespace."""
    return not namespace or all(is_name(segment) for segment in namespace.split("."))


def qualify(name: str, namespace: str) -> Name:
    """The name in ``namespace``, unless it brings its own: ``a.B`` is in a, ``.B`` in none."""
    own, dot, simple = name.rpartition(".")
    return Name(own if dot else namespace, simple)


def reference(name: Name, namespace: str) -> str:
    """How a text inside ``namespace`` refers to the type: simple where that cannot be mistaken, else full."""
    is_simple = bool(name.namespace) and name.namespace == namespace and name.simple not in KINDS
    return name.simple if is_simple else name.full


def nearest(unknown: str, known: Iterable[str]) -> str | None:
    """The known name that ``unknown`` was probably meant to be."""
    # The comparison is quadratic in the names' lengths; hostile texts must not make it the dear part of a refusal.
    names = [name for name in known if len(name) <= _SUGGESTED_LENGTH][:_SUGGESTED_FROM]
    if len(unknown) > _SUGGESTED_LENGTH:
        return None
    return next(iter(difflib.get_close_matches(unknown, names, n=1)), None)
