"""An event of each schema, as JSON for people: the one that somebody wrote beside the schema, else one made up."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from treaty_avro import SchemaError, example, to_json
from treaty_codegen.catalog import SchemaFile
from treaty_codegen.written_examples import examples_path, faults, first_example

SEED: Final = 64
"""The first seed whose values are plausible by the names of their fields."""


class Examples:
    """Makes each example once: it passes through a codec, and compiling that takes most of a document's time."""

    def __init__(self, written: Mapping[str, str] = MappingProxyType({})) -> None:
        """``written``: files of examples, as ``Catalog.examples`` has them."""
        self._written = written
        self._made: dict[str, str | None] = {}

    def of(self, file: SchemaFile) -> str | None:
        """The example over several lines, in the plain style; None where there is no finite value."""
        if file.path not in self._made:
            self._made[file.path] = self._by_people(file) or _example(file)
        return self._made[file.path]

    def _by_people(self, file: SchemaFile) -> str | None:
        """The first written example; one that does not fit its schema (rule ``example-invalid``) is not shown."""
        text = self._written.get(examples_path(file.path))
        if text is None or next(faults(file, text), None) is not None:
            return None
        return _shown(first_example(text))


def _example(file: SchemaFile) -> str | None:
    try:
        return _shown(json.loads(to_json(example(file.schema, seed=SEED), file.schema, style="plain")))
    except SchemaError:
        return None


def _shown(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)
