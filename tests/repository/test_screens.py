"""What a command says of somebody else's words goes through the door that makes them harmless."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.cases.markdown import ROOT

COMMANDS = ROOT / "platform/tool/src/treaty/cli"
ESCAPED = {"json.dumps", "harmless", "no_command"}
REASONS = {
    "completion.py": "The script that a shell runs, made of the commands' own names.",
    "explain.py": "Pages of the tool itself.",
    "harmless.py": "The door.",
    "talk.py": "Seconds.",
    "ci.py": "The comment for a pull request: Markdown that is escaped as such, and read from a file.",
    "findings.py": "A number in a sentence of our own.",
    "waive.py": "A table for treaty.toml, of rules that exist.",
    "generate.py": "Numbers.",
    "lint.py": "Numbers, and the file that the person named.",
    "cache.py": "Numbers, and the folder that the person named.",
}
"""Who prints a text that it made with click alone, and why nobody outside has a word in it."""


def bare(path: Path) -> Iterator[int]:
    """Lines in which click prints something that does not stand there, and nothing made it harmless."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="click"), attr="echo" | "secho"), args=[text, *_]) if (
                not isinstance(text, ast.Constant)
            ):
                if not (isinstance(text, ast.Call) and ast.unparse(text.func) in ESCAPED):
                    yield node.lineno


def test_commands_print_what_is_not_theirs_through_one_door() -> None:
    found = {path.name: list(bare(path)) for path in sorted(COMMANDS.rglob("*.py"))}
    assert {name: lines for name, lines in found.items() if lines and name not in REASONS} == {}


def test_a_name_that_is_printed_as_it_is_is_noticed(tmp_path: Path) -> None:
    file = tmp_path / "wrong.py"
    file.write_text('click.echo("a")\nclick.echo(f"{a}")\nclick.echo(a)\nclick.echo(harmless(a))\necho(a)\n')
    assert list(bare(file)) == [2, 3]
