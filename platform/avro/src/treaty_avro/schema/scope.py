"""Which named types a text knows while it is read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from treaty_avro.schema.equality import equal
from treaty_avro.schema.model import Named


class Scope:
    """The types of references, and those defined so far.

    A full name may be defined again if both definitions turn out equal; all uses then mean the first.
    """

    def __init__(self, known: Mapping[str, Named]) -> None:
        """``known``: the types of references, by full name."""
        self.named: dict[str, Named] = {}
        self._known = known
        self._open: set[str] = set()
        self._again: list[tuple[Named, Named]] = []

    def find(self, full: str) -> Named | None:
        """The type of that full name, if it was defined before."""
        return self.named.get(full) or self._known.get(full)

    def define(self, named: Named) -> Named | None:
        """The type that this definition stands for: itself or an earlier one; None if they cannot be the same."""
        full = named.name.full
        first = self.find(full)
        if first is None:
            self.named[full] = named
            return named
        if full in self._open or first.kind != named.kind:
            return None
        self._again.append((first, named))
        return first

    def open(self, full: str) -> None:
        """A record's fields are being read: a definition of its name among them is another type."""
        self._open.add(full)

    def close(self, full: str) -> None:
        """The record is complete."""
        self._open.discard(full)

    def unequal(self) -> Iterator[Named]:
        """Second definitions that are not the same as the first; asked when all types are complete."""
        return (second for first, second in self._again if not equal(first, second))

    def names(self) -> list[str]:
        """Every full name there is."""
        return [*self.named, *self._known]
