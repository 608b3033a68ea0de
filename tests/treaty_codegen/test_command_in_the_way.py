"""``python -m treaty_codegen`` where something else stands already, and where folders and terminals are odd."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.treaty_codegen.features import record
from treaty_codegen.__main__ import main

EVENT = record(("x", "int"), namespace="shop.order", name="OrderPaid")
MODULE = "sdk/src/shop_events/order/__init__.py"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A schema, and the SDK that was made of it; one stands beside them."""
    (tmp_path / "schemas").mkdir()
    (tmp_path / "schemas/order_paid.avsc").write_text(json.dumps(EVENT), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert run() == 0
    return tmp_path


def run(*words: str, out: str = "sdk", package: str = "shop_events") -> int:
    return main([*(words or ["schemas"]), "--out", out, "--package", package, "--namespace", "shop"])


@pytest.mark.parametrize(
    "make", [lambda path: path.symlink_to("victim"), os.mkfifo, Path.mkdir], ids=["link", "pipe", "folder"]
)
def test_what_is_no_plain_file_is_not_replaced(
    make: Callable[[Path], None], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / MODULE).unlink()
    make(folder / MODULE)
    (folder / "sdk/README.md").unlink()
    before = (folder / MODULE).lstat()
    assert run() == 3
    assert f"{MODULE} is not a plain file, and a generated one belongs there. Move it away" in capsys.readouterr().err
    assert (folder / MODULE).lstat().st_ino == before.st_ino
    assert not (folder / "sdk/README.md").exists(), "nothing was written"


def test_a_file_where_a_folder_belongs_is_not_replaced(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "other/src").mkdir(parents=True)
    (folder / "other/src/shop_events").write_text("mine", encoding="utf-8")
    assert run(out="other") == 3
    assert "other/src/shop_events is not a folder" in capsys.readouterr().err
    assert [path.name for path in (folder / "other").iterdir()] == ["src"]


@pytest.mark.parametrize("kind", ["link", "file", "folder"])
def test_somebody_elses_things_where_new_texts_wait_are_not_swept(
    kind: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine, staging = folder / "mine", folder / "sdk/.treaty-new"
    mine.mkdir()
    (mine / "text").write_text("mine", encoding="utf-8")
    if kind == "link":
        staging.symlink_to(mine)
    elif kind == "file":
        staging.write_text("mine", encoding="utf-8")
    else:
        mine.rename(staging)
    (folder / "sdk/README.md").unlink()
    assert run() == 3
    assert "holds something else. Move it away" in capsys.readouterr().err
    assert (staging if kind == "file" else staging / "text").read_text(encoding="utf-8") == "mine"


def test_a_folder_may_be_called_like_byte_code(folder: Path) -> None:
    path = folder / "__pycache__" / MODULE
    path.parent.mkdir(parents=True)
    path.write_text("mine = 1\n", encoding="utf-8")
    assert run(out="__pycache__/sdk") == 1
    assert path.read_text(encoding="utf-8") == "mine = 1\n"


def test_the_sdk_of_another_package_keeps_its_metadata(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = (folder / "sdk/pyproject.toml").read_bytes()
    assert run(package="other_events") == 2
    assert "sdk holds the SDK of another package, shop_events; give another --out" in capsys.readouterr().err
    assert (folder / "sdk/pyproject.toml").read_bytes() == before
    assert run("schemas", "--version", "2.0.0") == 0, "a new version is no other package"


@pytest.mark.parametrize("package", ["typing", "Con", "nul"])
def test_a_package_that_python_or_windows_would_take_for_its_own_is_refused(package: str, folder: Path) -> None:
    assert run(out="other", package=package) == 2
    assert not (folder / "other").exists()


def test_a_link_to_topics_is_refused_like_one_to_a_schema(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "schemas/topics.toml").symlink_to(folder / "elsewhere.toml")
    assert run(out="other") == 1
    assert "schemas/topics.toml: not a plain file; it was not read" in capsys.readouterr().err


def test_folders_may_lie_as_deep_as_the_system_allows(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Step by step: one path of so many parts is longer than a call of the system takes."""
    deep = folder / "deep"
    deep.mkdir()
    monkeypatch.chdir(deep)
    for _ in range(1200):
        Path("d").mkdir()
        os.chdir("d")
    Path("order_paid.avsc").write_text(json.dumps(EVENT), encoding="utf-8")
    os.chdir(folder)
    try:
        assert run("deep", out="other") == 0
    finally:
        # Whoever clears the temporary folder may go down it by recursion.
        subprocess.run(["rm", "-r", str(deep)], check=True)


def test_a_warning_is_one_printable_line_whatever_the_file_is_called(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    endless = record(("again", "shop.order.Endless"), namespace="shop.order", name="Endless")
    (folder / "schemas/a\nb\x1b[31m.avsc").write_text(json.dumps(endless), encoding="utf-8")
    assert run() == 0
    warnings = [line for line in capsys.readouterr().err.split("\n") if "warning" in line]
    assert len(warnings) == 1
    assert warnings[0].isprintable()
    assert "no finite value" in warnings[0]


def test_a_difference_is_shown_on_a_terminal_that_knows_ascii_only(folder: Path) -> None:
    (folder / "schemas/order_paid.avsc").write_text(json.dumps({**EVENT, "doc": "é ☃"}), encoding="utf-8")
    words = ["schemas", "--out", "sdk", "--package", "shop_events", "--namespace", "shop", "--check"]
    done = subprocess.run(
        [sys.executable, "-m", "treaty_codegen", *words],
        check=False,
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )
    assert done.returncode == 1
    assert b'"""\\xe9 \\u2603"""' in done.stdout
    assert b"Traceback" not in done.stderr
