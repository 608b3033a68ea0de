"""Changes that Avro accepts and that mean something else: each fails with its rule, its line, the bytes and both values."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.treaty.cli.scratch import EVENT, Scratch, project

DECIMAL = {"type": "bytes", "logicalType": "decimal", "precision": 12, "scale": 2}
MILLIS, MICROS = ({"type": "long", "logicalType": f"timestamp-{unit}"} for unit in ("millis", "micros"))
DATE = {"type": "int", "logicalType": "date"}
SOON = (datetime.now(UTC).date() + timedelta(days=30)).isoformat()


def status(*symbols: str, default: str | None = "UNKNOWN") -> dict[str, Any]:
    body = {"type": "enum", "name": "Status", "doc": "Where it stands.", "symbols": list(symbols)}
    return body | ({"default": default} if default else {})


@dataclass(frozen=True, slots=True)
class Change:
    """A change of one field's type, and what must be told of it: rule, a word of the line, value, bytes, what is seen instead."""

    old: dict[str, Any]
    new: dict[str, Any]
    rule: str
    line: str
    value: str
    hex: str
    seen: str


KNOWN, CLOSED = status("UNKNOWN", "PAID"), status("UNKNOWN", "PAID", default=None)
CHANGES = [
    Change(DECIMAL, DECIMAL | {"scale": 4}, "decimal-scale-changed", '"scale": 4', "12.34", "04 04 d2", "0.1234"),
    Change(MILLIS, MICROS, "logical-type-changed", "timestamp-micros", "2024-01-02T03:04:05Z", "90 e2 86 82 99 63", "1970-01-20"),
    Change(DATE, MILLIS, "logical-type-changed", "timestamp-millis", "2024-01-02", "98 b4 02", "1970-01-01"),
    Change(status("UNKNOWN", "PAID", "LOST", default=None), CLOSED, "enum-symbol-missing", "symbols", "LOST", "04", "not know"),
    Change(KNOWN, status("UNKNOWN", "PAID", default="PAID"), "enum-default-changed", "PAID", "UNKNOWN", "04", "PAID"),
]  # fmt: skip


def with_field(type_: dict[str, Any]) -> dict[str, Any]:
    fields = [*EVENT["fields"], {"name": "changing", "type": type_, "doc": "It changes."}]
    return EVENT | {"fields": fields}


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.rule)
def test_a_change_of_meaning_fails_with_line_bytes_and_both_values_and_with_a_waiver_it_passes_and_stays_visible(
    tmp_path: Path, change: Change
) -> None:
    scratch = project(
        tmp_path,
        toml='[lint]\nexcept = ["enum-without-default"]\n[breaking]\nagainst = ["releases"]\nuse = ["wire", "meaning"]\n',
        event=with_field(change.old),
    )
    assert scratch.run("release", "1.0.0").code == 0
    file = scratch.write("schemas/order/order_paid.avsc", with_field(change.new))
    done = scratch.run("breaking", "--format", "json")
    assert done.code == 1
    found = [row for row in json.loads(done.out)["findings"] if row["rule"] == change.rule]
    assert found
    row = found[0]
    assert row["severity"] == "error"
    line = file.read_text(encoding="utf-8").splitlines()[row["at"]["line"] - 1]
    assert change.line in line
    proof = row["proof"]
    assert change.value in proof["value"]
    assert proof["hex"].startswith(change.hex)
    assert change.seen in (proof["read_as"] or proof["error"])
    assert f"→ bytes {proof['hex']} →" in scratch.run("breaking").out

    quick = json.loads(scratch.run("breaking", "--no-proof", "--format", "json").out)["findings"]
    told = {(each["rule"], each["fingerprint"]) for each in quick}
    assert told == {(each["rule"], each["fingerprint"]) for each in json.loads(done.out)["findings"]}
    assert all(each["proof"] is None for each in quick)

    waived(scratch, {each["fingerprint"] for each in json.loads(done.out)["findings"]})
    passed = scratch.run("breaking", "--format", "sarif")
    assert passed.code == 0
    results = json.loads(passed.out)["runs"][0]["results"]
    assert {each["level"] for each in results} == {"note"}
    suppressed = [each for each in results if each["ruleId"] == change.rule]
    assert all("agreed" in each["suppressions"][0]["justification"] for each in suppressed)
    assert suppressed


def waived(scratch: Scratch, fingerprints: set[str]) -> None:
    tables = [
        scratch.run("waive", fingerprint, "--until", SOON, "--reason", "agreed").out for fingerprint in fingerprints
    ]
    scratch.write("schemas/waivers.toml", "\n".join(tables))
