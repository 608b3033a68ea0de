"""What ``treaty release`` writes, refuses and advises, as a process."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.treaty.cli.scratch import Scratch, changed, project

OPTIONAL = ["null", "string"]


@pytest.fixture
def scratch(tmp_path: Path) -> Scratch:
    made = project(tmp_path, toml='[breaking]\nagainst = ["releases"]\n[lint]\nuse = ["minimal"]\n')
    told = made.run("release").out.splitlines()
    assert (told[0], told[-1]) == ("schemas/releases/0.1.0/set.json", "schemas/schemas.lock")
    return made


def grown(scratch: Scratch) -> None:
    body = changed(extra=OPTIONAL)
    body["fields"][-1]["default"] = None
    scratch.write("schemas/order/order_paid.avsc", body)


def test_the_next_version_follows_from_what_changed(scratch: Scratch) -> None:
    assert scratch.run("release").code == 1, "nothing changed"
    grown(scratch)
    done = scratch.run("release", "--dry-run")
    assert done.err.startswith("0.2.0: 1 event, change: minor;")
    assert "- field added <code>extra</code>: null or string" in done.out
    assert not (scratch.root / "schemas/releases/0.2.0").exists()
    assert scratch.run("release", "--bump", "major").code == 0
    body = json.loads((scratch.root / "schemas/releases/1.0.0/set.json").read_text())
    assert body["events"]["mall.order.OrderPaid"]["contract"] == "1.1.0"
    assert body["topics"]["order-events"] == {"owner": "@mall/orders", "partitions": {"*": 3}, "retention": {"*": "7d"}}
    lock = json.loads((scratch.root / "schemas/schemas.lock").read_text())
    assert (lock["release"], lock["events"]["mall.order.OrderPaid"]["contract"]) == ("1.0.0", "1.1.0")
    assert "field added" in scratch.run("changelog", "--since", "0.1.0").out
    assert "Nothing changed" in scratch.run("changelog", "--since", "1.0.0").out
    assert scratch.run("changelog", "--since", "9.9.9").code == 2


def test_old_bytes_that_are_not_read_as_recorded_stop_a_release(scratch: Scratch) -> None:
    file = scratch.root / "schemas/releases/0.1.0/golden.jsonl"
    lines = file.read_text().splitlines()
    first = json.loads(lines[0])
    file.write_text(json.dumps(first | {"hex": "02" + first["hex"][2:]}) + "\n")
    grown(scratch)
    done = scratch.run("release")
    assert (done.code, "0.1.0 mall.order.OrderPaid case 0: the bytes give another value" in done.err) == (1, True)
    file.write_text("junk\n")
    done = scratch.run("release")
    assert (done.code, "line 1 is no golden value" in done.err) == (2, True)


def test_what_was_never_finished_is_not_a_release(scratch: Scratch) -> None:
    scratch.write("schemas/releases/.0.9.0-x/set.json", "half")
    grown(scratch)
    assert scratch.run("release").code == 0
