"""What was released before: the newest texts, and which fields somebody may have written already."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Final

from treaty_avro import Record, parse
from treaty_codegen.reach import named_within


class Released:
    """Released sets, newest first, each as full name of an event to its published text.

    A set is taken, and a text is parsed, when it is asked for: most checks need the newest alone.
    """

    def __init__(self, sets: Iterable[Mapping[str, str]] = ()) -> None:
        """No set: nothing was released yet."""
        self._older = iter(sets)
        self.newest: Final[Mapping[str, str]] = next(self._older, {})
        """The events of the last release; none before the first."""

    def has_field(self, record: str, field: str) -> bool:
        """Whether any release has the field, by name or alias, in the record of this full name."""
        return (record, field) in self._fields

    @cached_property
    def _fields(self) -> frozenset[tuple[str, str]]:
        texts = {text for each in (self.newest, *self._older) for text in each.values()}
        return frozenset(
            (full, name)
            for text in texts
            for full, named in named_within(parse(text, rules="stored").root).items()
            if isinstance(named, Record)
            for field in named.fields
            for name in (field.name, *field.aliases)
        )
