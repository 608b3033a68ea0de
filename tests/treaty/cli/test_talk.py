"""``-q``, ``-v`` and ``--color``, on a command that finds something."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from tests.treaty.cli.scratch import Scratch, changed, project
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
