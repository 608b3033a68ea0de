"""A change whose text is made once for each kind of database, and then goes to the driver as it is.

SQLAlchemy's way from a statement to its text costs more than the database takes to carry it out. Law: values go to the driver
as they are, so none may need what its column's type would do; names have been checked before they are written.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from operator import itemgetter
from typing import Any, Final, TypeAlias

from sqlalchemy import Connection, CursorResult, Insert, TextClause

Values: TypeAlias = Mapping[str, object]
_Text: TypeAlias = tuple[str, Callable[[Values], Any]]


class Prepared:
    """A statement with named values. ``without``: columns that an insert does not set."""

    def __init__(self, statement: Insert | TextClause, *, without: Collection[str] = ()) -> None:
        # Inline: the database is not asked for keys that it made itself.
        self._statement: Final = statement.inline() if isinstance(statement, Insert) else statement
        self._columns: list[str] | None = None
        if isinstance(statement, Insert):
            self._columns = [column.name for column in statement.table.columns if column.name not in without]
        self._texts: dict[str, _Text] = {}

    def execute(self, connection: Connection, values: Values) -> CursorResult[Any]:
        """Carry it out with these values."""
        text, ordered = self._text(connection)
        return connection.exec_driver_sql(text, ordered(values))

    def execute_all(self, connection: Connection, rows: Sequence[Values]) -> None:
        """Carry it out once for each row; there has to be one."""
        text, ordered = self._text(connection)
        connection.exec_driver_sql(text, [ordered(row) for row in rows])

    def _text(self, connection: Connection) -> _Text:
        name = connection.dialect.name
        if name not in self._texts:
            made = self._statement.compile(dialect=connection.dialect, column_keys=self._columns)
            self._texts[name] = (made.string, _ordering(made.positiontup))
        return self._texts[name]


def _ordering(places: Sequence[str] | None) -> Callable[[Values], Any]:
    if places is None:
        return dict
    # Of one name it would answer the bare value.
    return itemgetter(*places) if len(places) > 1 else lambda values: tuple(values[name] for name in places)
