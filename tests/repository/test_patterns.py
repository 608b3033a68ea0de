"""No pattern and no code is made of what somebody typed: what a program matches with or runs stands in its source."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

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
    """Names of calls that make code or a pattern of something that does not stand there."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="re"), attr=name), args=[pattern, *_]) if (
                name in MATCHING and not is_written(pattern)
            ):
                yield f"re.{name}"
            case ast.Call(func=ast.Name(id=name)) if name in RUNNING:
                yield name


def is_written(pattern: ast.expr) -> bool:
    """Whether it is a literal, or one put together of the module's own constants."""
    match pattern:
        case ast.Constant():
            return True
        case ast.Name(id=name) | ast.Attribute(value=ast.Name(id=name), attr="pattern"):
            return name.isupper()
        case ast.JoinedStr(values=values):
            return all(is_written(each) for each in values)
        case ast.FormattedValue(value=value):
            return is_written(value)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return is_written(left) and is_written(right)
        case _:
            return False


def test_patterns_and_code_stand_in_the_source() -> None:
    found = {f"{path.relative_to(ROOT)}: {name}" for path in modules() for name in made(path)}
    assert found == set(REASONS)


def test_a_pattern_out_of_a_value_is_noticed(tmp_path: Path) -> None:
    file = tmp_path / "wrong.py"
    file.write_text(
        'import re\nre.search(asked, "")\nre.compile(f"^{asked}$")\nre.match(f"{_HAN}+", asked)\neval(asked)\n'
    )
    assert sorted(made(file)) == ["eval", "re.compile", "re.search"]
