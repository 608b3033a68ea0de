"""Findings for hosting services and editors: what each format says, and that no text of a schema gets out of its place."""

from __future__ import annotations

import gzip
import hashlib
import html
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree as ET

import jsonschema
import pytest
import xmlschema

from tests.treaty_codegen.schema_changes import rows
from tests.treaty_codegen.schema_texts import event, topics
from treaty_codegen import load_catalog
from treaty_codegen.breaking import breaking
from treaty_codegen.finding import Edit, Finding, Fix, Location, Operation, Proof, Severity, Text, fingerprint
from treaty_codegen.old_set import old_set
from treaty_codegen.render import PRINTERS, Report, github, gitlab, junit, markdown, sarif
from treaty_codegen.render.markdown import LONGEST, MARK, as_text
from treaty_codegen.render.printable import printable_json, printable_xml

SARIF_SHA256: Final = "2d99159ae54a3eea97f81781cff48780548657c35949f4b7f25e99a2ba4de4f8"
ROW = Finding(
    rule="unit-changed",
    severity=Severity.ERROR,
    category="meaning",
    at=Location(path="schemas/order/order paid.avsc", line=4, column=9, end_line=4, end_column=12, pointer="/fields/0"),
    message=Text("`{path}` changed", {"path": "total"}),
    help=Text("keep the unit"),
    event="mall.order.OrderPaid",
    against="release 1.0.0",
    affects=("mall.order.OrderPaid", "mall.order.OrderDone"),
    proof=Proof(value="1290 s", hex="94 14", writer="release 1.0.0", reader="the new schema", read_as="1290 ms"),
    fingerprint=fingerprint("unit-changed", "total"),
)
WARNING = replace(ROW, rule="owner-changed", category="policy", severity=Severity.WARNING, proof=None)
REMARK = replace(ROW, rule="doc-changed", category="docs", severity=Severity.INFO, proof=None)
PAGE = "# unit-changed\n\n## What it says\nThe number stays,\nso does its unit.\n\n## Why it matters\nBecause.\n"
REPORT = Report(
    findings=(ROW, WARNING, REMARK),
    files=(ROW.at.path, "schemas/order/order_line.avsc"),
    pages={"unit-changed": PAGE},
)
HOSTILE = '<script>|`x`*b*[a](javascript:b) @mall/all <!-- treaty:review --> </details> ]]> \x00\x1b[31m &amp; "\n# head\n::error::x'


def hostile() -> Report:
    row = replace(ROW, message=Text("{text}", {"text": HOSTILE}), event=HOSTILE, affects=(HOSTILE,), against=HOSTILE)
    return Report(findings=(replace(row, at=replace(ROW.at, path=HOSTILE)),), files=(HOSTILE, f"{HOSTILE}2"))


@pytest.mark.parametrize("shown", [markdown, lambda report: github(report.findings), PRINTERS["text"]])
def test_nothing_turns_the_direction_of_what_people_read_or_moves_their_cursor(shown: Callable[[Report], str]) -> None:
    evil = "safe\u202e\u2066 ezilaer \x1b[2K\x9b2K\x7f"
    row = replace(ROW, message=Text("{text}", {"text": evil}), affects=(evil,), proof=None)
    printed = shown(Report(findings=(replace(row, at=replace(ROW.at, path=evil)),)))
    assert "safe" in printed
    assert printed.replace("\n", "").isprintable()


def test_gitlab_gets_one_entry_a_finding_with_our_fingerprint() -> None:
    entries = json.loads(gitlab(REPORT))
    assert entries[0] == {
        "description": "`total` changed (1290 s → bytes 94 14 → read as 1290 ms)",
        "check_name": "unit-changed",
        "fingerprint": ROW.fingerprint,
        "severity": "blocker",
        "location": {"path": "schemas/order/order paid.avsc", "lines": {"begin": 4, "end": 4}},
    }
    assert [entry["severity"] for entry in entries] == ["blocker", "major", "minor"]
    assert json.loads(gitlab(Report(findings=()))) == []


def test_junit_has_a_suite_a_rule_and_a_passing_case_a_clean_file() -> None:
    root = document(REPORT)
    suites = {suite.attrib["name"]: suite for suite in root}
    assert list(suites) == ["doc-changed", "owner-changed", "unit-changed", "clean files"]
    assert {name: suite.attrib["failures"] for name, suite in suites.items()} == {
        "doc-changed": "0",
        "owner-changed": "1",
        "unit-changed": "1",
        "clean files": "0",
    }
    failure = suites["unit-changed"].find("testcase/failure")
    assert failure is not None
    assert failure.text == "`total` changed\n1290 s → bytes 94 14 → read as 1290 ms\nkeep the unit"
    assert [case.attrib["name"] for case in suites["clean files"]] == ["schemas/order/order_line.avsc"]


def test_junit_holds_any_text() -> None:
    root = document(hostile())
    message = root.find("testsuite/testcase/failure")
    assert message is not None
    assert message.attrib["message"].replace("�", "").startswith("<script>|`x`")
    assert [element.tag for element in root.iter()].count("failure") == 1


JUNIT = xmlschema.XMLSchema10(Path(__file__).parent / "recorded/junit.xsd")


@pytest.mark.parametrize("report", [REPORT, hostile(), Report(findings=())], ids=["usual", "hostile", "empty"])
def test_junit_is_valid_by_the_schema_of_those_who_read_it(report: Report) -> None:
    JUNIT.validate(junit(report))
    counted = [len(suite.findall("testcase/failure")) for suite in document(report)]
    assert counted == [int(suite.attrib["failures"]) for suite in document(report)]


def test_the_schema_of_junit_refuses_what_its_readers_refuse() -> None:
    good = junit(REPORT)
    for bad in (good.replace(' failures="1"', ""), good.replace("<failure", "<fault").replace("</failure", "</fault")):
        assert bad != good
        assert not JUNIT.is_valid(bad)


def test_sarif_has_a_rule_with_its_page_and_a_result_with_our_fingerprint() -> None:
    log = json.loads(sarif(REPORT))
    run = log["runs"][0]
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["doc-changed", "owner-changed", "unit-changed"]
    rule = run["tool"]["driver"]["rules"][2]
    assert (rule["shortDescription"]["text"], rule["help"]["markdown"]) == ("The number stays, so does its unit.", PAGE)
    result = run["results"][0]
    assert result["ruleIndex"] == 2
    assert result["partialFingerprints"] == {"treaty/v1": ROW.fingerprint}
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "schemas/order/order%20paid.avsc"
    assert place["region"] == {"startLine": 4, "startColumn": 9, "endLine": 4, "endColumn": 12}
    assert [row["level"] for row in run["results"]] == ["error", "warning", "note"]
    names = [each["fullyQualifiedName"] for each in result["locations"][0]["logicalLocations"]]
    assert names == ["mall.order.OrderPaid", "mall.order.OrderDone"]


def sarif_schema() -> Any:
    """The official schema, as it was recorded."""
    data = gzip.decompress((Path(__file__).parent / "recorded/sarif-2.1.0.json.gz").read_bytes())
    assert hashlib.sha256(data).hexdigest() == SARIF_SHA256, "the recorded schema was edited"
    return json.loads(data)


def test_sarif_says_what_mends_a_finding_and_who_accepted_one() -> None:
    insertion = Edit(line=4, column=20, end_line=4, end_column=20, text=', "default": null')
    operation = Operation(op="add", path="/fields/0/default", value=None)
    mendable = replace(WARNING, fix=Fix(path=ROW.at.path, operations=(operation,), edits=(insertion,)))
    renamed = replace(WARNING, fix=Fix(path=ROW.at.path, rename_to="schemas/order/order_paid.avsc"))
    waived = replace(REMARK, waived=Text("waived until {day}", {"day": "2026-12-31"}))
    log = json.loads(sarif(Report(findings=(mendable, renamed, waived), pages={"unit-changed": PAGE})))
    jsonschema.Draft4Validator(sarif_schema()).validate(log)
    first, second, third = log["runs"][0]["results"]
    (change,) = first["fixes"][0]["artifactChanges"]
    assert change["artifactLocation"]["uri"] == "schemas/order/order%20paid.avsc"
    assert change["replacements"] == [
        {
            "deletedRegion": {"startLine": 4, "startColumn": 20, "endLine": 4, "endColumn": 20},
            "insertedContent": {"text": ', "default": null'},
        }
    ]
    assert "fixes" not in second, "a new name for a file cannot be said in SARIF"
    assert third["suppressions"] == [
        {"kind": "external", "status": "accepted", "justification": "waived until 2026-12-31"}
    ]
    assert "suppressions" not in first


@pytest.mark.parametrize("report", [REPORT, hostile(), Report(findings=())], ids=["usual", "hostile", "empty"])
def test_sarif_is_valid_by_the_standards_schema(report: Report) -> None:
    jsonschema.Draft4Validator(sarif_schema()).validate(json.loads(sarif(report)))


def test_the_comment_has_a_row_an_event_and_a_paragraph_an_error() -> None:
    comment = markdown(REPORT)
    assert comment.startswith(f"{MARK}\n### Event review: 1 change must be fixed\n")
    assert "| mall.order.OrderDone | ok | ✖ 1 | ok | ! 2 |\n" in comment
    assert comment.count("**✖ ") == 1
    assert f"treaty waive {ROW.fingerprint}" in comment
    assert "<details><summary>2 warnings and remarks</summary>" in comment
    assert "Errors: 1. Warnings and remarks: 2. Files: 2." in comment
    assert markdown(Report(findings=())).startswith(f"{MARK}\n### Event review: nothing must be fixed\n")


def test_a_comment_never_gets_longer_than_the_service_takes() -> None:
    many = tuple(replace(ROW, affects=(f"mall.order.E{number}",)) for number in range(100))
    for findings in (many, many * 2, many * 5, tuple(replace(each, message=Text("x" * 9000)) for each in many)):
        comment = markdown(Report(findings=findings))
        assert len(comment) <= LONGEST
        assert comment.startswith(MARK)
        assert f"Errors: {len(findings)}." in comment


def test_texts_of_schemas_stay_texts_in_the_comment() -> None:
    """An independent CommonMark implementation finds no markup but ours."""
    markdown_it = pytest.importorskip("markdown_it")
    comment = markdown(hostile())
    tokens = markdown_it.MarkdownIt("gfm-like", {"linkify": False}).parse(comment)
    html = [part for token in tokens for part in inline(token) if part[0].startswith("html")]
    ours = {"<code>", "</code>", "<!-- -->"}
    assert {content for kind, content in html if kind == "html_inline"} <= ours
    blocks = [content for kind, content in html if kind == "html_block"]
    assert [block.strip() for block in blocks] == [MARK]
    kinds = {kind for token in tokens for kind, _ in inline(token)}
    assert not kinds & {"link_open", "image", "em_open", "code_inline", "fence", "code_block"}
    assert [token.tag for token in tokens if token.type == "heading_open"] == ["h3"]
    texts = "".join(content for token in tokens for kind, content in inline(token) if kind == "text")
    assert "<script>|`x`*b*[a](javascript:b) @mall/all" in texts
    assert comment.count(MARK) == 1


def document(report: Report) -> ET.Element:
    return ET.fromstring(junit(report))  # noqa: S314  # our own output


def inline(token: Any) -> list[tuple[str, str]]:
    return [(token.type, token.content), *((child.type, child.content) for child in token.children or ())]


def test_every_format_prints_what_the_rules_really_find() -> None:
    found: list[Finding] = []
    for change in rows():
        old, new = (load_catalog(event(side), topics=topics(change.level)) for side in (change.old, change.new))
        found += breaking(new, [old_set(old, label="release 1.0.0")])
    report = Report(findings=tuple(found))
    jsonschema.Draft4Validator(sarif_schema()).validate(json.loads(sarif(report)))
    assert len(json.loads(gitlab(report))) == len(json.loads(sarif(report))["runs"][0]["results"]) == len(found)
    assert sum(1 for _ in document(report).iter("testcase")) == len(found)
    assert len(markdown(report)) <= LONGEST


@pytest.mark.parametrize("text", ["::x", ":::x", "::::", "a::://b", "https://x"])
def test_a_text_in_a_comment_begins_no_command_however_many_colons_it_has(text: str) -> None:
    shown = as_text(text)
    assert "::" not in shown
    assert html.unescape(shown) == text, "and means the same"


OBEYED = "##[set-output name=a]b\n  ::set-output name=a::b\n::c\x9b2J\u202e\x7f\\##[ \u8a02\u55ae"


def test_what_a_runner_or_a_terminal_would_obey_is_an_escape_in_documents_and_means_the_same() -> None:
    told = printable_json({OBEYED: [OBEYED]}, indent=2)
    assert json.loads(told) == {OBEYED: [OBEYED]}
    root = ET.Element("a", b=OBEYED)
    root.text = OBEYED
    document = printable_xml(ET.tostring(root, encoding="unicode"))
    read = ET.fromstring(document)  # noqa: S314  # our own document
    assert (read.text, read.get("b")) == (OBEYED, OBEYED)
    for text in (told, document):
        assert "##[" not in text
        assert not [line for line in text.splitlines() if line.lstrip().startswith("::")]
        assert not {"\x9b", "\u202e", "\x7f"} & set(text)
        assert "\u8a02\u55ae" in text
