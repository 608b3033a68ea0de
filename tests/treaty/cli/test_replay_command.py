"""``treaty replay``: what it hands to the service's own program, and what it refuses before anything runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.treaty.cli.scratch import Scratch, project

COMMAND = '[local]\nservice = "python -m shop {service}"\n'


@pytest.fixture
def scratch(tmp_path: Path) -> Scratch:
    return project(tmp_path / "project", toml=COMMAND)


def test_the_services_program_gets_what_was_asked(scratch: Scratch) -> None:
    done = scratch.run("replay", "order", "--from", "@-2h", "--topic", "order-events", "--external", "--dry-run")
    assert (done.code, done.err) == (0, "")
    assert done.out.endswith("-m shop order replay --from @-2h --to end --topic order-events --external\n")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--from", "soon"], "`soon` is no place"),
        (["--from", "shift:-50"], "no place of its own to shift from"),
        (["--from", "start", "--to", "shift:+50"], "no place of its own to shift from"),
    ],
)
def test_places_that_a_replay_does_not_have_are_refused(scratch: Scratch, words: list[str], said: str) -> None:
    done = scratch.run("replay", "order", *words, "--dry-run")
    assert (done.code, done.out) == (2, "")
    assert said in done.err


def test_without_a_program_it_says_how_to_name_one(tmp_path: Path) -> None:
    done = project(tmp_path / "project").run("replay", "order", "--from", "start")
    assert done.code == 2
    assert 'service = "python -m shop {service}"' in done.err


def test_a_program_that_is_killed_is_told_and_no_code_of_its_own(tmp_path: Path) -> None:
    killed = "python -c 'import os, signal; os.kill(os.getpid(), signal.SIGKILL)' {service}"
    done = project(tmp_path / "project", toml=f'[local]\nservice = "{killed}"\n').run(
        "replay", "order", "--from", "start"
    )
    assert (done.code, "was ended by signal 9" in done.err) == (3, True), done.err
