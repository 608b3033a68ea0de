"""Each promise has its line and its tests, and every test that a line names is there."""

from __future__ import annotations

import re

import pytest

from tests.cases.markdown import ROOT

PAGE = ROOT / "docs/guide/promises.md"
RELIABILITY = [
    "R1", "R1b", "R2", "R2b", "R3", "R3b", "R4", "R4b", "R4c", "R5", "R5b", "R6", "R6b", *(f"R{number}" for number in range(7, 20)),
]  # fmt: skip
SECURITY = [f"S{number}" for number in range(1, 23)]
ROW = re.compile(r"^\| ([RS]\d+[a-c]?) \| (.+?) \| (.+?) \|$", re.MULTILINE)


def rows() -> dict[str, str]:
    return {name: tests for name, _, tests in ROW.findall(PAGE.read_text(encoding="utf-8"))}


def test_every_promise_has_its_line_in_order() -> None:
    assert list(rows()) == [*RELIABILITY, *SECURITY]


@pytest.mark.parametrize("name", [*RELIABILITY, *SECURITY])
def test_a_promise_names_tests_that_exist(name: str) -> None:
    named = re.findall(r"`([^`]+)`", rows()[name])
    assert named, f"{name} names no test"
    for place in named:
        path, _, function = place.partition("::")
        file = ROOT / path
        assert file.is_file(), f"{name}: there is no {path}"
        text = file.read_text(encoding="utf-8")
        assert not function or re.search(rf"^\s*(async )?def {function}\(", text, re.MULTILINE), (
            f"{name}: {path} has no {function}"
        )


def test_the_evidence_of_the_runtime_names_tests_that_exist() -> None:
    text = (ROOT / "docs/guide/evidence-runtime.md").read_text(encoding="utf-8")
    sources = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests/treaty_runtime").glob("*.py"))
    for name in re.findall(r"`(test_\w+)`", text):
        assert f"def {name}(" in sources, name
    for path, _, name in re.findall(r"`(tests/[\w/]+\.py)(::(\w+))?`", text):
        assert (ROOT / path).is_file(), path
        assert not name or f"def {name}(" in (ROOT / path).read_text(encoding="utf-8"), f"{path}::{name}"
