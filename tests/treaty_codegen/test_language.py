"""Two languages: every sentence that a rule may say, every rule and every fault stands in the catalogue, and nothing else does."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from importlib import import_module
from importlib.resources import files
from pathlib import Path
from pkgutil import walk_packages
from string import Formatter

import pytest

import treaty
import treaty.local
import treaty.ops
from tests.cases.markdown import ROOT
from tests.treaty.cli.scratch import Scratch, changed, project
from tests.treaty_codegen.schema_changes import rows
from tests.treaty_codegen.schema_texts import event, topics
from treaty.errors import TreatyError
from treaty_codegen import load_catalog
from treaty_codegen.breaking import ALL_RULES, breaking
from treaty_codegen.finding import Text
from treaty_codegen.language import ENGLISH, language
from treaty_codegen.lint import ALL_RULES as LINT_RULES
from treaty_codegen.lint import Choice, facts_of, lint
from treaty_codegen.old_set import old_set

CATALOGUE = tomllib.loads(files("treaty_codegen").joinpath("zh.toml").read_text(encoding="utf-8"))
SOURCES = (ROOT / "codegen/src/treaty_codegen", ROOT / "platform/tool/src/treaty/ops")
CHINESE = re.compile(r"[\u4e00-\u9fff]")
RETOLD = {SOURCES[0] / "language.py", SOURCES[1] / "cache" / "outcomes.py"}
"""Modules that make a ``Text`` of one that another module made."""
READY = {"{reason}"}
"""Templates that hold somebody else's words alone: a parser's, the disk's."""


def templates() -> Iterator[tuple[str, str]]:
    """Module and every template that it makes a ``Text`` of; a name stands for what is assigned to it in the module."""
    for folder in SOURCES:
        for path in sorted(set(folder.rglob("*.py")) - RETOLD):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            assigned: dict[str, list[ast.expr]] = {}
            for node in ast.walk(tree):
                if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                    assigned.setdefault(node.targets[0].id, []).append(node.value)
            for node in ast.walk(tree):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Text":
                    for found in literals(node.args[0], assigned):
                        yield path.stem, found


def literals(node: ast.expr, assigned: dict[str, list[ast.expr]]) -> Iterator[str]:
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.IfExp(body=one, orelse=other):
            yield from literals(one, assigned)
            yield from literals(other, assigned)
        case ast.Name(id=name) if name in assigned:
            for value in assigned[name]:
                yield from literals(value, assigned)
        case _:
            pytest.fail(f"a template that nobody can translate: {ast.unparse(node)}")


def test_every_sentence_of_a_rule_stands_in_the_catalogue_and_no_other() -> None:
    said = {text for _, text in templates()} - READY
    known = {**CATALOGUE["lint"], **CATALOGUE["breaking"], **CATALOGUE["doctor"]}
    assert said - known.keys() == set()
    assert known.keys() - said == set(), "nobody says this any more"


@pytest.mark.parametrize("section", ["lint", "breaking", "doctor", "printing", "arguments"])
def test_a_translation_fills_in_the_same_names(section: str) -> None:
    for english, chinese in CATALOGUE[section].items():
        names = [{name for _, name, _, _ in Formatter().parse(text) if name} for text in (english, chinese)]
        assert names[0] == names[1], english
        assert CHINESE.search(chinese) or not re.search("[a-z]{3} [a-z]{3}", english), english


def test_every_rule_is_said_in_both_languages() -> None:
    assert CATALOGUE["rules"].keys() == {*LINT_RULES, *ALL_RULES, "file-unreadable", "syntax-error"}
    assert all(CHINESE.search(text) for text in CATALOGUE["rules"].values())


def faults(kind: type[TreatyError] = TreatyError) -> set[str]:
    # Tests define faults of their own, which live in the same process.
    own = {kind.__name__} if not kind.__module__.startswith("tests.") else set()
    return own.union(*(faults(each) for each in kind.__subclasses__()))


def test_every_fault_of_the_command_is_said_in_both_languages() -> None:
    for package in (treaty.ops, treaty.local):
        for module in walk_packages(package.__path__, f"{package.__name__}."):
            import_module(module.name)
    ours = {name for name in faults() if not name.startswith("_")}
    assert ours - CATALOGUE["errors"].keys() == CATALOGUE["errors"].keys() - ours == set()
    assert all(CHINESE.search(text) for text in CATALOGUE["errors"].values())


def test_what_rules_find_is_said_in_chinese_and_nothing_of_it_is_lost() -> None:
    own = language("zh")
    findings = []
    for row in rows():
        old, new = (load_catalog(event(side), topics=topics(row.level)) for side in (row.old, row.new))
        findings += breaking(new, [old_set(old, label="release 1.0.0")])
        findings += lint(facts_of(new, namespace="mall"), Choice(use=["strict"]))
    assert len({each.rule for each in findings}) > 25
    for each in findings:
        told = own.finding(each)
        assert CHINESE.search(str(told.message)), each.message
        assert told.help is None or CHINESE.search(str(told.help)), each.help
        assert told.fingerprint == each.fingerprint
        assert (told.rule, told.at, told.severity) == (each.rule, each.at, each.severity)


def test_a_schemas_own_words_are_not_translated_and_braces_in_them_are_no_template() -> None:
    text = Text("`{path}` may now be null", {"path": "{path} new schema"})
    assert str(language("zh").text(text)) == "`{path} new schema` 现在可能为 null"
    assert str(ENGLISH.text(text)) == str(text)


@pytest.fixture
def scratch(tmp_path: Path) -> Scratch:
    return project(tmp_path, event=changed(total="long"))


def test_the_command_speaks_chinese_where_it_is_asked_to(scratch: Scratch) -> None:
    done = scratch.run("lint", "--lang", "zh")
    assert (done.code, done.err) == (1, "已检查 1 schema：1 个错误，0 个警告\n")
    assert done.out.splitlines()[0].endswith("quantity-without-unit: `total` 是没有单位的数量")
    assert done.out.splitlines()[1] == '  建议: 给该字段加上 "treaty": {"unit": "CNY/100"}'
    assert scratch.run("lint", "--lang", "en").out == scratch.run("lint").out
    assert scratch.run("lint", "--lang", "fr").code == 2


def test_faults_and_rules_are_explained_in_chinese(scratch: Scratch) -> None:
    done = scratch.run("lint", "--lang=zh", "--rule", "nope")
    assert (done.code, done.err.startswith("treaty: 命令或配置无法按现状使用。 There is no lint rule")) == (2, True)
    (scratch.root / "schemas/order/order_paid.avsc").unlink()
    assert "  下一步: write <domain>/<event>.avsc there" in scratch.run("lint", "--lang", "zh").err
    page = scratch.run("explain", "decimal-scale-changed", "--lang", "zh").out
    assert page.startswith("# decimal-scale-changed\n\ndecimal 的小数位不变。\n")
    assert "```findings" in page
