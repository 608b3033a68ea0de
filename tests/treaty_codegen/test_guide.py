"""What docs/guide says is what happens: its blocks run and are typed, its commands answer so, its rules find the changes."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest

from tests.cases.markdown import ROOT, cases, expect
from tests.cases.python_pages import python_of, run_python
from tests.treaty_codegen.generated import imported
from treaty_codegen import load_catalog
from treaty_codegen.breaking import ALL_RULES, breaking
from treaty_codegen.old_set import old_set

SDK: Final = ROOT / "docs/guide/sdk.md"
GENERATOR: Final = ROOT / "docs/guide/generator.md"
PACKAGES: Final = ("sdk", "platform/avro", "codegen")

MONEY: Final = {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}
TWO: Final = {"type": "enum", "name": "Side", "symbols": ["UNKNOWN", "LEFT"], "default": "UNKNOWN"}
THREE: Final = {**TWO, "symbols": ["UNKNOWN", "LEFT", "RIGHT"]}
CHANGES: Final[dict[str, tuple[dict[str, Any] | None, dict[str, Any] | None]]] = {
    "a field is added, with a default": (None, {"name": "x", "type": "int", "default": 0}),
    "a field is added without default": (None, {"name": "x", "type": "int"}),
    "a field is removed": ({"name": "x", "type": "int", "default": 0}, None),
    "a field is renamed, with an alias": (
        {"name": "x", "type": "int", "default": 0},
        {"name": "y", "type": "int", "default": 0, "aliases": ["x"]},
    ),
    "a type is promoted (int to long)": ({"name": "x", "type": "int"}, {"name": "x", "type": "long"}),
    "a type is changed otherwise": ({"name": "x", "type": "int"}, {"name": "x", "type": "string"}),
    "the scale of a decimal": ({"name": "x", "type": MONEY}, {"name": "x", "type": {**MONEY, "scale": 4}}),
    "the unit of a timestamp": (
        {"name": "x", "type": {"type": "long", "logicalType": "timestamp-millis"}},
        {"name": "x", "type": {"type": "long", "logicalType": "timestamp-micros"}},
    ),
    "a symbol is added": ({"name": "x", "type": TWO}, {"name": "x", "type": THREE}),
    "a symbol is removed": ({"name": "x", "type": THREE}, {"name": "x", "type": TWO}),
    "null is allowed": ({"name": "x", "type": "int"}, {"name": "x", "type": ["int", "null"]}),
    "a default changes": ({"name": "x", "type": "int", "default": 0}, {"name": "x", "type": "int", "default": 1}),
    "a doc, unit, tag or deprecation": (
        {"name": "x", "type": "int", "doc": "One."},
        {"name": "x", "type": "int", "doc": "Two.", "treaty": {"deprecated": {"since": "1.4.0", "use": "y"}}},
    ),
}


def catalog(field: dict[str, Any] | None) -> Any:
    """One event on one topic, with or without the field."""
    event = {
        "type": "record",
        "namespace": "shop.order",
        "name": "OrderPaid",
        "fields": [{"name": "id", "type": "long"}],
    }
    if field is not None:
        event["fields"].append(field)  # type: ignore[attr-defined]  # the list above
    topics = 'format = 1\n[topic.orders]\ndoc = "."\nowner = "@a"\nevents = ["shop.order.OrderPaid"]\n'
    return load_catalog({"order/order_paid.avsc": json.dumps(event)}, topics=topics)


def rows() -> dict[str, set[str]]:
    """The page's table of changes: what changes, and the rules that it names."""
    section = SDK.read_text(encoding="utf-8").partition("## What a change")[2]
    cells = [line.split("|") for line in section.splitlines() if line.startswith("| ")][1:]
    return {row[1].strip(): set(re.findall(r"`([\w-]+)`", row[4])) for row in cells}


def test_every_python_block_of_the_guide_runs() -> None:
    assert run_python(SDK, {"__name__": "guide"}) > 10


def test_the_guides_python_is_typed(tmp_path: Path) -> None:
    """What a reader copies is clean under mypy --strict."""
    page = tmp_path / "guide.py"
    page.write_text(python_of(SDK), encoding="utf-8")
    words = [
        sys.executable,
        "-m",
        "mypy",
        "--strict",
        "--config-file",
        os.devnull,
        "--cache-dir",
        str(tmp_path / "cache"),
    ]
    paths = os.pathsep.join(str(ROOT / package / "src") for package in PACKAGES)
    done = subprocess.run(
        [*words, str(page)], env={**os.environ, "MYPYPATH": paths}, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_of_the_table_is_found_by_the_rules_that_it_names(change: str) -> None:
    (named,) = [rules for told, rules in rows().items() if change in told]
    old, new = (catalog(field) for field in CHANGES[change])
    found = {row.rule for row in breaking(new, [old_set(old, label="release 1.0.0")])} - {"doc-changed"}
    assert named <= set(ALL_RULES)
    assert bool(found) == bool(named), found
    assert not named or named & found, f"{change}: found by {found}, not by {named}"


def test_every_change_of_the_table_is_tried() -> None:
    assert all(any(change in told for change in CHANGES) for told in rows())


@pytest.mark.snapshot
def test_the_generators_page_answers_as_it_shows(tmp_path: Path) -> None:
    """Files are written, commands are run in order, then Python imports what was generated."""
    environment = {**os.environ, "COLUMNS": "100"}
    for case in cases(GENERATOR):
        for block in case.of("avsc"):
            (tmp_path / block.argument).write_text(block.text, encoding="utf-8")
        for block in case.of("console"):
            command = block.text.splitlines()[0]
            words = [sys.executable, *command.removeprefix("$ python ").split()]
            done = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
            tail = f"exit {done.returncode}\n" if done.returncode else ""
            expect(case, block, f"{command}\n{done.stdout}{done.stderr}{tail}")
        for block in case.of("help"):
            words = [sys.executable, "-m", "treaty_codegen", "--help"]
            shown = subprocess.run(words, env=environment, capture_output=True, text=True, check=True).stdout
            # Where lines are wrapped differs from Python to Python.
            expect(case, block, block.text if shown.split() == block.text.split() else shown)
    with imported(tmp_path / "sdk/src", package="shop_events"):
        assert run_python(GENERATOR, {"__name__": "guide"}) == 1


def test_every_test_that_the_evidence_names_exists() -> None:
    page = (ROOT / "docs/guide/evidence.md").read_text(encoding="utf-8")
    named = re.findall(r"`((?:tests/[\w/]+/)?test_\w+\.py)(?:::(\w+))?`", page)
    assert len(named) > 20
    for file, test in named:
        path = ROOT / file if "/" in file else Path(__file__).parent / file
        assert path.is_file(), file
        assert not test or f"\ndef {test}(" in path.read_text(encoding="utf-8"), f"{file}::{test}"


@pytest.mark.parametrize(
    "page", [*sorted((ROOT / "docs/guide").glob("*.md")), ROOT / "docs/cli/generate.md"], ids=lambda page: page.name
)
def test_links_of_a_guide_lead_to_something(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"
