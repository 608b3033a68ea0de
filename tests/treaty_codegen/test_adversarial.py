"""Three hundred hostile catalogs: each becomes importable code or is clearly refused, nothing runs, no neighbour changes."""

from __future__ import annotations

import builtins
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import TypeAlias

import pytest

from tests.treaty_codegen.adversarial import CASES, NEIGHBOUR, NEIGHBOUR_PATH, Case, adversarial
from tests.treaty_codegen.checkers import AVRO, ROOT
from treaty_avro import SchemaError
from treaty_codegen import CatalogError, EmitError, SdkSettings, emit_sdk, load_catalog, publish
from treaty_codegen.names import DEVICES

pytestmark = [pytest.mark.long, pytest.mark.xdist_group("adversarial")]

REFUSALS = (SchemaError, CatalogError, EmitError)
Generated: TypeAlias = tuple[dict[PurePosixPath, bytes], dict[str, str]]
"""The files of an SDK, and the published texts by full name."""
Outcome: TypeAlias = tuple[Case, Generated | Exception]

NEIGHBOURS = ("__init__.py", "_plain.py", "_plain_avsc.py")


def settings(case: Case) -> SdkSettings:
    """A package of its own for each case, so that one process can import all."""
    return SdkSettings(package=f"case_{case.name[:3]}", distribution="case", namespace="test")


def generate(case: Case) -> Generated | Exception:
    """The files, and the published text of each type at the top of a file; or why there are none."""
    try:
        catalog = load_catalog(case.files, topics=case.topics)
        return emit_sdk(catalog, settings(case)), {name: publish(file) for name, file in catalog.by_name.items()}
    except REFUSALS as error:
        return error


@pytest.fixture(scope="module")
def outcomes() -> list[Outcome]:
    """What became of each case."""
    return [(case, generate(case)) for case in adversarial()]


def test_the_cases_are_the_same_each_time_and_mostly_legal(outcomes: list[Outcome]) -> None:
    assert [case for case, _ in outcomes] == list(adversarial())
    assert len({case.name for case, _ in outcomes}) == CASES
    refused = [case.name for case, outcome in outcomes if isinstance(outcome, Exception)]
    assert 30 <= len(refused) <= 80, refused


def test_a_refusal_is_one_readable_line_that_names_the_file(outcomes: list[Outcome]) -> None:
    for case, outcome in outcomes:
        if isinstance(outcome, Exception):
            text = str(outcome)
            assert text.isprintable(), (case.name, text)
            assert len(text) <= 2_500, (case.name, len(text))
            assert getattr(outcome, "path", "") in {*case.files, "topics.toml"}, (case.name, text)


def test_every_file_can_be_written_on_every_system(outcomes: list[Outcome]) -> None:
    for case, outcome in outcomes:
        if isinstance(outcome, tuple):
            paths = list(outcome[0])
            assert len({str(path).casefold() for path in paths}) == len(paths), case.name
            parts = {part for path in paths for part in path.parts}
            assert max(map(len, parts)) <= 120, case.name
            assert not [part for part in parts if part.partition(".")[0].casefold() in DEVICES], case.name
            assert all(re.fullmatch(r"[A-Za-z0-9_.]+", part) for part in parts), case.name


def test_a_neighbour_is_generated_as_if_it_were_alone(outcomes: list[Outcome]) -> None:
    for case, outcome in outcomes:
        if isinstance(outcome, tuple):
            files, _ = outcome
            topics = case.topics and case.topics.partition("[topic.things]")[0]
            alone = Case(name=case.name, files={NEIGHBOUR_PATH: json.dumps(NEIGHBOUR)}, topics=topics)
            wanted = generate(alone)
            assert isinstance(wanted, tuple)
            for name in NEIGHBOURS:
                path = PurePosixPath("src", settings(case).package, "neighbour", name)
                assert files[path] == wanted[0][path], (case.name, name)


def write(generated: Iterable[Generated], *, to: Path) -> None:
    """All packages in one folder, and the list of them."""
    listed = []
    for files, texts in generated:
        for path, data in files.items():
            target = to / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
        packages = sorted(path.parent for path in files if path.name == "__init__.py")
        listed.append([[".".join(path.relative_to("src").parts) for path in packages], texts])
    (to / "cases.json").write_text(json.dumps(listed), "utf-8")


@pytest.fixture(scope="module")
def written(outcomes: list[Outcome], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packages of all cases that are not refused."""
    folder = tmp_path_factory.mktemp("adversarial")
    write((outcome for _, outcome in outcomes if isinstance(outcome, tuple)), to=folder)
    return folder


def imported(folder: Path) -> subprocess.CompletedProcess[str]:
    """One process that imports everything in a folder, and says what else happened."""
    program = ("-W", "error", "-B", "-m", "tests.treaty_codegen.adversarial_import", str(folder / "cases.json"))
    path = [str(folder / "src"), str(ROOT), str(AVRO)]
    return subprocess.run(
        [sys.executable, *program],
        env={"PYTHONPATH": os.pathsep.join(path)},
        check=False,
        capture_output=True,
        text=True,
        cwd=folder,
    )


@pytest.mark.timeout(300)
def test_what_is_generated_imports_and_works_and_nothing_of_it_runs(written: Path) -> None:
    done = imported(written)
    assert done.returncode == 0, done.stderr
    assert done.stdout == done.stderr == ""
    assert not hasattr(builtins, "treaty_was_here")


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("open('x', 'w').close()", "open('x', 'w'"),
        ("import os; os.close(os.open('x', os.O_CREAT))", "open('x', None"),
        ("import os; os.system('true')", "os.system"),
        ("import builtins; builtins.treaty_was_here = True", "builtins.treaty_was_here changed"),
        ("import typing; typing.final = None", "typing.final changed"),
        ("Plain.__repr__ = lambda self: ''", "AssertionError"),
    ],
)
def test_the_witness_would_notice(line: str, says: str, tmp_path: Path) -> None:
    neighbour = Case(name="000", files={NEIGHBOUR_PATH: json.dumps(NEIGHBOUR)})
    outcome = generate(neighbour)
    assert isinstance(outcome, tuple)
    write([outcome], to=tmp_path)
    with (tmp_path / "src/case_000/neighbour/_plain.py").open("a") as module:
        module.write(f"{line}\n")
    done = imported(tmp_path)
    assert done.returncode == 1
    assert says in done.stderr
