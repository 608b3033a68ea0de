"""The audit's chain: whatever is changed in it, taken out or put in is found."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count

import pytest
from sqlalchemy import create_engine, text

from tests.treaty.registry.people import administration
from treaty.registry.access.audit import Entry
from treaty.registry.stores.sql.store import SqlStore, open_store


def entry(number: int) -> Entry:
    return Entry(at=number, actor="ann", source_ip="127.0.0.1", request_id="r", action="register", subject=f"s{number}")


@pytest.fixture
def sealed(database: str) -> Iterator[tuple[SqlStore, Callable[[str], None]]]:
    """A store with eight sealed entries, and a way to change its tables behind its back."""
    store = open_store(database, migrate=True)
    numbers = count(1)
    for _ in range(4):
        store.note([entry(next(numbers)), entry(next(numbers))])
        store.seal()
    engine = create_engine(database)

    def behind(statement: str) -> None:
        with engine.begin() as connection:
            connection.execute(text(statement))

    yield store, behind
    engine.dispose()
    store.close()


Sealed = tuple[SqlStore, Callable[[str], None]]


def test_what_nobody_touched_is_found_whole(sealed: Sealed) -> None:
    store, _ = sealed
    verdict = store.walk_audit()
    assert (verdict.entries, verdict.position, verdict.broken) == (8, 8, "")
    assert store.walk_audit(expected=(8, verdict.head)).broken == ""
    store.seal()
    assert store.walk_audit() == verdict


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        ("UPDATE audit SET actor = 'eve' WHERE subject = 's3'", "is not what was sealed"),
        ("UPDATE audit SET at = at + 1 WHERE subject = 's1'", "is not what was sealed"),
        ("UPDATE audit SET outcome = 'refused' WHERE subject = 's8'", "is not what was sealed"),
        ("DELETE FROM audit WHERE subject = 's4'", "missing after position 3"),
        ("UPDATE audit SET position = position + 1 WHERE position = 8", "missing after position 7"),
        ("UPDATE audit SET seal = NULL WHERE position = 5", "is not what was sealed"),
    ],
)
def test_what_was_changed_is_found(sealed: Sealed, statement: str, sentence: str) -> None:
    store, behind = sealed
    behind(statement)
    assert sentence in store.walk_audit().broken


def test_a_new_chain_is_found_by_a_seal_that_was_noted(sealed: Sealed) -> None:
    """Who can write to the table can seal it anew: only what was noted elsewhere tells."""
    store, behind = sealed
    noted = store.walk_audit()
    behind("UPDATE audit SET actor = 'eve', seal = NULL, position = NULL")
    store.seal()
    assert store.walk_audit().broken == ""
    assert "another seal was noted" in store.walk_audit(expected=(noted.position, noted.head)).broken
    behind("DELETE FROM audit WHERE position = 8")
    assert "not in the chain" in store.walk_audit(expected=(noted.position, noted.head)).broken


def test_old_entries_may_be_deleted_from_the_beginning(sealed: Sealed) -> None:
    store, behind = sealed
    noted = store.walk_audit()
    behind("DELETE FROM audit WHERE position <= 3")
    verdict = store.walk_audit(expected=(noted.position, noted.head))
    assert (verdict.entries, verdict.broken) == (5, "")


def test_an_entry_that_is_committed_late_takes_the_next_place(sealed: Sealed) -> None:
    store, behind = sealed
    behind("UPDATE audit SET id = id + 100 WHERE position IS NULL")
    behind(
        "INSERT INTO audit (id, at, actor, source_ip, request_id, action, context, subject, outcome, reason) "
        "VALUES (1000, 1, 'a', '', '', 'x', '', '', 'done', '')"
    )
    store.seal()
    store.note([entry(9)])
    store.seal()
    assert (store.walk_audit().position, store.walk_audit().broken) == (10, "")


def test_an_operator_verifies_what_has_not_been_sealed_yet_too(sealed: Sealed) -> None:
    store, _ = sealed
    store.note([entry(9)])
    assert administration(store).verify_audit(expected=None).entries == 9
