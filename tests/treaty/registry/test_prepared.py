"""Statements that go to the driver as they are: no value of theirs needs what its column's type would do."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType

import pytest
from sqlalchemy import Insert, TypeDecorator
from sqlalchemy.engine import make_url

from treaty.registry.stores.sql import access, writer
from treaty.registry.stores.sql.prepared import Prepared
from treaty.registry.stores.sql.tables import NameText

MODULES: tuple[ModuleType, ...] = (access, writer)
TRUTHS = {("schemas", "is_first"), ("versions", "deleted")}
"""Checked by their type, and taken by both drivers as Python has them."""


def inserts() -> Iterator[tuple[str, str, object]]:
    """Table, column and type of every value that a prepared insert hands over."""
    for module in MODULES:
        for prepared in vars(module).values():
            if isinstance(prepared, Prepared) and isinstance(statement := prepared._statement, Insert):
                for column in statement.table.columns:
                    if column.name in (prepared._columns or ()):
                        yield statement.table.name, column.name, column.type


@pytest.mark.parametrize("url", ["sqlite://", "postgresql+psycopg://"])
def test_only_names_have_a_type_that_does_something_to_them_and_they_are_made_so_before(url: str) -> None:
    dialect = make_url(url).get_dialect()()
    seen = list(inserts())
    assert {table for table, *_ in seen} == {"audit", "schemas", "versions"}
    acting = {
        (table, column)
        for table, column, kind in seen
        if not isinstance(kind, NameText)
        and (isinstance(kind, TypeDecorator) or kind.dialect_impl(dialect).bind_processor(dialect) is not None)  # type: ignore[attr-defined]  # a TypeEngine
    }
    assert acting <= TRUTHS, (
        "the driver would get what this type makes of it nowhere: hand it over made, or through SQLAlchemy"
    )
