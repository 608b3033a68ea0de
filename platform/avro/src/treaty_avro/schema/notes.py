"""What there is to say about a text while it is read: notices that are kept, and faults with their place."""

from __future__ import annotations

from treaty_avro.errors import SchemaError
from treaty_avro.schema import jsontext
from treaty_avro.schema.schema import Notice


class Notes:
    """Notices about one text; ``path`` names it in messages."""

    def __init__(self, text: str, *, path: str) -> None:
        """Begin without a notice."""
        self.warnings: list[Notice] = []
        self._text, self._path = text, path

    def warn(self, reason: str, pointer: str) -> None:
        """Keep a notice: accepted as Avro Java accepts it, and probably not meant."""
        self.warnings.append(Notice(pointer, reason))

    def error(self, reason: str, pointer: str, kind: type[SchemaError] = SchemaError) -> SchemaError:
        """The error to raise, with the line and column of what stands at the pointer."""
        span = jsontext.Places(self._text)[pointer][1]
        return kind(reason, path=self._path, line=span.line, column=span.column, pointer=pointer)
