"""What was released before: the newest texts, and which fields somebody may have written already."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any, Final

from treaty_avro.schema import jsontext
from treaty_avro.schema.model import Json
from treaty_avro.schema.names import qualify


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
            (record, name)
            for text in texts
            for record, fields in fields_of(text)
            for field in fields
            for name in (field["name"], *field.get("aliases", ()))
        )


def fields_of(text: str) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Each record of a released text by full name, with its fields as JSON.

    They are looked up by name alone: to make types of a text costs several times as much, and each event has one. Raises
    ``treaty_avro.SchemaError`` for what is no JSON.
    """
    waiting: list[tuple[Json, str]] = [(jsontext.read(text, path="a released text"), "")]
    while waiting:
        node, namespace = waiting.pop()
        if isinstance(node, list):
            waiting += [(branch, namespace) for branch in node]
        elif isinstance(node, dict):
            fields: Any = node.get("fields")
            if fields is None:
                waiting += [(node[inside], namespace) for inside in ("items", "values") if inside in node]
                continue
            name = qualify(str(node["name"]), str(node.get("namespace", namespace)))
            yield name.full, fields
            waiting += [(type_, name.namespace) for field in fields if type(type_ := field["type"]) is not str]
