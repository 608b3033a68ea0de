"""The only door to DuckDB: rows into Parquet files, files and waiting rows into answers.

SQL here is made of names from our own schemas and of file names that we chose; nothing that anybody typed goes into it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, Self
from uuid import UUID

import duckdb

from mall.analytics.flattening import OWN

Row = Mapping[str, Any]


class FileGone(OSError):
    """A file of the warehouse is not there any more: list the files again."""


def write(path: Path, *, columns: Mapping[str, str], rows: Sequence[Row]) -> None:
    """Write a file whole or not at all: under another name first, then renamed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = beside(path)
    with duckdb.connect() as connection:
        _table(connection, "found", columns, rows)
        connection.table("found").write_parquet(str(unfinished), compression="zstd")
    unfinished.replace(path)


def beside(path: Path) -> Path:
    """Where a file is written before it has its name."""
    return path.with_suffix(".unfinished")


class Tables:
    """A context manager: records as tables for questions, made of files and of rows that wait for theirs."""

    def __init__(self) -> None:
        self._connection = duckdb.connect()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def add(self, name: str, *, columns: Mapping[str, str], files: Sequence[Path], rows: Sequence[Row]) -> None:
        """Let questions ask `name`; without files and rows it is empty and has its columns all the same. Raises FileGone."""
        waiting, view = _name(f"{name}_waiting"), _name(name)
        _table(self._connection, f"{name}_waiting", columns, rows)
        parts = [f"FROM {waiting}"]
        if files:
            listed = ", ".join(_text(str(file)) for file in files)
            # A row that got its file after it was read here is in both.
            unseen = f"event_id NOT IN (FROM (SELECT event_id FROM {waiting}))"  # noqa: S608  # names of our own
            parts.append(
                f"FROM read_parquet([{listed}], union_by_name := true, hive_partitioning := false) WHERE {unseen}"
            )
        self._run(f"CREATE VIEW {view} AS {' UNION ALL BY NAME '.join(parts)}")

    def ask(self, sql: str) -> tuple[list[str], list[list[Any]]]:
        """Names of the columns and the rows of an answer, as JSON has them: decimals and days are text. Raises FileGone."""
        answer = self._run(sql)
        names = [column[0] for column in answer.description or ()]
        return names, [[_plain(value) for value in row] for row in answer.fetchall()]

    def _run(self, sql: str) -> duckdb.DuckDBPyConnection:
        try:
            return self._connection.execute(sql)
        except duckdb.IOException as error:
            raise FileGone(str(error)) from error


def _table(connection: duckdb.DuckDBPyConnection, name: str, columns: Mapping[str, str], rows: Sequence[Row]) -> None:
    # A row that was kept by another release may lack a column, or have one more. A value of another type is an error.
    shape = {**OWN, **columns}
    values = json.dumps([{column: row.get(column) for column in shape} for row in rows], ensure_ascii=False)
    typed = f"from_json_strict($1, {_text(json.dumps([shape]))})"
    made = f"CREATE TABLE {_name(name)} AS SELECT unnest({typed}, max_depth := 2)"
    connection.execute(made, [values])


def _name(value: str) -> str:
    return '"' + value.replace('"', '""') + '"'


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal | UUID) or hasattr(value, "isoformat"):
        return str(value)
    return value
