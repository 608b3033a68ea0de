"""What is told again is what was judged, byte for byte: over the table of schema changes, and over the pages of all lint rules."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cases.markdown import ROOT, Case, cases
from tests.treaty.cli.scratch import Scratch
from tests.treaty.ops.remembering import MARK, RELEASES, TODAY, Remembering, beside, printed
from tests.treaty_codegen.change_row import Row
from tests.treaty_codegen.schema_changes import rows
from tests.treaty_codegen.schema_texts import event, topics
from treaty.ops.baseline import set_document
from treaty.ops.cache import checks
from treaty.ops.cache.outcomes import outcome_of
from treaty.ops.outcome import Outcome
from treaty_codegen import load_catalog
from treaty_codegen.breaking import breaking
from treaty_codegen.finding import (
    Edit,
    Finding,
    Fix,
    Location,
    Operation,
    Proof,
    Reader,
    Severity,
    Text,
)
from treaty_codegen.lint import ALL_RULES
from treaty_codegen.old_set import old_set

pytestmark = pytest.mark.long

FULL = Finding(
    rule="r",
    severity=Severity.WARNING,
    category="wire",
    at=Location(path="p", line=2, column=3, end_line=4, end_column=5, pointer="/fields/0"),
    message=Text("`{a}` {{}} \ud800 \U0001f600", {"a": "{a}\n\x1b"}),
    fingerprint="0123456789abcdef",
    help=Text("h", {}),
    event="e",
    subject="s",
    against="release 1.0.0",
    affects=("a", "b"),
    proof=Proof(value="v", hex="00", writer="w", reader="r", read_as="1", error="x", python="y"),
    readers=(Reader(service="s", file="f", line=7, why="w", exhaustive=True),),
    fix=Fix(
        path="p",
        operations=(
            Operation(op="add", path="/a", value={"z": [1, 2.5, None, True], "a": "b"}),
            Operation(op="move", path="/b", from_="/c"),
        ),
        edits=(Edit(line=1, column=2, end_line=3, end_column=4, text="t"),),
        rename_to="q",
    ),
    waived=Text("w {by}", {"by": "me"}),
)


def again(outcome: Outcome, tmp_path: Path, project: Remembering) -> Outcome:
    """The outcome out of the form in which it is kept."""
    body = checks.entry(project.settings(), outcome, (), "0")
    assert body is not None
    return outcome_of(json.loads(body)["outcome"], root=tmp_path)


@pytest.fixture
def empty(tmp_path: Path) -> Remembering:
    scratch = Scratch(tmp_path)
    scratch.write("treaty.toml", "")
    return beside(scratch, tmp_path / "cache")


def test_every_member_of_a_finding_comes_back(tmp_path: Path, empty: Remembering) -> None:
    made = Outcome(findings=(FULL,), looked_at="all", files=("p", "q"), root=tmp_path)
    assert again(made, tmp_path, empty) == made


def test_every_change_of_the_table_is_told_again_as_it_was_judged(tmp_path: Path, empty: Remembering) -> None:
    told = 0
    for change in rows():
        old, new = (load_catalog(event(each), topics=topics(change.level)) for each in (change.old, change.new))
        found = tuple(breaking(new, [old_set(old, label="release 1.0.0")]))
        judged = Outcome(findings=found, looked_at="1 event", files=tuple(new.files), root=tmp_path)
        kept = again(judged, tmp_path, empty)
        assert kept == judged, change.title
        assert printed(kept) == printed(judged), change.title
        told += len(found)
    assert told > 150


def one_of_each_verdict() -> list[Row]:
    return list({change.verdict: change for change in rows()}.values())


@pytest.mark.parametrize("change", one_of_each_verdict(), ids=lambda change: change.title)
def test_a_change_on_disk_is_told_again_as_it_was_judged(change: Row, tmp_path: Path) -> None:
    scratch = Scratch(tmp_path / "project")
    scratch.write("treaty.toml", '[project]\nnamespace = "mall"\n')
    released = old_set(load_catalog(event(change.old), topics=topics(change.level)), label="")
    document = set_document(released, dict.fromkeys(released.events, "1.0.0"), version="1.0.0")
    scratch.write("schemas/releases/1.0.0/set.json", document)
    scratch.write("schemas/topics.toml", topics(change.level))
    for path, text in event(change.new).items():
        scratch.write(f"schemas/{path}", text)
    same_three_times(beside(scratch, tmp_path))


def same_three_times(project: Remembering) -> None:
    """No cache, an empty one, a full one: the same in every format; and the third was not judged."""
    settings, strict = project.settings(), {"TREATY_LINT__USE": "strict"}
    without = checks.lint(project.settings(strict), drawer=None)
    assert printed(project.lint(env=strict)) == printed(without)
    assert project.lint(env=strict) == without
    broken = checks.breaking(settings, RELEASES, today=TODAY, drawer=None)
    assert printed(project.breaking()) == printed(broken)
    assert project.breaking() == broken
    project.mark()
    assert (project.lint(env=strict).looked_at, project.breaking().looked_at) == (MARK, MARK)


def first_cases() -> Iterator[Case]:
    """The first case of each lint rule's page that finds something."""
    for rule in ALL_RULES:
        page = ROOT / "docs" / "rules" / "lint" / f"{rule.replace('-', '_')}.md"
        yield next(case for case in cases(page) if any(block.text for block in case.of("findings")))


@pytest.mark.parametrize("case", list(first_cases()), ids=lambda case: case.place)
def test_what_a_lint_rule_finds_is_told_again_as_it_was_found(case: Case, tmp_path: Path) -> None:
    scratch = Scratch(tmp_path / "project")
    scratch.write("treaty.toml", '[project]\nnamespace = "mall"\n[lint]\nuse = ["strict"]\n')
    for number, block in enumerate(block for block in case.of("avsc") if block.argument != "released"):
        scratch.write(f"schemas/{block.argument or f'order/part_{number}.avsc'}", block.text)
    for block in case.of("json"):
        scratch.write(f"schemas/{block.argument}", block.text)
    for block in case.of("toml"):
        scratch.write("schemas/waivers.toml" if block.argument == "waivers" else "schemas/topics.toml", block.text)
    project = beside(scratch, tmp_path)
    without = checks.lint(project.settings(), drawer=None)
    assert (project.lint(), project.lint()) == (without, without)
    assert printed(project.lint()) == printed(without)
    project.mark()
    assert project.lint().looked_at == MARK
