"""What a person sees on a terminal, and what the log of a workflow gets: lines of schemas marked, and nothing of them obeyed."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import shutil
import struct
import subprocess
import sys
import termios
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.treaty.cli.scratch import EVENT, TOPICS, Done, Scratch, changed, project
from tests.treaty.registry.asking import asked
from treaty.registry.testing import registry

FRAME = ' 4 |   "name": "OrderPaid",'
MARKS = "^" * len('"OrderPaid"')
SETS_OUTPUT = "::set-output name=findings::0"
OLD_SETS_OUTPUT = "##[set-output name=findings]0"
ANNOTATION = re.compile(r"\s*::(error|warning|notice) ")


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
    foreign = (line for line in lines if not ANNOTATION.match(line))
    return [line for line in foreign if line.lstrip().startswith("::") or "##[" in line]


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


@pytest.mark.parametrize("format_", ["text", "json", "jsonl", "github", "gitlab", "junit", "sarif", "markdown"])
def test_no_format_of_findings_sets_an_output_of_the_workflow_or_moves_a_cursor(tmp_path: Path, format_: str) -> None:
    evil = f"\x9b2J\u202e{OLD_SETS_OUTPUT}\n{SETS_OUTPUT}"
    scratch = project(tmp_path)
    scratch.write(f"schemas/order/{OLD_SETS_OUTPUT}.avsc", "{")
    scratch.write("schemas/order/order_paid.avsc", EVENT | {"fields": [{"name": "order_id", "type": evil}], "doc": ""})
    done = scratch.run("lint", "--format", format_, GITHUB_ACTIONS="true")
    assert (done.code, "set-output" in done.out) == (1, True)
    assert obeyed(done) == []
    assert not {"\x9b", "\u202e"} & set(done.out + done.err)


def test_a_difference_as_json_sets_no_output_of_the_workflow_and_says_what_it_is(tmp_path: Path) -> None:
    scratch, evil = project(tmp_path), f"\x9b2J\u202e {OLD_SETS_OUTPUT}\n{SETS_OUTPUT}"
    shutil.copytree(tmp_path / "schemas", tmp_path / "older")
    scratch.write("schemas/order/order_paid.avsc", EVENT | {"doc": evil})
    done = scratch.run("diff", "dir:older", "tree", "--format", "json", GITHUB_ACTIONS="true")
    assert evil in [row["after"] for row in json.loads(done.out)["differences"]]
    assert obeyed(done) == []
    assert not {"\x9b", "\u202e"} & set(done.out)


@pytest.mark.parametrize(
    "words", [("settings",), ("readers",), ("readers", "OrderPaid"), ("diff", "dir:schemas", "tree")]
)
def test_no_name_in_the_declarations_moves_a_cursor_or_sets_an_output(tmp_path: Path, words: tuple[str, ...]) -> None:
    evil, old = f"\\u001b[2J\\n{SETS_OUTPUT}", f"\\u001b[2J{OLD_SETS_OUTPUT}"
    consumers = (
        f'[topic."order-events".consumer."{name}"]\nexternal = "{other}"\nreads = ["OrderPaid.*"]\n'
        for name, other in ((evil, old), (old, evil))
    )
    scratch = project(tmp_path, toml=f'[governance]\npii_owner = "{evil}"\n', topics=TOPICS + "".join(consumers))
    done = scratch.run(*words, GITHUB_ACTIONS="true")
    assert "\x1b" not in done.out + done.err
    assert obeyed(done) == []


def test_a_runner_would_obey_both_forms_wherever_they_stand() -> None:
    """What the tests above ask of a log is found in one that has it, beside the other form and behind it too."""
    both = Done(0, f"{OLD_SETS_OUTPUT} a::b\n  {SETS_OUTPUT}", f"::error file=a::b\nx {OLD_SETS_OUTPUT}")
    assert obeyed(both) == [f"{OLD_SETS_OUTPUT} a::b", f"  {SETS_OUTPUT}", f"x {OLD_SETS_OUTPUT}"]


def test_a_foreign_page_of_the_catalogue_sets_no_output_of_the_workflow(tmp_path: Path) -> None:
    scratch = project(tmp_path)
    for name in (OLD_SETS_OUTPUT, "a\x1b[2J\u202eb", f"b\n{SETS_OUTPUT}"):
        scratch.write(f"site/events/{name}.html", "somebody's")
    done = scratch.run("catalog", "build", GITHUB_ACTIONS="true")
    assert (done.code, done.out.count("foreign")) == (1, 3)
    assert obeyed(done) == []
    assert not set("\x1b\u202e") & set(done.out + done.err)


def test_a_subject_of_a_registry_sets_no_output_of_the_workflow(tmp_path: Path) -> None:
    with registry() as url:
        scratch = project(tmp_path, toml=f'[environment.local]\nregistry = "{url}"\n')
        body = {"schema": '"int"'}
        assert asked("POST", f"{url}/subjects/{quote(OLD_SETS_OUTPUT, safe='')}/versions", json=body).status_code == 200
        done = scratch.run("registry", "plan", GITHUB_ACTIONS="true")
    assert "! drift          ##\\[" in done.out
    assert obeyed(done) == []
