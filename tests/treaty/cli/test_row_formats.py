"""Facts without a verdict (``diff``, ``doctor``, ``readers`` …) are the same in every format, on the screen and in a file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.treaty.cli.scratch import TOPICS, Done, Scratch, changed, project

READER = """
[topic."order-events".consumer.billing-service]
service = "billing"
[service.billing]
owner = "@mall/billing"
code = "services/billing"
"""
CODE = "from events.order import OrderPaid\ndef f(event: OrderPaid):\n    event.note\n    return event\n"
COMMANDS = {
    "diff": ("differences", "diff", "dir:older", "tree"),
    "doctor": ("checks", "doctor"),
    "readers": ("readers", "readers", "OrderPaid"),
    "owners": ("owners", "owners"),
    "settings": ("settings", "settings"),
    "topics list": ("topics", "topics", "list"),
}
QUICK = ["diff", "readers", "owners", "settings", "topics list"]
"""Those that ask nobody who could be away."""


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Scratch:
    """A project with a change since ``older``, a reader, a line after which nobody knows, and a registry that is away."""
    toml = 'package = "events"\n[environment.local]\nregistry = "http://127.0.0.1:1"\n'
    made = project(tmp_path_factory.mktemp("rows"), toml=toml, topics=TOPICS + READER)
    made.write("older/order/order_paid.avsc", (made.root / "schemas/order/order_paid.avsc").read_bytes())
    made.write("older/topics.toml", (made.root / "schemas/topics.toml").read_bytes())
    made.write("schemas/order/order_paid.avsc", changed(extra="int"))
    made.write("services/billing/handlers.py", CODE)
    return made


def asked(scratch: Scratch, command: str, *options: str) -> tuple[str, Done]:
    name, *words = COMMANDS[command]
    return name, scratch.run(*words, *options)


@pytest.mark.parametrize("command", QUICK)
def test_every_format_has_the_same_rows_and_the_same_exit_code(scratch: Scratch, command: str) -> None:
    name, one = asked(scratch, command, "--format", "json")
    document = json.loads(one.out)
    assert list(document) == ["version", name, "summary"]
    rows = document[name]
    assert rows
    _, lines = asked(scratch, command, "--format", "jsonl")
    assert [json.loads(line) for line in lines.out.splitlines()] == rows
    _, table = asked(scratch, command, "--format", "markdown")
    assert len(table.out.splitlines()) == len(rows) + 2
    _, plain = asked(scratch, command)
    assert one.code == lines.code == table.code == plain.code
    assert one.err == lines.err == table.err == plain.err, "what is said beside the rows is the same"


@pytest.mark.parametrize("command", QUICK)
@pytest.mark.parametrize("format_", ["text", "json", "jsonl", "markdown"])
def test_a_file_gets_what_the_screen_would(scratch: Scratch, tmp_path: Path, command: str, format_: str) -> None:
    file = tmp_path / "rows"
    _, shown = asked(scratch, command, "--format", format_)
    _, written = asked(scratch, command, "--format", format_, "--output", str(file))
    assert (written.code, written.out, written.err) == (shown.code, "", shown.err)
    assert file.read_text(encoding="utf-8") == shown.out


def test_what_the_doctor_says_is_one_document_and_one_row_a_line(scratch: Scratch, tmp_path: Path) -> None:
    """Its rows take time and their words may differ by then: what they are about does not."""
    _, one = asked(scratch, "doctor", "--format", "json")
    document = json.loads(one.out)
    assert one.code == 1
    states = [row["state"] for row in document["checks"]]
    assert document["summary"] == {"ok": states.count("ok"), "failed": states.count("failed")}
    file = tmp_path / "rows"
    _, lines = asked(scratch, "doctor", "--format", "jsonl", "--output", str(file))
    assert (lines.code, lines.out) == (1, "")
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert [(row["name"], row["state"]) for row in rows] == [(row["name"], row["state"]) for row in document["checks"]]
    tcp = next(row for row in rows if row["name"] == "TCP")
    assert tcp["detail"] == "no connection to 127.0.0.1:1 (Connection refused)"


def test_the_doctor_speaks_chinese_where_it_is_asked_to(scratch: Scratch) -> None:
    done = scratch.run("doctor", "--lang", "zh")
    lines = done.out.splitlines()
    tcp = next(number for number, line in enumerate(lines) if line.startswith("failed  TCP"))
    assert "无法连接 127.0.0.1:1" in lines[tcp]
    assert lines[tcp + 1].strip() == "下一步: treaty up"


def test_what_is_said_beside_the_rows_is_said_in_chinese_too(scratch: Scratch) -> None:
    assert scratch.run("diff", "dir:older", "--lang", "zh").err.endswith("older → 工作区：1 处不同\n")
    assert scratch.run("readers", "OrderPaid.extra", "--service", "billing", "--lang", "zh").out.startswith("declared")
    stale = scratch.run("owners", "--check", "--lang", "zh")
    assert (stale.code, stale.err) == (
        1,
        ".github/CODEOWNERS 与模式不一致。\n  下一步: treaty owners --write .github/CODEOWNERS\n",
    )


def test_a_stale_file_of_owners_is_told_to_programs_too(scratch: Scratch) -> None:
    done = scratch.run("owners", "--check", "--format", "json")
    assert (done.code, json.loads(done.out)["summary"]) == (1, {"is_fresh": False})


def test_a_format_for_findings_is_refused_with_those_that_are_there(scratch: Scratch) -> None:
    done = scratch.run("diff", "dir:older", "--format", "sarif")
    assert done.code == 2
    assert "'text', 'json', 'jsonl', 'markdown'" in done.err


@pytest.mark.parametrize("command", list(COMMANDS))
def test_a_shell_completes_the_formats(scratch: Scratch, command: str) -> None:
    words = f"treaty {command} --format "
    done = scratch.run(_TREATY_COMPLETE="bash_complete", COMP_WORDS=words, COMP_CWORD=str(len(words.split())))
    assert [line.removeprefix("plain,") for line in done.out.splitlines()] == ["text", "json", "jsonl", "markdown"]
