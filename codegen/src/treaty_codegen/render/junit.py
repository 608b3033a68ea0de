"""Findings as JUnit XML: a suite for each rule with a failing case a finding, and a suite with a passing case a clean file.

Source: the XML schema of the Jenkins xUnit plugin, junit-10.xsd.
"""

from __future__ import annotations

import re
from typing import Final
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from treaty_codegen.finding import Finding, Severity
from treaty_codegen.render.printable import printable_xml
from treaty_codegen.render.report import Report

FORBIDDEN: Final = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold, not even escaped."""


def junit(report: Report) -> str:
    """One document. Errors and warnings fail; remarks are passing cases that say what they remark."""
    root = Element("testsuites", name="treaty")
    for rule, findings in report.by_rule().items():
        failing = [finding for finding in findings if finding.severity is not Severity.INFO]
        suite = SubElement(
            root, "testsuite", name=rule, tests=str(len(findings)), failures=str(len(failing)), errors="0"
        )
        for finding in findings:
            case(suite, finding)
    clean = list(report.clean_files())
    if clean:
        suite = SubElement(root, "testsuite", name="clean files", tests=str(len(clean)), failures="0", errors="0")
        for path in clean:
            SubElement(suite, "testcase", name=legal(path), classname="treaty")
    indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + printable_xml(tostring(root, encoding="unicode")) + "\n"


def case(suite: Element, finding: Finding) -> None:
    """One finding as a case of its rule's suite."""
    one = SubElement(suite, "testcase", name=legal(str(finding.at)), classname=finding.rule)
    lines = [
        str(finding.message),
        *([str(finding.proof)] if finding.proof else []),
        *([str(finding.help)] if finding.help else []),
    ]
    if finding.severity is Severity.INFO:
        SubElement(one, "system-out").text = legal("\n".join(lines))
        return
    failure = SubElement(one, "failure", type=str(finding.severity), message=legal(str(finding.message)))
    failure.text = legal("\n".join(lines))


def legal(text: str) -> str:
    """A text without what XML cannot hold."""
    return FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", text)
