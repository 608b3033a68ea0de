"""Observed readers: what services really count, held against what is declared."""

from __future__ import annotations

import io
from pathlib import Path
from typing import BinaryIO, cast

import pytest

from tests.treaty.cli.scratch import EVENT, Scratch, project
from tests.treaty.ops.counting import metrics
from treaty.cli.readers import text_of
from treaty.config import Settings
from treaty.errors import UsageError
from treaty.ops.observed import METRIC, Observed, observed
from treaty.ops.readers import answer
from treaty.ops.schemas import load_project
from treaty_codegen import Catalog

TOPICS = """format = 1
[topic."order-events"]
doc = "The life of an order."
owner = "@mall/orders"
key = "order_id"
event_type = "upper"
events = ["mall.order.OrderPaid", "mall.order.OrderHeld"]
producers = ["order"]
[topic."order-events".consumer.billing-service]
service = "billing"
events = ["OrderPaid"]
[topic."order-events".consumer.reports]
external = "@bi"
[topic."order-events".consumer."push-*"]
service = "push"
[service.order]
owner = "@mall/orders"
code = "services/order"
[service.billing]
owner = "@mall/billing"
code = "services/billing"
[service.push]
owner = "@mall/push"
code = "services/push"
"""
PAID, HELD = "mall.order.OrderPaid", "mall.order.OrderHeld"


@pytest.fixture
def scratch(tmp_path: Path) -> Scratch:
    made = project(tmp_path, topics=TOPICS)
    made.write("schemas/order/order_held.avsc", EVENT | {"name": "OrderHeld"})
    return made


@pytest.fixture
def catalog(scratch: Scratch) -> Catalog:
    return load_project(settings_of(scratch))


def settings_of(scratch: Scratch) -> Settings:
    return Settings.load(None, {}, start=scratch.root)


def row(event: str, service: str, group: str, kind: str, records: int) -> Observed:
    return Observed(event=event, service=service, group=group, kind=kind, records=records)  # type: ignore[arg-type]  # one of three words


def test_processes_are_summed_and_a_declared_reader_is_observed(catalog: Catalog) -> None:
    one, other = (metrics("billing", ("billing-service", "order-events", "ORDER_PAID"), times=n) for n in (3, 2))
    wanted = [row(PAID, "billing", "billing-service", "observed", 5)]
    assert observed(catalog, [one, other]) == wanted
    assert observed(catalog, [one, other, one]) == wanted, "the same text again is no other process"


def test_who_reads_without_being_declared_is_named_and_who_is_silent_too(catalog: Catalog) -> None:
    text = metrics("billing", ("billing-service", "order-events", "ORDER_HELD"))
    assert observed(catalog, [text]) == [
        row(HELD, "billing", "billing-service", "undeclared", 1),
        row(PAID, "billing", "billing-service", "silent", 0),
    ]


def test_a_reader_of_others_is_declared_and_a_group_of_another_service_is_not(catalog: Catalog) -> None:
    text = metrics("bi", ("reports", "order-events", "ORDER_PAID"), ("billing-service", "order-events", "ORDER_PAID"))
    assert observed(catalog, [text]) == [
        row(PAID, "bi", "billing-service", "undeclared", 1),
        row(PAID, "bi", "reports", "observed", 1),
    ]


def test_a_service_that_told_nothing_is_not_called_silent(catalog: Catalog) -> None:
    assert observed(catalog, []) == []
    assert observed(catalog, [metrics("order")]) == []


def test_a_group_of_each_process_and_a_retry_topic_are_the_declared_ones(catalog: Catalog) -> None:
    text = metrics("push", ("push-host-1", "order-events", "ORDER_PAID"), ("push-host-1", "push.retry.1", "ORDER_HELD"))
    assert [(each.event, each.kind) for each in observed(catalog, [text])] == [(HELD, "observed"), (PAID, "observed")]


def test_a_type_that_no_topic_carries_is_told_as_it_was_counted(catalog: Catalog) -> None:
    text = metrics("billing", ("billing-service", "old-events", "ORDER_BURIED"))
    assert row("old-events ORDER_BURIED", "billing", "billing-service", "undeclared", 1) in observed(catalog, [text])


def test_what_is_no_text_of_metrics_is_refused(catalog: Catalog) -> None:
    for junk in ("<html>not found</html>", "a b c d", '{"a": 1}', "\ufffd\ufffd \ufffd", "", "\n", "# nothing\n"):
        with pytest.raises(UsageError, match="not what a service counts"):
            observed(catalog, [junk])


@pytest.mark.parametrize("value", ["NaN", "+Inf", "-Inf", "1e999", "-1"])
def test_a_count_that_is_none_is_refused(catalog: Catalog, value: str) -> None:
    labels = 'service="billing",consumergroup="billing-service",topic="order-events",event_type="ORDER_PAID"'
    with pytest.raises(UsageError, match="not what a service counts"):
        observed(catalog, [f"{METRIC}{{{labels}}} {value}\n"])


def test_the_answer_is_of_the_event_and_the_service_that_were_asked_for(scratch: Scratch) -> None:
    text = metrics("push", ("push-1", "order-events", "ORDER_PAID"), ("push-1", "order-events", "ORDER_HELD"))
    found = answer(settings_of(scratch), what="OrderHeld.note", counted=[text])
    assert [each.event for each in found.observed] == [HELD]
    assert answer(settings_of(scratch), service="billing", counted=[text]).observed == ()


def test_what_prints_rows_is_refused_where_none_are_printed(scratch: Scratch) -> None:
    refused = scratch.run("readers", "--write", "--format", "json")
    assert (refused.code, "print no rows" in refused.err) == (2, True)
    assert not (scratch.root / "schemas" / "readers.lock").exists()


def test_the_command_takes_files_and_what_is_piped_in(scratch: Scratch) -> None:
    text = metrics("billing", ("billing-service", "order-events", "ORDER_PAID"), times=2)
    scratch.write("billing.txt", text)
    done = scratch.run("readers", "OrderPaid", "--observed", "billing.txt", "--observed", "billing.txt")
    assert (done.code, done.out.splitlines()[-1]) == (
        0,
        "observed  mall.order.OrderPaid  billing-service  (billing)  2 records",
    )
    refused = scratch.run("readers", "--observed", "treaty.toml")
    assert (refused.code, "curl -s http://SERVICE/metrics" in refused.err) == (2, True)
    assert scratch.run("readers", "--observed", "nowhere.txt").code == 2


def test_a_text_that_is_too_long_is_not_read_to_its_end() -> None:
    class Endless(io.RawIOBase):
        name = "/dev/zero"

        def read(self, size: int = -1) -> bytes:
            assert size >= 0, "without an end, all there is would be read"
            return b"#" * size

    with pytest.raises(UsageError, match="/dev/zero holds more than 64000000 bytes"):
        text_of(cast("BinaryIO", Endless()))
    assert text_of(io.BytesIO(b"a \xff")) == "a \ufffd"


def test_what_a_service_says_makes_no_row_of_its_own_and_nothing_of_it_is_obeyed(scratch: Scratch) -> None:
    """On the screen and in a file alike: a log prints files too."""
    forged = "observed  mall.order.OrderPaid  audit-service  (audit)  9 records"
    services = (f"a\\n{forged}", "a\x1b[2J", "a\\n::error::all is lost", "##[error]all is lost")
    text = "".join(
        f'{METRIC}{{service="{service}",consumergroup="g",topic="order-events",event_type="ORDER_PAID"}} 1\n'
        for service in services
    )
    scratch.write("hostile.txt", text)
    asked = ("readers", "OrderPaid", "--observed", "hostile.txt")
    shown = scratch.run(*asked, GITHUB_ACTIONS="true")
    assert scratch.run(*asked, "--output", "rows", GITHUB_ACTIONS="true").code == 0
    for told in (shown.out, (scratch.root / "rows").read_text(encoding="utf-8")):
        lines = told.splitlines()
        assert sum(line.startswith("undeclared") for line in lines) == len(services), told
        assert not any(line.startswith(("observed", "::")) or "##[" in line or "\x1b" in line for line in lines), told
