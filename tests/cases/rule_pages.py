"""Runs the cases of rule pages: schemas in, findings out."""

from __future__ import annotations

import json

from tests.cases.markdown import Block, Case
from treaty_codegen import Catalog, load_catalog, snake_case
from treaty_codegen.breaking import breaking
from treaty_codegen.breaking.facts import old_set
from treaty_codegen.finding import Finding
from treaty_codegen.lint import lint
from treaty_codegen.render import text


def lint_findings(case: Case, rule: str) -> str:
    """What one lint rule says of the case's schemas."""
    topics = next((block.text for block in case.of("toml")), None)
    catalog = load_catalog(dict(file_of(block) for block in case.of("avsc")), topics=topics)
    return text(lint(catalog, namespace="mall", use=[rule]))


def breaking_findings(case: Case, rule: str) -> str:
    """What one breaking rule says of the change from ``old`` to ``new``; other rules may fire too and are not shown."""
    findings = breaking(side(case, "new"), [old_set(side(case, "old"), label="release 1.0.0")])
    return text(row for row in findings if row.rule == rule)


def all_breaking_rules(case: Case) -> list[Finding]:
    """Every finding of the change."""
    return breaking(side(case, "new"), [old_set(side(case, "old"), label="release 1.0.0")])


def side(case: Case, name: str) -> Catalog:
    """The catalog of one side; a topic for all its records is made up unless the case brings ``toml`` of its own."""
    files = dict(file_of(block) for block in case.of("avsc") if block.argument.split()[:1] == [name])
    own = next((block.text for block in case.of("toml") if block.argument.split()[:1] == [name]), None)
    return load_catalog(files, topics=own or topics_for(files))


def topics_for(files: dict[str, str]) -> str:
    """One topic that carries every record."""
    parsed = [json.loads(text) for text in files.values()]
    records = [f"{body.get('namespace', '')}.{body['name']}".lstrip(".") for body in parsed if body["type"] == "record"]
    return f"""format = 1
[topic."order-events"]
doc = "Orders."
owner = "@mall/orders"
events = {json.dumps(records)}
producers = ["order"]
"""


def file_of(block: Block) -> tuple[str, str]:
    """(path, text) of an ``avsc`` block: the path from its info string, else from namespace and name."""
    path = next((word for word in block.argument.split() if word.endswith(".avsc")), None)
    if path is None:
        body = json.loads(block.text)
        folder = body.get("namespace", "").removeprefix("mall").lstrip(".").replace(".", "/")
        path = f"{folder}/{snake_case(body['name'])}.avsc".lstrip("/")
    return path, block.text
