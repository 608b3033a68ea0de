"""What was released before: the newest texts, and which fields somebody may have written already."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property

from treaty_avro import Record, parse
from treaty_codegen.reach import named_within


class Released:
    """Released sets, newest first, each as full name of an event to its published text. Texts are parsed when they are asked for."""

    def __init__(self, sets: Iterable[Mapping[str, str]] = ()) -> None:
        """No set: nothing was released yet."""
        self._sets = tuple(sets)

    @property
    def newest(self) -> Mapping[str, str]:
        """The events of the last release; none before the first."""
        return self._sets[0] if self._sets else {}

    def has_field(self, record: str, field: str) -> bool:
        """Whether any release has the field, by name or alias, in the record of this full name."""
        return (record, field) in self._fields

    @cached_property
    def _fields(self) -> frozenset[tuple[str, str]]:
        texts = {text for each in self._sets for text in each.values()}
        return frozenset(
            (full, name)
            for text in texts
            for full, named in named_within(parse(text, rules="stored").root).items()
            if isinstance(named, Record)
            for field in named.fields
            for name in (field.name, *field.aliases)
        )
