"""Variables that begin like ours: which there are, and what a misspelt one was to be."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from tests.cases.markdown import ROOT
from tests.treaty.cli.scratch import process, project
from treaty.variables import strangers

NAME = re.compile(r"\bTREATY_[A-Z0-9_]+[A-Z0-9]\b")
READERS = ("platform", "services", "codegen", "bench", "scripts", "tests", ".github", "Makefile", ".ci")
EXAMPLES = {"TREATY_LNT__USE", "TREATY_VAR", "TREATY_CAHCE", "TREATY_LINT__USES", "TREATY_PROJECT__SCHEMA"} | {
    "TREATY_SOMETHING_ELSE_ALTOGETHER"
}


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("TREATY_LINT__USES", ": did you mean TREATY_LINT__USE?"),
        ("TREATY_PROJECT__SCHEMA", ": did you mean TREATY_PROJECT__SCHEMAS?"),
        ("TREATY_CAHCE", ": did you mean TREATY_CACHE?"),
        ("TREATY_ENVIRONMENT_PROD__BROKER", ": did you mean TREATY_ENVIRONMENT_PROD__BROKERS?"),
        ("TREATY_ENVIRONMENT_PORD__BROKERS", ": did you mean TREATY_ENVIRONMENT_PROD__BROKERS?"),
        ("TREATY_SOMETHING_ELSE_ALTOGETHER", "; docs/settings.md lists what is read."),
    ],
)
def test_a_variable_that_nothing_reads_is_named_with_what_it_was_to_be(name: str, told: str) -> None:
    assert list(strangers({name: "secret"}, environments=["prod"])) == [f"{name} is set, and nothing reads it{told}"]


@pytest.mark.parametrize(
    "name",
    [
        "TREATY_LINT__USE",
        "TREATY_ENVIRONMENT_PROD__REGISTRY_TOKEN",
        "TREATY_ENVIRONMENT_SANDBOX__BROKERS",
        "TREATY_VAR_HOST",
        "TREATY_TEST_KAFKA",
        "TREATED_AS",
        "PATH",
    ],
)
def test_what_is_read_and_what_may_be_another_projects_is_not(name: str) -> None:
    assert list(strangers({name: "x"}, environments=["prod"])) == []


def test_every_variable_that_this_repository_reads_is_known() -> None:
    found: set[str] = set()
    for reader in READERS:
        paths = [ROOT / reader] if (ROOT / reader).is_file() else (ROOT / reader).rglob("*")
        for path in paths:
            if path.is_file() and path.suffix in {".py", ".sh", ".yml", ".js", ""} and "__pycache__" not in path.parts:
                found |= set(NAME.findall(path.read_text(encoding="utf-8", errors="replace")))
    named = {name: "" for name in found if not name.startswith("TREATY_ENVIRONMENT")}
    assert {sentence.split()[0] for sentence in strangers(named)} <= EXAMPLES


def test_a_command_tells_of_it_once_on_stderr_and_goes_on(tmp_path: Path) -> None:
    scratch = project(tmp_path)
    done = scratch.run("settings", TREATY_LNT__USE="minimal")
    assert (done.code, done.err.count("did you mean TREATY_LINT__USE?")) == (0, 1)
    assert "minimal" not in done.out + done.err
    assert scratch.run("settings", "-q", TREATY_LNT__USE="minimal").err == ""


def test_a_line_break_in_a_variables_name_says_no_line_of_its_own(tmp_path: Path) -> None:
    env = {"TREATY_X\n::error::all is lost": "1", "GITHUB_ACTIONS": "true"}
    done = process([sys.executable, "-m", "treaty", "settings"], project(tmp_path).root, env)
    told = [line for line in done.err.splitlines() if "all is lost" in line]
    assert len(told) == 1, done.err
    assert told[0].startswith("TREATY_X\\n::error::")
