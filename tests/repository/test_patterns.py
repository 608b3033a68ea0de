"""No pattern and no code is made of what somebody typed: what a program matches with or runs stands in its source."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.cases.markdown import ROOT
from tests.repository.test_house import modules

MATCHING = {"compile", "match", "search", "fullmatch", "sub", "subn", "split", "findall", "finditer"}
RUNNING = {"eval", "exec", "compile", "__import__"}
REASONS = {
    "platform/avro/src/treaty_avro/straightline/compiled.py: exec": (
        "The codec's own source: validated names and literals only (tests/treaty_codegen/test_emit_hostile.py, test_codec.py)."
    ),
    "platform/avro/src/treaty_avro/straightline/compiled.py: compile": "See exec.",
    "codegen/src/treaty_codegen/breaking/unit_changed.py: re.compile": "The words of units, which stand in a table above it.",
}
"""Where text becomes code or a pattern all the same, and why nobody outside has a word in it."""


def made(path: Path) -> Iterator[str]:
    """What makes code or a pattern of something that does not stand there, or could do so under another name."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    literals = literals_of(tree)
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="re"), attr=name)) if name in MATCHING:
                if not is_written(pattern_of(node), literals):
                    yield f"re.{name}"
            case ast.Attribute(value=ast.Name(id="re"), attr=name) if name in MATCHING and id(node) not in called:
                yield f"re.{name} handed on"
            case ast.Name(id=name, ctx=ast.Load()) if name in RUNNING:
                yield name
            case ast.Import(names=names):
                yield from (f"import {each.name}" for each in names if each.name == "builtins" or is_renamed(each))
            case ast.ImportFrom(module="re" | "builtins" as name):
                yield f"from {name} import"


def is_renamed(module: ast.alias) -> bool:
    """Whether patterns would be made under a name that is not looked for."""
    return module.name == "re" and module.asname not in (None, "re")


def pattern_of(call: ast.Call) -> ast.expr | None:
    """What a call of ``re`` takes for its pattern, by place or by name; none where it cannot be told."""
    return next(iter(call.args), next((each.value for each in call.keywords if each.arg == "pattern"), None))


def literals_of(tree: ast.Module) -> dict[str, ast.expr]:
    """The module's own upper-case names that are given once, at its top, with what they are given."""
    given = Counter(
        node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    )
    given.update(node.arg for node in ast.walk(tree) if isinstance(node, ast.arg))
    found: dict[str, ast.expr] = {}
    for statement in tree.body:
        match statement:
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=ast.expr() as value)
                | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value)
            ) if name.isupper() and given[name] == 1:
                found[name] = value
    return found


def is_written(pattern: ast.expr | None, literals: Mapping[str, ast.expr]) -> bool:
    """Whether it is a literal, or one put together of the module's own constants, which are such themselves."""
    match pattern:
        case ast.Constant():
            return True
        case ast.Name(id=name) if name in literals:
            others = {key: value for key, value in literals.items() if key != name}  # none stands for itself
            return is_written(literals[name], others)
        case ast.Attribute(value=ast.Name(id=name), attr="pattern") if name in literals:
            # What it is compiled of is looked at where it is compiled.
            return ast.unparse(literals[name]).startswith("re.compile(")
        case ast.JoinedStr(values=values):
            return all(is_written(each, literals) for each in values)
        case ast.FormattedValue(value=value):
            return is_written(value, literals)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return is_written(left, literals) and is_written(right, literals)
        case _:
            return False


def test_patterns_and_code_stand_in_the_source() -> None:
    found = {f"{path.relative_to(ROOT)}: {name}" for path in modules() for name in made(path)}
    assert found == set(REASONS)


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("re.search(asked, '')", ["re.search"]),
        ("re.compile(f'^{asked}$')", ["re.compile"]),
        ("re.compile(pattern=asked)", ["re.compile"]),
        ("re.compile(*asked)", ["re.compile"]),
        ("re.compile(**asked)", ["re.compile"]),
        ("map(re.compile, asked)", ["re.compile handed on"]),
        ("import re as r\nr.compile(asked)", ["import re"]),
        ("from re import search", ["from re import"]),
        ("import builtins\nbuiltins.eval(asked)", ["import builtins"]),
        ("from builtins import exec as run", ["from builtins import"]),
        ("eval(asked)", ["eval"]),
        ("map(eval, asked)", ["eval"]),
        ("ASKED = request.query['q']\nre.search(ASKED, '')", ["re.search"]),
        ("ASKED = 'a'\ndef f(ASKED):\n    re.search(ASKED, '')", ["re.search"]),
        ("ASKED = 'a'\ndef f():\n    ASKED = request\n    re.search(ASKED, '')", ["re.search"]),
        ("from elsewhere import ASKED\nre.search(ASKED, '')", ["re.search"]),
        ("ASKED = asked\nHAN = 'a' + ASKED\nre.match(HAN, '')", ["re.match"]),
        ("SEEN = re.compile(asked)\nre.match(SEEN.pattern, '')", ["re.compile"]),
        ("HAN = 'a'\nre.match(f'{HAN}+', asked)", []),
        ("HAN: Final = 'a'\nMORE = HAN + 'b'\nre.match(pattern=MORE, string=asked)", []),
        ("SEEN = re.compile('a')\nre.match('^' + SEEN.pattern, asked)", []),
    ],
)
def test_a_pattern_out_of_a_value_is_noticed(tmp_path: Path, source: str, found: list[str]) -> None:
    file = tmp_path / "module.py"
    file.write_text(source, encoding="utf-8")
    assert sorted(made(file)) == found
