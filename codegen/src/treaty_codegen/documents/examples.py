"""A made-up event of each schema, as JSON for people."""

from __future__ import annotations

import json
from typing import Final

from treaty_avro import SchemaError, example, to_json
from treaty_codegen.catalog import SchemaFile

SEED: Final = 64
"""The first seed whose values are plausible by the names of their fields."""


class Examples:
    """Makes each example once: it passes through a codec, and compiling that takes most of a document's time."""

    def __init__(self) -> None:
        """Begin with none."""
        self._made: dict[str, str | None] = {}

    def of(self, file: SchemaFile) -> str | None:
        """The example over several lines, in the plain style; None where there is no finite value."""
        if file.path not in self._made:
            self._made[file.path] = _example(file)
        return self._made[file.path]


def _example(file: SchemaFile) -> str | None:
    try:
        text = to_json(example(file.schema, seed=SEED), file.schema, style="plain")
    except SchemaError:
        return None
    return json.dumps(json.loads(text), ensure_ascii=False, indent=2)
