"""The file that takes a move back: written before anything moves, or nothing moves."""

from __future__ import annotations

from pathlib import Path

import pytest

from treaty.errors import UsageError
from treaty.ops import group_offsets
from treaty.ops.group_offsets import Standing, keep_other_undo, save, saved
from treaty_runtime.event import Partition

ROWS = [Standing(partition=Partition("orders", 0), committed=7, span=(0, 10), member=None)]


def test_a_link_to_nowhere_is_there_and_keeps_everything_where_it_is(tmp_path: Path) -> None:
    link = tmp_path / "before.json"
    link.symlink_to(tmp_path / "not mounted" / "before.json")
    for act in (keep_other_undo, save):
        with pytest.raises(UsageError, match="is there already"):
            act(ROWS, link)


def test_a_file_that_goes_in_that_moment_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "before.json"
    file.write_text("another undo")

    def gone(rows: list[Standing], file: Path) -> None:
        file.unlink()
        keep_other_undo(rows, file)

    monkeypatch.setattr(group_offsets, "keep_other_undo", gone)
    save(ROWS, file)
    assert saved(file) == {Partition("orders", 0): 7}
