"""Writes to one SQLite file that wait for each other are committed together, and fail only for what is theirs."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import event, make_url
from sqlalchemy.engine import Engine
from sqlalchemy.exc import OperationalError

from tests.parts.waiting import DEADLINE, wait_until
from treaty.registry.errors import StoreUnavailable, store_fault
from treaty.registry.names import Name
from treaty.registry.stores.sql.group_commit import MOST
from treaty.registry.stores.sql.sqlite import Sqlite
from treaty.registry.stores.sql.store import SqlStore, open_store

WRITERS = 6


class Stop(Exception):
    """Ends a write in the middle."""


class File:
    """A store on a file, and the turns of its writes."""

    def __init__(self, path: Path) -> None:
        open_store(f"sqlite:///{path}", migrate=True).close()
        database = Sqlite(make_url(f"sqlite:///{path}"))
        self.store, self.turns = SqlStore(database), database.turns

    def write(self, number: int, *, fails: bool = False) -> None:
        with self.store.write(name(number)) as writer:
            writer.set_mode(name(number), "READONLY")
            if fails:
                raise Stop

    def queued(self, *writes: tuple[int, bool]) -> list[Future[None]]:
        """Starts writes (number, fails) while one of number 0 is in its turn, so that all of them wait."""
        begun, goes_on = threading.Event(), threading.Event()

        def first() -> None:
            with self.store.write(name(0)) as writer:
                writer.set_mode(name(0), "READONLY")
                begun.set()
                goes_on.wait()

        with ThreadPoolExecutor(len(writes) + 1) as pool:
            futures = [pool.submit(first)]
            begun.wait()
            futures += [pool.submit(self.write, number, fails=fails) for number, fails in writes]
            wait_until(lambda: self.turns.waiting == len(writes))
            goes_on.set()
        return futures

    def stored(self) -> list[int]:
        """The numbers whose writes stand."""
        with self.store.read() as reader:
            return [number for number in range(100) if reader.mode(name(number)) == "READONLY"]


@pytest.fixture
def file(tmp_path: Path) -> Iterator[File]:
    """A store on a file of its own."""
    made = File(tmp_path / "registry.db")
    yield made
    made.store.close()


@contextmanager
def commits() -> Iterator[list[object]]:
    """Collects what any engine commits."""
    found: list[object] = []
    note = found.append
    event.listen(Engine, "commit", note)
    try:
        yield found
    finally:
        event.remove(Engine, "commit", note)


def name(number: int) -> Name:
    return Name(".", f"s{number}")


def test_writes_that_wait_are_committed_together(file: File) -> None:
    with commits() as found:
        for future in file.queued(*((number, False) for number in range(1, WRITERS))):
            future.result()
    assert len(found) == 1
    assert file.stored() == list(range(WRITERS))


def test_a_write_that_raises_takes_back_only_its_own(file: File) -> None:
    first, *futures = file.queued((1, False), (2, True), (3, False), (4, True))
    first.result()
    assert [type(future.exception()) for future in futures] == [type(None), Stop, type(None), Stop]
    assert file.stored() == [0, 1, 3]


def test_a_group_that_begins_with_a_write_that_raises_goes_on(file: File) -> None:
    with pytest.raises(Stop):
        file.write(7, fails=True)
    file.write(8)
    assert file.stored() == [8]


def test_a_commit_that_fails_fails_for_everybody(file: File) -> None:
    def fail(_connection: object) -> None:
        raise OperationalError("COMMIT", None, Exception("disk is full"))

    event.listen(Engine, "commit", fail)
    try:
        futures = file.queued((1, False), (2, False))
        assert [type(future.exception()) for future in futures] == [StoreUnavailable] * 3
    finally:
        event.remove(Engine, "commit", fail)
    assert file.stored() == []
    file.write(3)
    assert file.stored() == [3]


def test_a_group_ends_when_it_is_large(file: File) -> None:
    with commits() as found:
        for future in file.queued(*((number, False) for number in range(1, MOST + 1))):
            future.result()
    assert len(found) == 2
    assert len(file.stored()) == MOST + 1


def test_what_is_in_use_when_the_store_closes_ends_when_it_is_given_back(file: File, tmp_path: Path) -> None:
    reads, writes, ends_read, ends_write = (threading.Event() for _ in range(4))

    def read() -> None:
        with file.store.read() as reader:
            reader.mode(name(0))
            reads.set()
            ends_read.wait()

    def write() -> None:
        with file.store.write(name(1)) as writer:
            writer.set_mode(name(1), "READONLY")
            writes.set()
            ends_write.wait()

    with ThreadPoolExecutor(2) as pool:
        reading, writing = pool.submit(read), pool.submit(write)
        assert reads.wait(DEADLINE)
        assert writes.wait(DEADLINE)
        file.store.close()
        ends_read.set()  # one after the other: of two that end at the same moment, SQLite takes neither for the last
        reading.result()
        ends_write.set()
        writing.result()
    assert [each.name for each in tmp_path.iterdir()] == ["registry.db"], (
        "the last connection takes -wal and -shm with it"
    )
    assert file.stored() == [1]
    assert [each.name for each in tmp_path.iterdir()] == ["registry.db"]


@pytest.mark.parametrize("is_replaced", [True, False])
def test_a_file_that_was_removed_or_replaced_takes_no_write_until_it_is_back(
    file: File, tmp_path: Path, *, is_replaced: bool
) -> None:
    file.write(1)
    used, aside = tmp_path / "registry.db", tmp_path / "aside.db"
    used.rename(aside)
    if is_replaced:
        used.write_bytes(aside.read_bytes())
    for ask in (lambda: file.write(2), file.stored):
        with pytest.raises(StoreUnavailable) as refused:
            ask()
        assert "registry.db was removed or replaced while it was in use" in store_fault(refused.value)
    assert not file.store.ready().ready
    assert used.exists() is is_replaced, "none is made in its place"
    aside.replace(used)
    file.write(3)
    assert file.stored() == [1, 3]
