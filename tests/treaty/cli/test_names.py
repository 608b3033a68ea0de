"""A name that no command has is answered with the nearest, at every depth."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from treaty.cli import treaty


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("regsitry plan", "No command `regsitry`. Did you mean `registry`?"),
        ("format", "No command `format`. Did you mean `fmt`?"),
        ("registry pln", "No command `pln`. Did you mean `plan`?"),
        ("registry users lst", "No command `lst`. Did you mean `list`?"),
        ("topics aply plan.json", "No command `aply`. Did you mean `apply`?"),
        ("groups xyzzy", "No command `xyzzy`. See `treaty groups --help`."),
        ("xyzzy", "No command `xyzzy`. See `treaty --help`."),
    ],
)
def test_an_unknown_command_is_answered_with_the_nearest_and_2(words: str, told: str) -> None:
    done = CliRunner().invoke(treaty, words.split(), prog_name="treaty")
    assert (done.exit_code, done.output.splitlines()[-1]) == (2, f"Error: {told}")
