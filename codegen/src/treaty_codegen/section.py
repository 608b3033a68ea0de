"""One table of ``topics.toml``: hands out its members typed, and refuses what nobody asked for."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import date
from typing import Any, TypeVar

from treaty_codegen.errors import CatalogError
from treaty_codegen.nearest import did_you_mean
from treaty_codegen.toml_lines import Path, line_of

V = TypeVar("V")


class Section:
    """A table at a path. Each member is asked for by name; ``close`` then complains about the rest."""

    def __init__(self, values: Mapping[str, Any], *, path: Path, lines: Mapping[Path, int]) -> None:
        """``lines`` is ``toml_lines.key_lines`` of the whole file."""
        self._values = values
        self._path = path
        self._lines = lines
        self._asked: set[str] = set()

    @property
    def line(self) -> int:
        """Where the table starts (0: the file)."""
        return line_of(self._path, lines=self._lines)

    def line_at(self, member: str) -> int:
        """Where a member is declared; the table's own line where it is absent."""
        return line_of((*self._path, member), lines=self._lines)

    def error(self, reason: str, *, member: str | None = None) -> CatalogError:
        """An error at a member, or at the table itself; the caller raises it."""
        path = self._path if member is None else (*self._path, member)
        return CatalogError(reason, line=line_of(path, lines=self._lines))

    def has(self, name: str) -> bool:
        """Whether the table has this member at all."""
        self._asked.add(name)
        return name in self._values

    def text(self, name: str, *, default: str | None = None) -> str:
        """A string; required without a default."""
        return str(self._take(name, str, "a text", default))

    def optional_text(self, name: str) -> str | None:
        """A string, or None where it is absent."""
        return self.text(name) if self.has(name) else None

    def choice(self, name: str, *, among: Collection[str], default: str) -> str:
        """One of a few words."""
        value = self.text(name, default=default)
        if value not in among:
            hint = did_you_mean(value, known=among)
            raise self.error(f"`{name}` is {value!r:.200}; it is one of {', '.join(among)}{hint}", member=name)
        return value

    def texts(self, name: str, *, default: tuple[str, ...] = ()) -> tuple[str, ...]:
        """An array of strings."""
        values = self._take(name, list, "an array of texts", list(default))
        if not all(isinstance(value, str) for value in values):
            raise self.error(f"`{name}` is an array of texts", member=name)
        return tuple(values)

    def date(self, name: str) -> date | None:
        """A date, written bare or as text; None where it is absent."""
        value = self._values.get(name)
        self._asked.add(name)
        if isinstance(value, str):
            try:
                return date.fromisoformat(value)
            except ValueError:
                raise self.error(f"`{name}` is {value!r:.200}; write a date like 2026-12-01", member=name) from None
        if value is not None and type(value) is not date:
            raise self.error(f"`{name}` is not a date like 2026-12-01", member=name)
        return value

    def by_environment(self, name: str, *, read: Callable[[Any], V]) -> Mapping[str, V]:
        """A value, or a table of values by environment with ``"*"`` for the rest; a plain value is ``{"*": value}``.

        ``read`` turns one TOML value into one of ours and raises ValueError with the sentence to show.
        """
        value = self._take(name, object, "a value", None)
        table = value if isinstance(value, dict) else {"*": value}
        if "*" not in table:
            raise self.error(f'`{name}` says nothing for the other environments; add "*" = …', member=name)
        try:
            return {env: read(each) for env, each in table.items()}
        except ValueError as error:
            raise self.error(f"`{name}`: {error}", member=name) from None

    def section(self, name: str) -> Section:
        """The table of this name; empty where it is absent."""
        return self._sub(self._take(name, dict, "a table", {}), name)

    def sections(self) -> Iterator[tuple[str, Section]]:
        """Every member of a table of tables, in the order of the file."""
        for name, value in self._values.items():
            self._asked.add(name)
            if not isinstance(value, dict):
                raise self.error(f"`{name}` is a table", member=name)
            yield name, self._sub(value, name)

    def array(self, name: str) -> Iterator[Section]:
        """The tables of an array of tables."""
        for index, value in enumerate(self._take(name, list, "an array of tables", [])):
            if not isinstance(value, dict):
                raise self.error(f"`{name}` is an array of tables: write [[{name}]]", member=name)
            yield self._sub(value, name, index)

    def names(self) -> tuple[str, ...]:
        """The names of all members."""
        return tuple(self._values)

    def close(self) -> None:
        """Refuse the members that were never asked for."""
        for name in self._values:
            if name not in self._asked:
                raise self.error(f"unknown key `{name:.200}`{did_you_mean(name, known=self._asked)}", member=name)

    def _sub(self, values: Mapping[str, Any], *path: str | int) -> Section:
        return Section(values, path=(*self._path, *path), lines=self._lines)

    def _take(self, name: str, kind: type, words: str, default: Any) -> Any:
        self._asked.add(name)
        value = self._values.get(name, default)
        if value is None:
            raise self.error(f"`{name}` is missing")
        if not isinstance(value, kind):
            raise self.error(f"`{name}` is not {words}", member=name)
        return value
