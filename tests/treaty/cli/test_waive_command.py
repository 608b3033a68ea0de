"""``treaty waive`` and what becomes of a waived break, as a process."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.treaty.cli.scratch import TOPICS, Scratch, changed, project

READER = """
[topic."order-events".consumer.billing-service]
service = "billing"

[service.billing]
owner = "@mall/billing"
code = "services/billing"
"""
SOON = (datetime.now(UTC).date() + timedelta(days=30)).isoformat()


@pytest.fixture
def broken(tmp_path: Path) -> Scratch:
    """A project whose release 1.0.0 has a text where the tree has a number."""
    scratch = project(tmp_path, toml='[breaking]\nagainst = ["releases"]\nuse = ["wire"]\n', topics=TOPICS + READER)
    assert scratch.run("release", "1.0.0").code == 0
    scratch.write("schemas/order/order_paid.avsc", changed(order_id="string"))
    return scratch


def findings(scratch: Scratch, *words: str) -> list[dict[str, object]]:
    done = scratch.run("breaking", "--format", "json", *words)
    rows: list[dict[str, object]] = json.loads(done.out)["findings"]
    return rows


def test_a_waived_break_passes_and_stays_visible(broken: Scratch) -> None:
    found = findings(broken)
    assert {row["severity"] for row in found} == {"error"}
    tables = []
    for fingerprint in {str(row["fingerprint"]) for row in found}:
        done = broken.run("waive", fingerprint, "--until", SOON, "--reason", 'agreed with "billing"')
        assert done.code == 0
        tables.append(done.out)
    assert 'approved_by = ["@mall/billing", "@mall/orders"]' in tables[0]
    file = broken.write("schemas/waivers.toml", "\n".join(tables))
    done = broken.run("breaking", "--format", "json")
    assert done.code == 0
    after = json.loads(done.out)["findings"]
    assert {row["fingerprint"] for row in after} == {row["fingerprint"] for row in found}
    assert {row["severity"] for row in after} == {"info"}
    assert all('agreed with "billing"' in row["help"] for row in after)
    assert broken.run("lint").code == 0

    broken.write("heard.json", '{"approved_by": ["@mall/orders"]}')
    done = broken.run("breaking", "--approvals", "heard.json")
    assert (done.code, "waiver-unapproved" in done.out) == (1, True)
    file.write_text(file.read_text().replace('"@mall/billing", ', ""))
    done = broken.run("breaking")
    assert (done.code, "lacks @mall/billing" in done.out) == (1, True)


def test_a_waiver_that_matches_nothing_is_told_where_everything_was_compared(broken: Scratch) -> None:
    broken.write(
        "schemas/waivers.toml",
        f'[[waiver]]\nfingerprint = "00"\nrule = "type-changed"\nreason = "x"\napproved_by = []\nuntil = {SOON}\n',
    )
    assert "waiver-unused" in broken.run("breaking").out
    assert "waiver-unused" not in broken.run("breaking", "--against", "releases").out


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[[waiver]]\nrule = 'x'", "`until` is missing"),
        ("[[waivr]]\n", "unknown key `waivr`; did you mean `waiver`?"),
        ("[[ignore]]\nrule = 1\n", "`rule` is"),
        ("[", "not TOML"),
        ("[[waiver]]\nrule = 'x'\nreason = 'x'\nuntil = 2026-01-01\n", "names its `fingerprint`"),
    ],
)
def test_a_broken_file_of_waivers_stops_breaking_and_is_a_finding_of_lint(
    broken: Scratch, text: str, words: str
) -> None:
    broken.write("schemas/waivers.toml", text)
    done = broken.run("breaking")
    assert (done.code, words in done.err, "schemas/waivers.toml" in done.err) == (1, True, True)
    done = broken.run("lint")
    assert (done.code, words in done.out) == (1, True)


def test_usage(broken: Scratch) -> None:
    assert broken.run("waive", "0000000000000000", "--until", SOON, "--reason", "x").code == 2
    assert broken.run("waive", "0000000000000000", "--until", "tomorrow", "--reason", "x").code == 2
    for text in ("", "[]", "{}", '{"approved_by": "x"}', '{"approved_by": [1]}'):
        broken.write("heard.json", text)
        assert broken.run("breaking", "--approvals", "heard.json").code == 2
