"""Files and folders that are whole or absent, whatever happens while they are written."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from treaty.errors import UsageError
from treaty.ops.files import put, replace_whole, write_folder

UNWRITABLE = "\ud800"
"""A text that no encoding writes: the write fails in the middle."""


def test_a_folder_is_there_with_all_its_files_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "releases" / "1.0.0"
    with pytest.raises(UnicodeEncodeError):
        write_folder(target, {"a": "whole", "b": UNWRITABLE})
    assert list(tmp_path.rglob("*")) == [tmp_path / "releases"], "nothing is left aside"
    write_folder(target, {"a": "1", "b": "2"})
    assert {path.name: path.read_text() for path in target.iterdir()} == {"a": "1", "b": "2"}
    with pytest.raises(UsageError, match="never overwritten"):
        write_folder(target, {"a": "other"})
    assert (target / "a").read_text() == "1"


def test_a_file_is_the_old_one_or_the_new_one_and_keeps_its_mode(tmp_path: Path) -> None:
    target = tmp_path / "a.avsc"
    target.write_text("old")
    target.chmod(0o640)
    with pytest.raises(UnicodeEncodeError):
        replace_whole(target, "half" + UNWRITABLE)
    assert target.read_text() == "old"
    replace_whole(target, "new\n")
    assert (target.read_bytes(), target.stat().st_mode & 0o777) == (b"new\n", 0o640)
    assert list(tmp_path.iterdir()) == [target]


def test_output_goes_through_what_a_person_named_and_replaces_no_link(tmp_path: Path) -> None:
    """`--out /dev/stdout` must not become a file in `/dev`."""
    real, link, pipe = tmp_path / "real", tmp_path / "link", tmp_path / "pipe"
    real.write_text("old")
    link.symlink_to(real)
    put(link, "new")
    assert (link.is_symlink(), real.read_text()) == (True, "new")
    os.mkfifo(pipe)
    heard = subprocess.Popen(["cat", str(pipe)], stdout=subprocess.PIPE, text=True)
    put(pipe, "through")
    assert heard.communicate()[0] == "through"
    assert pipe.is_fifo()


@pytest.mark.parametrize("call", range(1, 8))
def test_a_kill_at_any_call_leaves_no_half_release(tmp_path: Path, call: int) -> None:
    """The process kills itself at its n-th call to the system that writes, syncs or renames."""
    code = f"""
import os, pathlib, signal, sys
left = {call}
def hook(event, arguments):
    global left
    if event in ("open", "os.rename", "os.chmod") and str(pathlib.Path.cwd()) in str(arguments[0]):
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
from treaty.ops.files import write_folder
sys.addaudithook(hook)
write_folder(pathlib.Path.cwd() / "1.0.0", {{"a": "x" * 100_000, "b": "y"}})
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=False)
    target = tmp_path / "1.0.0"
    if done.returncode == 0:
        assert {path.name for path in target.iterdir()} == {"a", "b"}
    else:
        assert not target.exists() or len((target / "a").read_text()) == 100_000
