"""``treaty release``, ``generate`` and ``explain`` as processes, and the pages in the wheel."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.cases.markdown import ROOT
from tests.treaty.cli.scratch import EVENT, Scratch, changed, project


@pytest.fixture
def scratch(tmp_path: Path) -> Scratch:
    return project(tmp_path, toml='[breaking]\nagainst = ["releases"]\n')


def test_a_release_is_written_once_and_versions_only_rise(scratch: Scratch) -> None:
    done = scratch.run("release", "1.1.0")
    assert (done.code, done.out) == (
        0,
        (
            "schemas/releases/1.1.0/set.json\nschemas/releases/1.1.0/golden.jsonl\nschemas/releases/1.1.0/notes.md\n"
            "schemas/CHANGELOG.md\nschemas/schemas.lock\n"
        ),
    )
    body = json.loads((scratch.root / "schemas/releases/1.1.0/set.json").read_text(encoding="utf-8"))
    event = body["events"]["mall.order.OrderPaid"]
    assert (body["version"], event["topic"], event["key"], event["level"]) == (
        "1.1.0",
        "order-events",
        "order_id",
        "FULL_TRANSITIVE",
    )
    written = {path.name for path in (scratch.root / "schemas/releases/1.1.0").iterdir()}
    assert written == {"set.json", "golden.jsonl", "notes.md"}
    assert [path.name for path in (scratch.root / "schemas/releases").iterdir()] == ["1.1.0"], "nothing is left aside"
    assert [
        scratch.run("release", version).code
        for version in ("1.1.0", "1.0.9", "1.1", "v2", "../2.0.0", "١.٢.٣", "1.2.0")
    ] == [2, 2, 2, 2, 2, 2, 0]


def test_a_break_or_a_lint_error_is_not_released(scratch: Scratch) -> None:
    assert scratch.run("release", "1.0.0").code == 0
    scratch.write("schemas/order/order_paid.avsc", changed(order_id="string"))
    broken = scratch.run("release", "1.1.0")
    scratch.write("schemas/order/order_paid.avsc", EVENT | {"doc": ""})
    undocumented = scratch.run("release", "1.1.0")
    scratch.write("schemas/order/order_paid.avsc", "{")
    unreadable = scratch.run("release", "1.1.0")
    assert [done.code for done in (broken, undocumented, unreadable)] == [1, 1, 1]
    assert "errors stand in the way" in broken.err
    assert not (scratch.root / "schemas/releases/1.1.0").exists()


def test_releases_sort_by_number_and_not_by_text(scratch: Scratch) -> None:
    assert [scratch.run("release", version).code for version in ("1.9.0", "1.10.0", "1.9.1")] == [0, 0, 2]


def test_the_sdk_is_written_fresh_stale_and_broken(scratch: Scratch) -> None:
    assert scratch.run("generate", "--check").code == 1
    assert scratch.run("generate").code == 0
    assert scratch.run("generate", "--check").code == 0
    scratch.write("schemas/order/order_paid.avsc", changed(paid_by="string"))
    stale = scratch.run("generate", "--check")
    assert (stale.code, "next: treaty generate" in stale.err, "+    paid_by: str" in stale.out) == (1, True, True)
    scratch.write("schemas/order/order_paid.avsc", "{")
    broken = scratch.run("generate")
    assert (broken.code, "next: treaty lint" in broken.err) == (1, True)


def test_a_folder_beside_the_releases_that_is_none_does_not_stop_the_generator(scratch: Scratch) -> None:
    scratch.write("schemas/releases/1.x.y/notes.txt", "no release")
    assert scratch.run("generate").code == 0


def test_a_rule_is_explained_anywhere_and_an_unknown_one_ends_with_2(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path)
    scratch.write("docs/rules/lint/field_without_doc.md", "# forged\n")
    shown = scratch.run("explain", "field-without-doc")
    assert shown.code == 0
    assert shown.out == (ROOT / "docs/rules/lint/field_without_doc.md").read_text(encoding="utf-8")
    unknown = scratch.run("explain", "field-without-docs")
    assert (unknown.code, "did you mean `field-without-doc`" in unknown.err) == (2, True)
    assert scratch.run("explain", "../../README").code == 2


def test_the_wheel_carries_every_page_and_explains_from_it(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT / "platform/tool", check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if name.startswith("treaty/pages/")}
        archive.extractall(tmp_path / "installed")
    pages = {
        f"treaty/pages/{path.relative_to(ROOT / 'docs').as_posix()}" for path in (ROOT / "docs/rules").glob("*/*.md")
    }
    assert packed == pages
    (tmp_path / "installed/treaty/pages/rules/lint/field_without_doc.md").write_text(
        "# from the wheel\n", encoding="utf-8"
    )
    code = "import treaty, treaty.ops.rules as rules; print(rules.page('field-without-doc'), end='')"
    installed = {"PYTHONPATH": str(tmp_path / "installed")}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=installed, capture_output=True, text=True, check=True
    )
    assert done.stdout == "# from the wheel\n"


def test_the_wheel_of_the_rules_carries_the_schema_of_findings(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT / "codegen", check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        assert "treaty_codegen/findings.schema.json" in archive.namelist()
