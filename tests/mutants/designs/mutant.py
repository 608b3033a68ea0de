"""A wrong design: one object of the product swapped for another, and the tests that must fail with it."""

from __future__ import annotations

from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import Any, NamedTuple


class Swap(NamedTuple):
    """``owner.name``, or ``owner[name]`` of a mapping, becomes ``wrong``."""

    owner: Any
    name: str
    wrong: object

    def make(self) -> None:
        """Swaps, for good. Raises LookupError where the product has no such object (any more)."""
        is_mapping = isinstance(self.owner, MutableMapping)
        if self.name not in self.owner if is_mapping else not hasattr(self.owner, self.name):
            raise LookupError(f"{self.owner!r} has no {self.name} to swap: mend the mutant.")
        if is_mapping:
            self.owner[self.name] = self.wrong
        else:
            setattr(self.owner, self.name, self.wrong)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """``wrong``: what is wrong, in a sentence. ``tests``: names as pytest gives them; each must fail by its own assertion."""

    wrong: str
    swaps: tuple[Swap, ...]
    tests: tuple[str, ...]

    def plant(self) -> None:
        """Makes this process wrong, for good."""
        for swap in self.swaps:
            swap.make()
