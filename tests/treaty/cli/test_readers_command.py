"""``treaty readers``, and the readers in what ``treaty breaking`` says, as processes."""

from __future__ import annotations

import json
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


@pytest.fixture
def scratch(tmp_path: Path) -> Scratch:
    made = project(tmp_path, toml='package = "events"\n[breaking]\nagainst = ["releases"]\n', topics=TOPICS + READER)
    made.write(
        "services/billing/handlers.py", "from events.order import OrderPaid\ndef f(event: OrderPaid):\n    event.note\n"
    )
    return made


def test_a_line_that_reads_a_field_is_named(scratch: Scratch) -> None:
    done = scratch.run("readers", "OrderPaid.note")
    assert done.code == 0
    assert done.out.splitlines() == [
        "declared  billing-service  (billing)",
        "reads     mall.order.OrderPaid.note  billing  services/billing/handlers.py:3",
    ]
    assert "No reader found. That is no proof" in scratch.run("readers", "OrderPaid.order_id").err
    assert scratch.run("readers", "OrderPayed").err.startswith(
        "treaty: No topic carries an event `OrderPayed`: did you mean"
    )
    assert scratch.run("readers", "--service", "biling").code == 2


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("OrderPaid.noet", "mall.order.OrderPaid has no field `noet`: did you mean `note`?"),
        ("mall.order.OrderPaid.note.text", "mall.order.OrderPaid has no field `note.text`"),
    ],
)
def test_nobody_reads_it_is_no_answer_for_a_field_that_is_not_there(scratch: Scratch, what: str, words: str) -> None:
    done = scratch.run("readers", what)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(f"treaty: {words}")


def test_a_removed_field_names_its_readers(scratch: Scratch) -> None:
    assert scratch.run("release", "1.0.0").code == 0
    scratch.write("schemas/order/order_paid.avsc", changed(note=None))
    done = scratch.run("breaking")
    assert (done.code, "  read by: billing services/billing/handlers.py:3\n" in done.out) == (1, True)
    rows = json.loads(scratch.run("breaking", "--format", "json").out)["findings"]
    assert rows[0]["readers"] == [
        {"service": "billing", "file": "services/billing/handlers.py", "line": 3, "why": None, "exhaustive": False}
    ]
    scratch.write("services/billing/handlers.py", "")
    assert scratch.run("breaking").code == 0, "all code was looked at, and nobody reads it"


def test_a_lock_says_what_code_reads_that_is_not_here(
    scratch: Scratch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    done = scratch.run("readers", "--write")
    assert (done.code, done.err) == (0, "schemas/readers.lock: 1 reads of 1 services.\n")
    lock = scratch.root / "schemas/readers.lock"
    text = lock.read_text(encoding="utf-8")
    assert scratch.run("readers", "--write").code == 0
    assert lock.read_text(encoding="utf-8") == text

    other = project(
        tmp_path_factory.mktemp("other"),
        toml='package = "events"\n[breaking]\nagainst = ["releases"]\n',
        topics=TOPICS + READER,
    )
    assert other.run("release", "1.0.0").code == 0
    other.write("schemas/order/order_paid.avsc", changed(note=None))
    before = other.run("breaking")
    assert (before.code, "read by" in before.out) == (1, False), "nobody knows who reads it"
    done = other.run("readers", "--merge", str(lock))
    assert (done.code, done.err) == (0, "schemas/readers.lock: 1 reads of 1 services.\n")
    assert "  read by: billing services/billing/handlers.py:3\n" in other.run("breaking").out
    assert "billing  services/billing/handlers.py:3" in other.run("readers", "OrderPaid").out
    lock.write_text(text.replace('"line": 3', '"line": 30'), encoding="utf-8")
    other.run("readers", "--merge", str(lock))
    assert "handlers.py:30" in other.run("readers", "OrderPaid").out, "its newest word counts"


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"format": 2, "services": {}}', '{"format": 1, "services": {"a": {}}}', "[" * 9000,
     '{"format": 1, "services": {"a\\n::error::x": {"reads": [], "unknown": [], "handled": []}}}',
     '{"format": 1, "services": {"a": {"reads": [], "unknown": [], "handled": [{"file": "a", "line": "1", "event": "b"}]}}}'],
)  # fmt: skip
def test_a_lock_that_is_none_ends_with_2(scratch: Scratch, text: str) -> None:
    scratch.write("schemas/readers.lock", text)
    assert scratch.run("readers").code == 2


def test_no_command_goes_on_without_a_lock_that_it_cannot_read(scratch: Scratch) -> None:
    scratch.write("schemas/readers.lock", "{}")
    for words in (("breaking",), ("lint",), ("readers", "--write"), ("readers", "--merge", "nowhere.lock")):
        assert scratch.run(*words).code == 2, words
