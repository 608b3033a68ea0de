"""Golden bytes in other languages: Apache Avro for Java, hamba/avro for Go and avsc for JavaScript read every line as it was recorded.

Each program decodes a release's lines with the released text, compares the values with the recorded JSON, and encodes them again.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cases.markdown import ROOT
from tests.parts.toolchains import SECONDS, fetch, run, tool
from treaty_codegen.golden import golden

PROGRAMS = ROOT / "compat-tests" / "golden"
RELEASES = ROOT / "schemas" / "releases"
EVENT = "compat.golden.Everything"

Runner = Callable[..., str]

pytestmark = pytest.mark.timeout(2 * SECONDS)


@pytest.fixture
def everything(tmp_path: Path) -> Path:
    """A release of one event with every type there is: the mall's have no floating numbers and no union of records."""
    text = (PROGRAMS / "everything.avsc").read_text(encoding="utf-8")
    folder = tmp_path / "everything"
    folder.mkdir()
    (folder / "set.json").write_text(json.dumps({"events": {EVENT: {"text": text}}}), encoding="utf-8")
    lines = "".join(value.line() for value in golden(EVENT, text, version="1.0.0"))
    (folder / "golden.jsonl").write_text(lines, encoding="utf-8")
    return folder


@pytest.fixture
def folders(everything: Path) -> list[Path]:
    """Every release with golden bytes, and that of one event with everything."""
    return [*sorted(path.parent for path in RELEASES.glob("*/golden.jsonl")), everything]


def javascript(tmp_path: Path) -> Runner:
    node, npm = tool("node"), tool("npm")
    folder = shutil.copytree(PROGRAMS / "javascript", tmp_path / "javascript")
    fetch(npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", "--no-package-lock", folder=folder)
    return lambda *words: run(node, "golden.js", *words, folder=folder)


def go(tmp_path: Path) -> Runner:
    program, compiler = tmp_path / "golden", tool("go")
    fetch(compiler, "mod", "download", folder=PROGRAMS / "go")
    run(compiler, "build", "-mod=readonly", "-o", str(program), ".", folder=PROGRAMS / "go")
    return lambda *words: run(str(program), *words, folder=tmp_path)


def java(tmp_path: Path) -> Runner:
    maven, javac, virtual_machine = tool("mvn"), tool("javac"), tool("java")
    folder = shutil.copytree(PROGRAMS / "java", tmp_path / "java")
    fetch(maven, "-q", "-B", "dependency:copy-dependencies", "-DoutputDirectory=jars", folder=folder)
    run(javac, "-nowarn", "-encoding", "UTF-8", "-cp", "jars/*", "-d", ".", "Golden.java", folder=folder)
    options = ("-Xmx256m", "-XX:TieredStopAtLevel=1", "-cp", ".:jars/*")
    return lambda *words: run(virtual_machine, *options, "Golden", *words, folder=folder)


LANGUAGES = [
    pytest.param(javascript, id="javascript"),
    pytest.param(go, id="go", marks=pytest.mark.long),
    pytest.param(java, id="java", marks=pytest.mark.long),
]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_golden_value_is_read_as_it_was_recorded_and_written_again(
    language: Callable[[Path], Runner], folders: list[Path], tmp_path: Path
) -> None:
    """A map's entries have no order: where a language keeps none, the same entries in another one count too."""
    runner = language(tmp_path)
    told = [json.loads(line) for line in runner(*map(str, folders)).splitlines()]
    assert [each["release"] for each in told] == [folder.name for folder in folders]
    for folder, each in zip(folders, told, strict=True):
        lines = (folder / "golden.jsonl").read_text(encoding="utf-8").count("\n")
        assert each["values"] == each["read"] == each["same_bytes"] + each["reordered"] == lines
        assert each["reordered"] <= with_maps(folder)

    spoil(folders[-1] / "golden.jsonl")
    with pytest.raises(AssertionError, match=rf"everything {EVENT} case 0: reads"):
        runner(str(folders[-1]))


def spoil(file: Path) -> None:
    """Records another value for the first line than its bytes hold."""
    first, *others = file.read_text(encoding="utf-8").split("\n")
    line = json.loads(first)
    line["json"] = line["json"].replace('"long": 0', '"long": 1', 1)
    file.write_text("\n".join([json.dumps(line), *others]), encoding="utf-8")


def with_maps(folder: Path) -> int:
    """How many lines hold a map with more than one entry, told from their events' texts."""
    events = json.loads((folder / "set.json").read_text(encoding="utf-8"))["events"]
    lines = (json.loads(line) for line in (folder / "golden.jsonl").read_text(encoding="utf-8").split("\n") if line)
    return sum('"type":"map"' in events[line["event"]]["text"].replace(" ", "") for line in lines)
