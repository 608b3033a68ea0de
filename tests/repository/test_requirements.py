"""Each requirement of the product documents names tests that exist, or says what is missing."""

from __future__ import annotations

import re

import pytest

from tests.cases.markdown import ROOT

PAGE = ROOT / "docs/guide/requirements.md"
ROW = re.compile(r"^\| (?!requirement |---)(.+?) \| ([\d –]+) \| (.+) \|$", re.MULTILINE)
ROWS = ROW.findall(PAGE.read_text(encoding="utf-8"))


def test_every_document_is_there() -> None:
    assert len(ROWS) == PAGE.read_text(encoding="utf-8").count("\n| ") - 1
    assert {document for _, documents, _ in ROWS for document in re.findall(r"\d{3}", documents)} == {
        "000",
        "001",
        "002",
        "003",
        "004",
    }


@pytest.mark.parametrize(("requirement", "told"), [(row[0], row[2]) for row in ROWS])
def test_a_requirement_names_tests_that_exist(requirement: str, told: str) -> None:
    if told.startswith("– "):
        return
    named = re.findall(r"`([^`]+)`", told)
    assert named, f"{requirement}: no test is named"
    for place in named:
        path, _, function = place.partition("::")
        text = (ROOT / path).read_text(encoding="utf-8")
        assert not function or re.search(rf"^(async )?def {function}\(", text, re.MULTILINE), (
            f"{path} has no {function}"
        )
