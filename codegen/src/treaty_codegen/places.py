"""From a pointer inside a named type to a line and column in the file that defines it."""

from __future__ import annotations

from treaty_codegen.catalog import Catalog, SchemaFile
from treaty_codegen.diff import Place
from treaty_codegen.finding import Location


class Places:
    """Finds places in the files of one catalog; ``root`` is put before each path (``schemas/``)."""

    def __init__(self, catalog: Catalog, *, root: str = "") -> None:
        self.root = root
        self._file_of: dict[str, SchemaFile] = {}
        for file in catalog.files.values():
            for name in file.schema.named:
                self._file_of[name] = file

    def __contains__(self, full_name: object) -> bool:
        """Whether a file of the catalog defines the type of this full name."""
        return full_name in self._file_of

    def file_of(self, full_name: str) -> SchemaFile | None:
        """The file that defines the type of this full name."""
        return self._file_of.get(full_name)

    def of(self, place: Place, *, step: str = "") -> Location:
        """The location of ``place``, or of one step below it (``/doc``) where that exists."""
        file = self._file_of.get(place.owner)
        if file is None:
            return Location(path=self.root or "schemas", pointer=place.pointer)
        for pointer in (place.pointer + step, place.pointer, ""):
            try:
                span = file.schema.locate(pointer)
            except KeyError:
                continue
            return Location(
                path=self.root + file.path,
                line=span.line,
                column=span.column,
                end_line=span.end_line,
                end_column=span.end_column,
                pointer=pointer,
            )
        return Location(path=self.root + file.path)
