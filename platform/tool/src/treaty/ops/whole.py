"""Schemas that a registry has in pieces, made whole: every type that a text only names is put where it is first used.

Done here and not by the registry: ``format=resolved`` is not known to all of them. Whatever cannot be made whole (a version that
is gone, a circle, a text that is no Avro) is left as it is, and so never taken for one of git's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from treaty.ops.plan.references import Reference
from treaty_avro import AvroError, Schema, inlined_text, parse

DEEPEST: Final = 100
"""References that are followed one after another; registries take 20."""

Place: TypeAlias = tuple[str, int]
"""A subject and the number of a version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A text as it was registered, and what it refers to."""

    text: str
    references: tuple[Reference, ...] = ()


class Broken(Exception):
    """A schema cannot be made whole."""


class Wholes:
    """``ask`` answers the piece at a place, None for none; each is asked for once."""

    def __init__(self, ask: Callable[[Place], Piece | None]) -> None:
        self._ask = ask
        self._schemas: dict[Place, Schema | None] = {}

    def text(self, piece: Piece) -> str:
        """The text as it stands for itself; the one that was registered where nothing better can be had."""
        if not piece.references:
            return piece.text
        try:
            return inlined_text(self._schema(piece, ()))
        except (AvroError, Broken):
            return piece.text

    def _schema(self, piece: Piece, trail: tuple[Place, ...]) -> Schema:
        below = [self._referred((each.subject, each.version), trail) for each in piece.references]
        return parse(piece.text, references=below, rules="stored")

    def _referred(self, place: Place, trail: tuple[Place, ...]) -> Schema:
        if place in trail or len(trail) == DEEPEST:
            raise Broken
        if place not in self._schemas:
            piece = self._ask(place)
            self._schemas[place] = None  # one that cannot be made whole is none, and is not asked for again
            self._schemas[place] = None if piece is None else self._schema(piece, (*trail, place))
        schema = self._schemas[place]
        if schema is None:
            raise Broken
        return schema
