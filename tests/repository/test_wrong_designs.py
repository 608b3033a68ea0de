"""Each wrong design is in the catalogue, names tests that exist, and has its row on the page; ``make snapshots`` writes it."""

from __future__ import annotations

import ast
from itertools import dropwhile

import pytest

from tests.cases.markdown import ROOT, WRITE
from tests.mutants.designs.catalogue import NAMES, mutant

PAGE = ROOT / "docs/guide/wrong-designs.md"
HEAD = "| design | what is wrong | tests that fail with it |\n|---|---|---|\n"
MACHINERY = {"catalogue", "killing", "mutant", "planting", "test_killing"}


def test_every_design_of_the_catalogue_has_its_module_and_no_other_has() -> None:
    modules = {path.stem for path in (ROOT / "tests/mutants/designs").glob("*.py")}
    assert modules - MACHINERY == {name.replace("-", "_") for name in NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_a_wrong_design_names_tests_that_exist_and_are_asked_for_themselves(name: str) -> None:
    tests = mutant(name).tests
    assert tests, f"{name} names no test"
    for test in tests:
        path, _, function = test.partition("::")
        module = ast.parse((ROOT / path).read_text(encoding="utf-8"))
        names = {each.name for each in module.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)}
        assert function.partition("[")[0] in names, f"{name}: there is no {test}"
        assert "mutants" not in path, f"{name}: {test} is no test of the product"


@pytest.mark.snapshot
def test_the_page_tells_each_wrong_design_and_its_tests() -> None:
    text = PAGE.read_text(encoding="utf-8")
    before, head, rest = text.partition(HEAD)
    assert head, "the page has no table"
    after = "".join(dropwhile(lambda line: line.startswith("|"), rest.splitlines(keepends=True)))
    told = before + head + "".join(map(row, NAMES)) + after
    if WRITE:
        PAGE.write_text(told, encoding="utf-8")
    else:
        assert text == told, "run `make snapshots`"


def row(name: str) -> str:
    told = mutant(name)
    tests = "<br>".join(f"`{test}`" for test in dict.fromkeys(test.partition("[")[0] for test in told.tests))
    return f"| {name} | {told.wrong} | {tests} |\n"
