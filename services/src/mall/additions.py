"""What tables got after they were made: added at a service's start, so that the rows of an earlier version stay.

Law: a later column may be null or has a server default. Checks hold for tables that were made with them.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Column, Connection, Index, MetaData, Table, inspect, text
from sqlalchemy.schema import CreateIndex, CreateTable


def add_missing(connection: Connection, metadata: MetaData) -> None:
    """Add columns and indexes that these tables lack; call it after `create_all`."""
    dialect = connection.dialect
    for table, column in list(_columns(connection, metadata)):
        added = dialect.ddl_compiler(dialect, CreateTable(table)).get_column_specification(column)
        connection.execute(text(f"ALTER TABLE {dialect.identifier_preparer.format_table(table)} ADD COLUMN {added}"))
    for index in list(_indexes(connection, metadata)):
        connection.execute(CreateIndex(index))


def _columns(connection: Connection, metadata: MetaData) -> Iterator[tuple[Table, Column[object]]]:
    there = inspect(connection).get_multi_columns(filter_names=list(metadata.tables))
    for table in metadata.tables.values():
        names = {column["name"] for column in there[None, table.name]}
        yield from ((table, column) for column in table.columns if column.name not in names)


def _indexes(connection: Connection, metadata: MetaData) -> Iterator[Index]:
    there = inspect(connection).get_multi_indexes(filter_names=list(metadata.tables))
    for table in metadata.tables.values():
        names = {index["name"] for index in there[None, table.name]}
        yield from (index for index in table.indexes if index.name not in names)
