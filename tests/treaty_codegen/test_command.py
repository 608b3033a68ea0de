"""``python -m treaty_codegen``: what it answers, and that it never takes away what somebody wrote."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cases.markdown import ROOT
from tests.treaty_codegen.features import record
from tests.treaty_codegen.generated import imported
from treaty_avro import SchemaError, example
from treaty_codegen import __main__ as command
from treaty_codegen import sources
from treaty_codegen.__main__ import main

THING = record(("x", "int"), namespace="shop.things")
USES = record(("thing", "shop.things.Thing"), namespace="shop.order", name="OrderPaid")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two schemas that refer to each other, in folders of their own."""
    for name, schema in (("things/thing", THING), ("order/order_paid", USES)):
        path = tmp_path / f"schemas/{name}.avsc"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(schema), encoding="utf-8")
    return tmp_path


def run(folder: Path, *words: str | Path) -> int:
    return main([*map(str, words), "--out", str(folder / "sdk"), "--package", "shop_events", "--namespace", "shop"])


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_files_and_their_folder_give_the_same_sdk(folder: Path) -> None:
    assert run(folder, folder / "schemas") == 0
    first = files(folder / "sdk")
    shutil.rmtree(folder / "sdk")
    assert run(folder, folder / "schemas/order/order_paid.avsc", folder / "schemas/things/thing.avsc") == 0
    assert files(folder / "sdk") == first
    with imported(folder / "sdk/src", package="shop_events") as package:
        assert list(package.EVENTS) == ["shop.order.OrderPaid", "shop.things.Thing"]
        event = package.EVENTS["shop.order.OrderPaid"]
        assert (event.__topic__, event.__subject__, hasattr(event, "__key__")) == ("", "", False)


def test_it_does_not_matter_where_one_stands(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(folder, folder / "schemas") == 0
    first = files(folder / "sdk")
    shutil.rmtree(folder / "sdk")
    monkeypatch.chdir(folder / "schemas")
    assert main([".", "--out", "../sdk", "--package", "shop_events", "--namespace", "shop"]) == 0
    assert files(folder / "sdk") == first
    monkeypatch.chdir(folder / "sdk")
    assert main(["../schemas", "--out", ".", "--package", "shop_events", "--namespace", "shop", "--check"]) == 0


def test_help_shows_examples_and_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["--help"])
    shown = capsys.readouterr().out
    assert end.value.code == 0
    assert "  python -m treaty_codegen schemas --out sdk --package shop_events --check" in shown
    assert "exit codes:" in shown


@pytest.mark.parametrize("words", [[], ["a.avsc"], ["a.avsc", "--out", "x"], ["a.avsc", "--nothing"]])
def test_arguments_that_are_missing_or_unknown_end_with_2(words: list[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(words)
    assert end.value.code == 2


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["schemas", "--package", "no-package"], 2, "'no-package' is not an import package"),
        (["schemas", "--package", "class"], 2, "'class' is not an import package"),
        (["schemas", "--namespace", "a..b"], 2, "'a..b' is not an Avro namespace"),
        (["schemas", "--distribution", "a b"], 2, "'a b' is not the name of a distribution"),
        (["schemas", "--version", "one"], 2, "--version 'one' is not a version; write one like 1.4.0"),
        (["schemas", "schemas/order/order_paid.avsc"], 2, "schemas is a folder; name one folder alone, or files alone"),
        (["empty"], 2, "there is no .avsc file in empty"),
        (["schemas/nothing.avsc"], 3, "schemas/nothing.avsc: No such file or directory"),
        (["broken/broken.avsc"], 1, "broken/broken.avsc:1:2: "),
        (["broken"], 1, "broken/broken.avsc:1:2: "),
        (["schemas/order/order_paid.avsc"], 1, "schemas/order/order_paid.avsc:1:"),
        (["latin.avsc"], 1, "latin.avsc: not UTF-8 (byte 1); save it as UTF-8"),
        (["large.avsc"], 1, "a schema has at most 1048576, and it was not read"),
        (["bare.avsc"], 1, "bare.avsc:1: defines no record, enum or fixed at its top"),
        (["topics"], 1, "topics/topics.toml:1: `format` is not 1"),
        (["linked"], 1, "linked/link.avsc: not a plain file; it was not read"),
        (["pipe"], 1, "pipe/pipe.avsc: not a plain file; it was not read"),
        (["pipe/pipe.avsc"], 1, "pipe/pipe.avsc: not a plain file; it was not read"),
    ],
)
def test_a_fault_names_its_place_and_the_next_step_and_writes_nothing(
    *,
    words: list[str],
    code: int,
    says: str,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in ("empty", "broken", "topics", "linked", "pipe"):
        (folder / name).mkdir()
    (folder / "broken/broken.avsc").write_text("{]", encoding="utf-8")
    (folder / "latin.avsc").write_bytes(b'"\xe9"')
    (folder / "large.avsc").write_bytes(b" " * (sources.MAX_BYTES + 1))
    (folder / "bare.avsc").write_text('["null", "int"]', encoding="utf-8")
    (folder / "topics/thing.avsc").write_text(json.dumps(THING), encoding="utf-8")
    (folder / "topics/topics.toml").write_text("format = 2\n", encoding="utf-8")
    (folder / "linked/link.avsc").symlink_to(folder / "bare.avsc")
    os.mkfifo(folder / "pipe/pipe.avsc")
    monkeypatch.chdir(folder)
    assert main(["--out", "sdk", "--package", "shop_events", *words]) == code
    shown = capsys.readouterr()
    assert says in shown.err
    assert "\n  next: " in shown.err
    assert shown.out == ""
    assert not (folder / "sdk").exists()


def test_a_cycle_of_files_is_refused_and_nothing_is_written(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    back = {**THING, "fields": [{"name": "order", "type": "shop.order.OrderPaid"}]}
    (folder / "schemas/things/thing.avsc").write_text(json.dumps(back), encoding="utf-8")
    assert run(folder, folder / "schemas") == 1
    assert "cycle" in capsys.readouterr().err
    assert not (folder / "sdk").exists()


def test_a_type_that_always_holds_itself_is_generated_with_a_warning(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    inner = record(("back", "shop.things.Thing"), name="Inner", namespace="shop.things")
    tree = record(
        ("children", {"type": "array", "items": "Tree"}), ("up", ["null", "Tree"]), name="Tree", namespace="shop"
    )
    endless = {**THING, "fields": [{"name": "inner", "type": inner}, {"name": "tree", "type": tree}]}
    (folder / "schemas/things/thing.avsc").write_text(json.dumps(endless), encoding="utf-8")
    monkeypatch.chdir(folder)
    assert run(folder, "schemas") == 0
    warnings = [line for line in capsys.readouterr().err.splitlines() if "warning" in line]
    assert [line.partition(" has no finite value")[0] for line in warnings] == [
        "python -m treaty_codegen: warning: schemas/order/order_paid.avsc:1: shop.order.OrderPaid",
        "python -m treaty_codegen: warning: schemas/things/thing.avsc:1: shop.things.Thing",
        "python -m treaty_codegen: warning: schemas/things/thing.avsc:1: shop.things.Inner",
    ]
    with (
        imported(folder / "sdk/src", package="shop_events") as package,
        pytest.raises(SchemaError, match="no finite value"),
    ):
        example(package.EVENTS["shop.things.Thing"])


def test_a_bug_of_ours_ends_with_4(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object, **__: object) -> dict[str, str]:
        raise ZeroDivisionError("ours")

    monkeypatch.setattr(command, "load_catalog", broken)
    assert run(folder, folder / "schemas") == 4
    assert "next: this is a bug of treaty; report it" in capsys.readouterr().err


def test_a_folder_that_may_not_be_written_ends_with_3(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "sdk").write_text("a file, not a folder", encoding="utf-8")
    assert run(folder, folder / "schemas") == 3
    assert "sdk is not a folder, and README.md belongs there. Move it away" in capsys.readouterr().err


def test_check_writes_nothing_and_tells_edited_missing_stale_and_foreign_files(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(folder, folder / "schemas") == 0
    package = folder / "sdk/src/shop_events"
    (package / "order/__init__.py").unlink()
    edited = package / "things/_thing.py"
    edited.write_text(edited.read_text(encoding="utf-8").replace("    x: int", "    x: str"), encoding="utf-8")
    (package / "_gone.py").write_text("# Generated by treaty from gone.avsc. Do not edit.\n", encoding="utf-8")
    (package / "mine.py").write_text("x = 1\n", encoding="utf-8")
    before = files(folder / "sdk")
    capsys.readouterr()
    assert run(folder, folder / "schemas", "--check") == 1
    shown = capsys.readouterr()
    assert files(folder / "sdk") == before
    for line in (
        "added    src/shop_events/order/__init__.py",
        "changed  src/shop_events/things/_thing.py",
        "stale    src/shop_events/_gone.py",
        "foreign  src/shop_events/mine.py",
        "-    x: str",
        "+    x: int",
    ):
        assert line in shown.out.splitlines()
    assert "next: run it without --check" in shown.err
    assert run(folder, folder / "schemas") == 1, "the foreign file is still there"
    (package / "mine.py").unlink()
    assert run(folder, folder / "schemas", "--check") == 0


@pytest.mark.parametrize("name", ["pyproject.toml", "README.md", "src/shop_events/__init__.py"])
def test_a_file_that_somebody_wrote_is_left_alone_and_said_so(
    name: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`--out .` in a project of one's own must not cost its pyproject.toml."""
    path = folder / "sdk" / name
    path.parent.mkdir(parents=True)
    path.write_text("# mine\n", encoding="utf-8")
    assert run(folder, folder / "schemas") == 1
    shown = capsys.readouterr()
    assert path.read_text(encoding="utf-8") == "# mine\n"
    assert f"foreign  {name}" in shown.out.splitlines()
    assert "Not generated, and left alone: 1." in shown.err


def test_a_foreign_file_with_a_hostile_name_is_told_on_one_printable_line(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    package = folder / "sdk/src/shop_events"
    package.mkdir(parents=True)
    (package / "a\nb\x1b[31m.py").write_text("x = 1\n", encoding="utf-8")
    Path(os.fsdecode(bytes(package) + b"/\xff.py")).write_text("x = 1\n", encoding="utf-8")
    assert run(folder, folder / "schemas") == 1
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("foreign")]
    assert len(lines) == 2
    assert all(line.isprintable() for line in lines)


def test_what_lies_beside_the_package_is_not_looked_at(folder: Path) -> None:
    other = folder / "sdk/src/other/module.py"
    other.parent.mkdir(parents=True)
    other.write_text("x = 1\n", encoding="utf-8")
    (folder / "sdk/dist").mkdir()
    assert run(folder, folder / "schemas") == 0
    assert run(folder, folder / "schemas", "--check") == 0
    assert other.is_file()
    assert (folder / "sdk/dist").is_dir()


def test_a_reader_of_its_output_may_go_away(folder: Path) -> None:
    words = [sys.executable, "-m", "treaty_codegen", "schemas", "--out", "sdk", "--package", "shop_events"]
    with subprocess.Popen(words, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert isinstance(process.stdout, io.BufferedReader)
        process.stdout.close()
        assert process.stderr is not None
        said = process.stderr.read().decode()
    assert "Traceback" not in said
    assert (folder / "sdk/pyproject.toml").is_file()


def uv() -> str:
    """The installer; missing is a failure in CI only."""
    found = shutil.which("uv") or shutil.which("uv", path=str(ROOT / ".venv/tools/bin"))
    if found is None and os.environ.get("CI") == "true":
        pytest.fail("uv is missing; `make setup` installs it")
    return found or pytest.skip("uv is missing; `make setup` installs it")


def test_its_wheel_works_alone(folder: Path) -> None:
    """Two wheels in an empty environment without an index; what they generate runs in another empty one."""
    installer = uv()
    for project in ("platform/avro", "codegen"):
        build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder / "wheels")]
        subprocess.run(build, check=True, capture_output=True, cwd=ROOT / project)
    python = folder / "venv/bin/python"
    install = [installer, "pip", "install", "--no-index", "--python", str(python)]
    subprocess.run(
        [installer, "venv", "--python", sys.executable, str(folder / "venv")], check=True, capture_output=True
    )
    wheels = [str(path) for path in (folder / "wheels").glob("*.whl")]
    subprocess.run([*install, *wheels], check=True, capture_output=True)
    words = ["-I", "-W", "error", "-m", "treaty_codegen", "schemas", "--out", "sdk", "--package", "shop_events"]
    done = subprocess.run([str(python), *words], check=False, capture_output=True, text=True, cwd=folder)
    assert done.returncode == 0, done.stderr
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder / "wheels")]
    subprocess.run(build, check=True, capture_output=True, cwd=folder / "sdk")
    subprocess.run([*install, *map(str, (folder / "wheels").glob("shop_events*"))], check=True, capture_output=True)
    program = "import shop_events; print([shop_events.EVENTS[name].__name__ for name in shop_events.EVENTS])"
    done = subprocess.run([str(python), "-I", "-c", program], check=False, capture_output=True, text=True, cwd=folder)
    assert done.stdout == "['OrderPaid', 'Thing']\n", done.stderr
