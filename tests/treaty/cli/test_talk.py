"""``-q``, ``-v`` and ``--color``, on a command that finds something."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from tests.treaty.cli.scratch import Scratch, changed, process, project
from treaty import __version__
from treaty.cli.outcome import run
from treaty.cli.talk import aloud, talk_options

RED = "\x1b[31;1mrecord-without-doc\x1b[0m"


@pytest.fixture
def scratch(tmp_path: Path) -> Scratch:
    made = project(tmp_path)
    made.write("schemas/order/order_paid.avsc", changed(total="long") | {"doc": ""})
    return made


def test_quiet_leaves_results_and_nothing_beside_them(scratch: Scratch) -> None:
    loud, quiet = scratch.run("lint"), scratch.run("lint", "-q")
    assert (quiet.code, quiet.out, quiet.err) == (1, loud.out, "")
    assert loud.err.startswith("Checked 1 schema")


def test_quiet_hides_no_fault(scratch: Scratch) -> None:
    done = scratch.run("lint", "--quiet", "--config", "nowhere.toml")
    assert done.code == 2
    assert "nowhere.toml" in done.err


def test_closed_streams_are_no_fault_of_ours(scratch: Scratch) -> None:
    asked = f"{sys.executable} -m treaty"
    for words, code in (
        ("lint >&-", 1),
        ("lint 2>&-", 1),
        ("settings >&-", 0),
        ("registry users add ann <&-", 2),
    ):
        done = process(["sh", "-c", f"{asked} {words}"], scratch.root, {})
        assert (words, done.code, "bug" in done.err) == (words, code, False)


def test_a_findings_file_is_whole_or_as_it_was(scratch: Scratch) -> None:
    file = scratch.write("out/findings.json", "as it was")
    inode = file.stat().st_ino
    assert scratch.run("lint", "--format", "json", "--output", str(file)).code == 1
    assert json.loads(file.read_text(encoding="utf-8"))["summary"]["error"] == 2
    assert file.stat().st_ino != inode, "written aside, then renamed"
    assert [each.name for each in file.parent.iterdir()] == ["findings.json"]


def test_a_bug_says_version_and_command_and_leaves_secrets_out(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    @click.group()
    def group() -> None:
        pass

    @group.command()
    def failing() -> None:
        raise ZeroDivisionError("by nothing")

    monkeypatch.setattr(sys, "argv", ["treaty", "failing"])
    assert run(group, debug=False) == 4
    said = capsys.readouterr().err
    assert said.startswith(
        f"treaty: this is a bug in treaty {__version__}, command treaty failing …: ZeroDivisionError: by nothing\n"
    )
    report = Path(said.rpartition("report it with ")[2].strip())
    assert f"treaty {__version__}" in report.read_text(encoding="utf-8")
    report.unlink()


def test_quiet_hides_no_question() -> None:
    @click.command()
    @talk_options
    def asking() -> None:
        click.echo("talk", err=True)
        with aloud():
            click.echo("really?", err=True)

    assert CliRunner().invoke(asking, ["-q"]).stderr == "really?\n"


def test_verbose_says_which_project_it_is_and_how_long_it_took(scratch: Scratch) -> None:
    done = scratch.run("lint", "-v")
    assert done.err.startswith("Project: ")
    assert done.err.splitlines()[-1].startswith("Took ")


def test_colours_are_for_terminals_unless_they_are_asked_for(scratch: Scratch) -> None:
    assert "\x1b" not in scratch.run("lint").out
    assert "\x1b" not in scratch.run("lint", "--color", "never").out
    assert RED in scratch.run("lint", "--color", "always").out


def test_data_for_machines_has_no_colour_and_no_color_wins(scratch: Scratch) -> None:
    assert "\x1b" not in scratch.run("lint", "--color", "always", "--format", "json").out
    assert "\x1b" not in scratch.run("lint", "--color", "always", NO_COLOR="1").out
