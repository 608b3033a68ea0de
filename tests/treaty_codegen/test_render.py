"""Findings as text, JSON and workflow commands: what is escaped, what is counted, what validates."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib.resources import files

import jsonschema
import pytest

from tests.treaty_codegen.schema_changes import rows
from tests.treaty_codegen.schema_texts import event, topics
from treaty_codegen import load_catalog
from treaty_codegen.breaking import breaking
from treaty_codegen.finding import Finding, Location, Proof, Severity, Text, fingerprint
from treaty_codegen.lint import facts_of, lint
from treaty_codegen.old_set import old_set
from treaty_codegen.render import PRINTERS, Report, github, json_document, json_lines, summary, text

ROW = Finding(
    rule="unit-changed",
    severity=Severity.ERROR,
    category="meaning",
    at=Location(path="schemas/order/order_paid.avsc", line=4, column=9, end_line=4, end_column=12, pointer="/fields/0"),
    message=Text("`{path}` changed", {"path": "total"}),
    help=Text('add "treaty": {{"unit": "{unit}"}}', {"unit": "CNY/100"}),
    event="mall.order.OrderPaid",
    against="release 1.0.0",
    affects=("mall.order.OrderPaid", "mall.order.OrderDone"),
    proof=Proof(value="1290 s", hex="94 14", writer="release 1.0.0", reader="the new schema", read_as="1290 ms"),
    fingerprint=fingerprint("unit-changed", "total"),
)
SCHEMA = json.loads(files("treaty_codegen").joinpath("findings.schema.json").read_text(encoding="utf-8"))
LINE = {"$schema": SCHEMA["$schema"], "$ref": "#/$defs/finding", "$defs": SCHEMA["$defs"]}


def test_text_has_one_line_for_the_finding_and_indented_ones_for_the_rest() -> None:
    assert text([ROW, replace(ROW, severity=Severity.WARNING, proof=None, affects=(), help=None)]) == (
        "schemas/order/order_paid.avsc:4:9 unit-changed: `total` changed\n"
        "  proof: 1290 s → bytes 94 14 → read as 1290 ms\n"
        "  affects: mall.order.OrderPaid, mall.order.OrderDone (against release 1.0.0)\n"
        '  help: add "treaty": {"unit": "CNY/100"}\n'
        "schemas/order/order_paid.avsc:4:9 unit-changed (warning): `total` changed\n"
    )


def test_a_proof_that_is_refused_quotes_the_refusal() -> None:
    assert ROW.proof is not None
    refused = replace(ROW.proof, read_as=None, error="the new schema expects string", hex="")
    assert str(refused) == "1290 s → bytes none → not readable: the new schema expects string"


def test_arguments_of_a_sentence_are_never_taken_for_its_template() -> None:
    assert (
        str(Text("the default changed to {after}", {"after": '{"a": {path}}'}))
        == 'the default changed to {"a": {path}}'
    )


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("100 % done", "100 %25 done"),
        ("a\nb", "a%0Ab"),
        ("a\r\nb", "a%0D%0Ab"),
        ("x: y, z", "x: y, z"),
        ("%0A", "%250A"),
        ("\n::error::forged", "%0A::error::forged"),
    ],
)
def test_a_workflow_command_keeps_its_message_on_one_line(message: str, expected: str) -> None:
    printed = github([replace(ROW, message=Text("{text}", {"text": message}), proof=None)])
    assert printed.count("\n") == 1
    assert printed.endswith(f"::{expected}\n")


@pytest.mark.parametrize(
    ("path", "expected"), [("a,b.avsc", "a%2Cb.avsc"), ("c:d.avsc", "c%3Ad.avsc"), ("e%f\n.avsc", "e%25f%0A.avsc")]
)
def test_a_workflow_command_escapes_its_properties(path: str, expected: str) -> None:
    printed = github([replace(ROW, at=replace(ROW.at, path=path))])
    assert printed.startswith(f"::error file={expected},line=4,col=9,endLine=4,endColumn=12,title=unit-changed::")


def test_a_workflow_command_carries_the_proof_and_its_severity() -> None:
    assert github([ROW]).endswith("::`total` changed%0A1290 s → bytes 94 14 → read as 1290 ms\n")
    assert [github([replace(ROW, severity=each)]).split(" ")[0] for each in Severity] == [
        "::error",
        "::warning",
        "::notice",
    ]


def test_beyond_ten_of_a_level_one_line_counts_the_rest() -> None:
    lines = github([ROW] * 13 + [replace(ROW, severity=Severity.INFO)]).splitlines()
    assert len([line for line in lines if line.startswith("::error file=")]) == 10
    assert lines[-1] == "::error::and 3 more; see the log"
    assert len([line for line in lines if line.startswith("::notice")]) == 1


def test_the_schema_of_findings_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def every_finding() -> list[Finding]:
    found = [ROW]
    for change in rows():
        new = load_catalog(event(change.new), topics=topics(change.level))
        old = load_catalog(event(change.old), topics=topics(change.level))
        found += breaking(new, [old_set(old, label="release 1.0.0")], root="schemas/")
        found += lint(facts_of(new, root="schemas/", namespace="shop"))
    return found


def test_every_finding_is_as_the_published_schema_says() -> None:
    found = every_finding()
    document = json.loads(json_document(found))
    jsonschema.Draft202012Validator(SCHEMA).validate(document)
    assert document["summary"] == summary(found)
    lines = json_lines(found).splitlines()
    assert [json.loads(line) for line in lines] == document["findings"]
    validator = jsonschema.Draft202012Validator(LINE)
    for line in lines:
        validator.validate(json.loads(line))


@pytest.mark.parametrize(
    ("key", "value"),
    [("severity", "fatal"), ("fingerprint", "xyz"), ("surprise", 1), ("proof", {"value": "1"}), ("at", {"path": "x"})],
)
def test_the_schema_refuses_what_is_no_finding(key: str, value: object) -> None:
    document = json.loads(json_document([ROW]))
    document["findings"][0][key] = value
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(SCHEMA).validate(document)


def test_json_shows_texts_in_words_and_other_letters_as_they_are() -> None:
    body = json.loads(json_lines([replace(ROW, message=Text("{name}", {"name": "订单"}))]))
    assert (body["message"], body["help"]) == ("订单", 'add "treaty": {"unit": "CNY/100"}')
    assert "订单" in json_lines([replace(ROW, message=Text("{name}", {"name": "订单"}))])
    assert body["proof"]["read_as"] == "1290 ms"


@pytest.mark.parametrize("name", ["text", "json", "jsonl", "github"])
def test_no_findings_are_printable(name: str) -> None:
    printed = PRINTERS[name](Report(findings=()))
    assert printed == "" or json.loads(printed)["findings"] == []


def test_every_finding_has_a_place_within_its_file() -> None:
    for change in rows():
        files_ = event(change.new)
        new = load_catalog(files_, topics=topics(change.level))
        old = load_catalog(event(change.old), topics=topics(change.level))
        for found in breaking(new, [old_set(old, label="x")]):
            lines = files_.get(found.at.path, topics(change.level)).splitlines()
            assert 1 <= found.at.line <= found.at.end_line <= len(lines), found
            assert 1 <= found.at.column <= len(lines[found.at.line - 1]), found
