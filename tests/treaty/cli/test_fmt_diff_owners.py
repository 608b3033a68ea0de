"""``treaty fmt``, ``diff`` and ``owners`` as processes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.treaty.cli.scratch import EVENT, Scratch, changed, project

FILE = "schemas/order/order_paid.avsc"


@pytest.fixture
def scratch(tmp_path: Path) -> Scratch:
    """A repository with one commit on ``main`` and the release 1.0.0."""
    made = project(tmp_path)
    made.git("init", "-q")
    made.run("release", "1.0.0")
    made.commit()
    return made


def test_files_are_put_into_the_layout_and_then_nothing_changes(scratch: Scratch) -> None:
    file = scratch.write(FILE, json.dumps(EVENT))
    done = scratch.run("fmt", "--check", "--diff")
    assert (done.code, FILE in done.out, '+  "namespace": "mall.order"' in done.out) == (1, True, True)
    assert file.read_text() == json.dumps(EVENT), "--check writes nothing"
    assert scratch.run("fmt").code == 0
    assert json.loads(file.read_text()) == EVENT
    assert scratch.run("fmt", "--check", "schemas/order").code == 0
    scratch.write("schemas/order/broken.avsc", "{")
    assert scratch.run("fmt").code == 1
    assert scratch.run("fmt", "treaty.toml").code == 2
    assert scratch.run("fmt", "..").code == 2


def test_facts_come_without_a_verdict(scratch: Scratch) -> None:
    assert scratch.run("diff").out == ""
    scratch.write(FILE, changed(order_id="string", note=None, extra="int"))
    done = scratch.run("diff")
    assert done.code == 0
    assert done.out.splitlines() == [
        "~ type-changed         mall.order.OrderPaid.order_id  long → string",
        "+ field-added          mall.order.OrderPaid.extra  int",
        "- field-removed        mall.order.OrderPaid.note  null or string",
    ]
    for side in ("release:1.0.0", "main", "git:HEAD", "dir:schemas"):
        expected = 0 if side == "dir:schemas" else 3
        rows = json.loads(scratch.run("diff", side, "tree", "--format", "json").out)["differences"]
        assert len(rows) == expected, side
    assert scratch.run("diff", "release:9.9.9").code == 2
    assert scratch.run("diff", "registry:nowhere").code == 2
    assert scratch.run("diff", "--", "--output=x").code == 2


def test_the_block_of_owners_is_kept(scratch: Scratch) -> None:
    assert f"/{FILE} @mall/orders\n" in scratch.run("owners").out
    stale = scratch.run("owners", "--check")
    assert stale.code == 1
    assert stale.err.endswith("  next: treaty owners --write .github/CODEOWNERS\n")
    target = scratch.write(".github/CODEOWNERS", "* @all\n")
    assert scratch.run("owners", "--write", ".github/CODEOWNERS").code == 0
    assert target.read_text().startswith("* @all\n\n# treaty:owners begin")
    assert scratch.run("owners", "--check").code == 0
    target.unlink()
    target.symlink_to(scratch.root / "treaty.toml")
    assert scratch.run("owners", "--write", ".github/CODEOWNERS").code == 2
