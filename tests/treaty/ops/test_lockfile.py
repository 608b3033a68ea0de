"""``schemas.lock`` as a value: what release and apply each write, and what both keep."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pytest

from treaty.errors import UsageError
from treaty.ops.files import alone
from treaty.ops.lockfile import LOCK, Applied, Lock, as_applied, parsed, read_lock, released
from treaty_codegen.old_set import OldEvent, OldSet

TEXT = '{"type":"record","name":"A","fields":[]}'


def row(number: int) -> Applied:
    return Applied(id=number, guid=f"g{number}", sha256=f"{number:064}")


def test_a_lock_reads_back_equal_and_its_versions_stand_by_number(tmp_path: Path) -> None:
    lock = as_applied(Lock(release="1.0.0"), "prod", {"b": {10: row(10), 9: row(9)}, "a": {1: row(1)}}, held={})
    (tmp_path / LOCK).write_text(lock.text(), encoding="utf-8")
    assert read_lock(tmp_path) == lock
    assert [line.strip() for line in lock.text().splitlines() if line.strip().startswith(('"9"', '"10"'))] == [
        '"9": {',
        '"10": {',
    ]


def test_a_release_and_an_apply_keep_what_the_other_wrote() -> None:
    now = OldSet(label="now", events={"A": OldEvent(text=TEXT)})
    both = released(as_applied(Lock(), "prod", {"a": {1: row(1)}}, held={}), now, {"A": "1.0.0"}, version="1.0.0")
    assert both.environments["prod"] == {"a": {1: row(1)}}
    again = as_applied(both, "stage", {"a": {1: row(4)}}, held={})
    assert (again.release, again.events, set(again.environments)) == ("1.0.0", both.events, {"prod", "stage"})


def test_ids_that_records_may_still_hold_stay_and_those_that_are_gone_go() -> None:
    lock = as_applied(Lock(), "prod", {"a": {1: row(1), 2: row(2)}, "b": {1: row(3)}, "c": {1: row(4)}}, held={})
    held = {"a": [2, 3], "b": [1], "somebody-elses": [1]}
    later = as_applied(lock, "prod", {"a": {2: row(2), 3: row(5)}}, held=held, gone={"c"})
    deleted = replace(row(1), deleted=True)
    assert later.environments["prod"] == {"a": {1: deleted, 2: row(2), 3: row(5)}, "b": {1: row(3)}}
    assert parsed(later.text()) == later
    undeleted = as_applied(later, "prod", {"a": {1: row(1), 2: row(2), 3: row(5)}}, held={"a": [1, 2, 3], "b": [1]})
    assert undeleted.environments["prod"]["a"][1] == row(1)


def test_of_another_registry_nothing_of_the_old_one_is_kept() -> None:
    lock = as_applied(Lock(), "prod", {"a": {1: row(1), 2: row(2)}, "b": {1: row(3)}}, held={})
    assert as_applied(lock, "prod", {"a": {1: row(77)}}, held={}).environments["prod"] == {"a": {1: row(77)}}


@pytest.mark.parametrize(
    "junk", ["", "[]", "{}", "[" * 100_000, '{"release": "1", "events": {}, "environments": {"p": {"a": {"x": {}}}}}']
)
def test_a_file_that_is_no_lock_is_refused_with_what_mends_it(tmp_path: Path, junk: str) -> None:
    (tmp_path / LOCK).write_text(junk, encoding="utf-8")
    with pytest.raises(UsageError, match="is not a lock") as refused:
        read_lock(tmp_path)
    assert "git restore" in str(refused.value.next_step)


def test_two_writers_of_a_folder_wait_for_each_other(tmp_path: Path) -> None:
    told: list[str] = []
    begun = threading.Event()

    def second() -> None:
        begun.set()
        with alone(tmp_path):
            told.append("second")

    with alone(tmp_path):
        thread = threading.Thread(target=second)
        thread.start()
        begun.wait()
        told.append("first")
    thread.join()
    assert told == ["first", "second"]
