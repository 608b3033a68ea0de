"""One schema change with its verdict, and the verdicts in words: ``rule severity``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.treaty_codegen.schema_texts import f

REQUIRED = "reader-field-without-default error"
TYPE = "type-changed error"
BRANCH = "union-branch-missing error"
SYMBOL = "enum-symbol-missing error"
NAME = "name-changed error"
SIZE = "fixed-size-changed error"
LOGICAL = "logical-type-changed error"
SCALE = "decimal-scale-changed error"
PRECISION = "decimal-precision-shrunk error"
LOSS = "promotion-loses-value error"
NULL = "null-newly-possible warning"
BECOMES = "enum-symbol-becomes-default warning"
GREW = "decimal-precision-shrunk warning"
ORDER = "enum-symbol-reordered warning"
ENUM_DEFAULT = "enum-default-changed error"
DEFAULT = "default-value-changed info"
UNIT = "unit-changed error"
REMOVED = "field-removed error"
RENAMED = "field-renamed error"
SYMBOL_REMOVED = "symbol-removed error"
PERSONAL = "pii-tag-removed error"
DOC = "doc-changed info"
NO_DOC = "doc-emptied warning"


@dataclass(frozen=True, slots=True)
class Row:
    """One change: what it does, fields before and after, the topic's level, the verdict."""

    title: str
    old: list[dict[str, Any]]
    new: list[dict[str, Any]]
    level: str
    verdict: tuple[str, ...]


def retyped(title: str, old: Any, new: Any, **verdicts: tuple[str, ...]) -> Iterator[Row]:
    """A field ``x`` whose type alone changes: a verdict per level."""
    for level, verdict in verdicts.items():
        yield Row(f"{title} ({level})", [f("id", "long"), f("x", old)], [f("id", "long"), f("x", new)], level, verdict)


def row(title: str, old: list[dict[str, Any]], new: list[dict[str, Any]], **verdicts: tuple[str, ...]) -> Iterator[Row]:
    for level, verdict in verdicts.items():
        yield Row(f"{title} ({level})", [f("id", "long"), *old], [f("id", "long"), *new], level, verdict)
