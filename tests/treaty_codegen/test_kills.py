"""A generating command may be killed at any moment: every file is old or new, and the next run finishes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cases.markdown import ROOT
from tests.treaty_codegen.kills import AFTER, BEFORE, files_of, run_module, write_schemas

pytestmark = pytest.mark.long

if sys.platform == "win32":
    pytest.skip("signal 9 and fork are POSIX", allow_module_level=True)

FULL = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (300, 300))  # a write beyond it fails, as on a full disk
from treaty_codegen.__main__ import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.parametrize("command", ["module", "treaty"])
def test_a_kill_at_every_write_leaves_whole_files_and_the_next_run_finishes(command: str, tmp_path: Path) -> None:
    words = [sys.executable, "-B", "-m", "tests.treaty_codegen.kills", command, str(tmp_path)]
    done = subprocess.run(words, cwd=ROOT, check=False, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stdout + done.stderr
    assert int(done.stdout.splitlines()[-1]) > 30


def test_a_full_disk_leaves_every_file_as_it_was(tmp_path: Path) -> None:
    write_schemas(tmp_path, BEFORE)
    assert run_module(tmp_path) == 0
    before = files_of(tmp_path)
    write_schemas(tmp_path, AFTER)
    words = [str(tmp_path / "schemas"), "--out", str(tmp_path / "sdk"), "--package", "shop_events"]
    done = subprocess.run([sys.executable, "-B", "-c", FULL, *words], check=False, capture_output=True, text=True)
    assert done.returncode == 3, done.stderr
    assert "next: " in done.stderr
    assert files_of(tmp_path) == before
    assert sorted(path.name for path in (tmp_path / "sdk").iterdir()) == ["README.md", "pyproject.toml", "src"]


def test_runs_at_the_same_time_do_not_hurt_each_other(tmp_path: Path) -> None:
    write_schemas(tmp_path, BEFORE)
    words = [sys.executable, "-m", "treaty_codegen", "schemas", "--out", "sdk", "--package", "shop_events"]
    runs = [subprocess.Popen(words, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(4)]
    said = [(*run.communicate(), run.returncode) for run in runs]
    assert [code for *_, code in said] == [0] * 4, said
    assert subprocess.run([*words, "--check"], cwd=tmp_path, check=False, capture_output=True).returncode == 0
    assert sorted(path.name for path in (tmp_path / "sdk").iterdir()) == ["README.md", "pyproject.toml", "src"]
