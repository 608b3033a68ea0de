"""``treaty explain`` shows the page of a rule, or lists all rules."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from treaty.cli import treaty
from treaty.errors import UsageError
from treaty_codegen.breaking import ALL_RULES
from treaty_codegen.lint import ALL_RULES as LINT_RULES


def run(*words: str) -> Result:
    return CliRunner().invoke(treaty, ["explain", *words], prog_name="treaty")


def test_without_a_name_every_rule_is_listed_once_with_what_it_says() -> None:
    rows = [json.loads(line) for line in run("--format", "jsonl").output.splitlines()]
    assert [row["rule"] for row in rows] == [*LINT_RULES, *ALL_RULES]
    assert all(row["says"].endswith((".", "`")) for row in rows), [row for row in rows if not row["says"]]
    assert len(run().output.splitlines()) == len(rows)
    chinese = run("--lang", "zh").output.splitlines()
    assert (len(chinese), chinese[0].split()[1]) == (len(rows), LINT_RULES[0])


def test_a_page_is_written_to_a_file_as_it_is_shown(tmp_path: Path) -> None:
    shown = run("field-without-doc").output
    assert shown.startswith("# field-without-doc\n")
    assert run("field-without-doc", "--output", str(tmp_path / "page.md")).output == ""
    assert (tmp_path / "page.md").read_text(encoding="utf-8") == shown


def test_an_unknown_rule_is_answered_with_the_nearest_and_how_to_list_them() -> None:
    fault = run("field-without-docs").exception
    assert isinstance(fault, UsageError)
    assert (str(fault), fault.next_step) == (
        "There is no rule `field-without-docs`: did you mean `field-without-doc`?",
        "treaty explain lists them all",
    )


@pytest.mark.parametrize("rule", ["decimal-scale-changed", "ignore-unused", "waiver-expired"])
def test_a_rule_of_any_kind_has_its_page(rule: str) -> None:
    assert run(rule).output.startswith(f"# {rule}\n")
