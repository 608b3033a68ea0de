"""What a person sees on a terminal, and what the log of a workflow gets: lines of schemas marked, and nothing of them obeyed."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from tests.treaty.cli.scratch import EVENT, TOPICS, Done, Scratch, changed, project

FRAME = ' 4 |   "name": "OrderPaid",'
MARKS = "^" * len('"OrderPaid"')
SETS_OUTPUT = "::set-output name=findings::0"
OLD_SETS_OUTPUT = "##[set-output name=findings]0"


@pytest.fixture
def scratch(tmp_path: Path) -> Scratch:
    made = project(tmp_path)
    made.write("schemas/order/order_paid.avsc", changed() | {"doc": ""})
    return made


def on_terminal(scratch: Scratch, *words: str, columns: int = 100, **env: str) -> str:
    """What a real (pseudo) terminal of so many columns gets from the command's stdout."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    kept = {name: value for name, value in os.environ.items() if name not in {"COLUMNS", "LINES", "NO_COLOR"}}
    command = [sys.executable, "-m", "treaty", *words]
    with subprocess.Popen(
        command, cwd=scratch.root, stdout=theirs, stderr=subprocess.DEVNULL, env={**kept, **env}
    ) as running:
        os.close(theirs)
        got = b""
        while True:
            try:
                piece = os.read(ours, 65536)
            except OSError:  # Linux says so when the other side is closed
                break
            if not piece:
                break
            got += piece
        running.wait(timeout=120)
    os.close(ours)
    return got.decode().replace("\r\n", "\n")


def obeyed(done: Done) -> list[str]:
    """Lines that the runner of a workflow would take for a command, those of our own annotations left out."""
    lines = (done.out + "\n" + done.err).splitlines()
    return [line for line in lines if line.lstrip().startswith("::set") or ("##[" in line and "::" not in line)]


def test_a_terminal_shows_the_line_and_its_place_in_colour_or_not(scratch: Scratch) -> None:
    seen = on_terminal(scratch, "lint", GITHUB_ACTIONS="", TERM="xterm")
    assert FRAME in seen
    assert f"\x1b[31;1m{MARKS}\x1b[0m" in seen
    plain = on_terminal(scratch, "lint", GITHUB_ACTIONS="", NO_COLOR="1")
    assert f"{FRAME}\n   |           {MARKS}\n" in plain
    assert "\x1b" not in plain


def test_a_narrow_terminal_cuts_the_line(scratch: Scratch) -> None:
    scratch.write("schemas/order/order_paid.avsc", json.dumps(changed() | {"doc": ""}))
    seen = on_terminal(scratch, "lint", columns=30, GITHUB_ACTIONS="", NO_COLOR="1")
    frames = [line for line in seen.splitlines() if line.startswith((" 1 | ", "   | "))]
    assert len(frames) == 2
    assert all(len(line) <= 30 for line in frames)


def test_a_pipe_gets_lines_alone_unless_it_is_said_to_be_a_pager(scratch: Scratch) -> None:
    assert FRAME not in scratch.run("lint").out
    assert FRAME in scratch.run("lint", "--color", "always").out
    assert (
        scratch.run("lint", "--format", "json", "--color", "always").out == scratch.run("lint", "--format", "json").out
    )


def test_a_finding_in_the_declarations_shows_their_line(scratch: Scratch) -> None:
    scratch.write("schemas/topics.toml", (scratch.root / "schemas/topics.toml").read_text().replace("@mall/orders", ""))
    assert ' 5 | owner = ""' in scratch.run("lint", "--color", "always").out


def test_a_schema_says_nothing_to_the_terminal(scratch: Scratch) -> None:
    evil = "\x9b2J\x7f\u202e"
    event = json.dumps(EVENT | {"doc": evil, "name": "orderPaid"}, ensure_ascii=False)
    scratch.write("schemas/order/order_paid.avsc", event)
    out = scratch.run("lint", "--color", "always", COLUMNS="200").out
    assert "\\x9b2J\\x7f\\u202e" in out
    assert not set(evil) - {"2", "J"} & set(out)


def test_a_stale_file_sets_no_output_of_the_workflow_and_moves_no_cursor(scratch: Scratch) -> None:
    scratch.write("schemas/order/order_paid.avsc", EVENT | {"doc": f"An order was paid.\n{SETS_OUTPUT}"})
    assert scratch.run("generate").code == 0
    made = (scratch.root / "sdk").rglob("*.py")
    file = next(path for path in made if f"\n{SETS_OUTPUT}" in path.read_text().replace("    ", ""))
    file.write_text(file.read_text().replace("An order was paid.", f"\x1b[2J {OLD_SETS_OUTPUT}"))
    done = scratch.run("generate", "--check", GITHUB_ACTIONS="true")
    assert done.code == 1
    assert "\\" + SETS_OUTPUT in done.out
    assert obeyed(done) == []
    assert "\x1b" not in done.out


def test_a_name_of_a_release_sets_no_output_of_the_workflow(scratch: Scratch) -> None:
    version = f"1.0.0\n{SETS_OUTPUT}\n\x1b[2J"
    body = {"version": version, "events": {}, "topics": {}}
    scratch.write("schemas/releases/1.0.0/set.json", body)
    done = scratch.run("breaking", "--against", "releases", GITHUB_ACTIONS="true")
    assert "\\" + SETS_OUTPUT in done.err
    assert obeyed(done) == []
    assert "\x1b" not in done.err


@pytest.mark.parametrize("word", [SETS_OUTPUT, OLD_SETS_OUTPUT])
def test_a_folder_of_schemas_sets_no_output_of_the_workflow(tmp_path: Path, word: str) -> None:
    scratch = project(tmp_path, toml=f'schemas = "{word}"\n')
    scratch.write(f"{word}/topics.toml", (tmp_path / "schemas/topics.toml").read_text())
    scratch.write(f"{word}/order/order_paid.avsc", changed() | {"doc": ""})
    for words in (("lint", "--format", "text"), ("lint",), ("fmt", "--check", "--diff"), ("ci", "--only", "lint")):
        assert obeyed(scratch.run(*words, GITHUB_ACTIONS="true")) == []


def test_a_broken_file_sets_no_output_of_the_workflow(scratch: Scratch) -> None:
    scratch.write(f"schemas/order/{OLD_SETS_OUTPUT}.avsc", "{")
    done = scratch.run("generate", GITHUB_ACTIONS="true")
    assert done.code == 1
    assert obeyed(done) == []


@pytest.mark.parametrize(
    "words", [("settings",), ("readers",), ("readers", "OrderPaid"), ("diff", "dir:schemas", "tree")]
)
def test_no_name_in_the_declarations_moves_a_cursor_or_sets_an_output(tmp_path: Path, words: tuple[str, ...]) -> None:
    evil = f"\\u001b[2J\\n{SETS_OUTPUT} {OLD_SETS_OUTPUT}"
    consumer = f'[topic."order-events".consumer."{evil}"]\nexternal = "{evil}"\nreads = ["OrderPaid.*"]\n'
    scratch = project(tmp_path, toml=f'[governance]\npii_owner = "{evil}"\n', topics=TOPICS + consumer)
    done = scratch.run(*words, GITHUB_ACTIONS="true")
    assert "\x1b" not in done.out + done.err
    assert obeyed(done) == []
