"""What the demo shows, as text."""

from __future__ import annotations

import io

from rich.console import Console

from treaty.local import live
from treaty.local.live import Rates
from treaty.local.measure import HANDLED, PUBLISHED, Effect, Facts, sums_of
from treaty.local.shoppers import Tally
from treaty.local.view import Row, View

FACTS = Facts(
    sums={PUBLISHED: 60, HANDLED: 150, "kafka_dlq_messages_total": 1},
    lags={"order-view": 0, "cache-service": 4},
    ranking=[("蓝牙耳机", 41)],
    effects=[Effect(at="08:00:01", user=21, text="下单成功: ORD-1")],
    seconds=65,
)


def shown(facts: Facts, *rows: Row, width: int = 120) -> str:
    console = Console(file=io.StringIO(), width=width)
    tally = Tally()
    tally.done.update({"view": 30, "order": 4})
    tally.refused.update({"out_of_stock": 2})
    console.print(live.screen(facts, tally=tally, rates=Rates(), rows=rows, page="http://localhost:8082/quick-test"))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_the_screen_names_events_lag_requests_ranking_and_effects() -> None:
    text = shown(FACTS, Row(name="kafka", address="localhost:40093", condition="ready"))
    for words in (
        "● kafka",
        "1:05",
        "published",
        "cache-service",
        "refused: out_of_stock",
        "蓝牙耳机",
        "下单成功",
        "/quick-test",
    ):
        assert words in text


def test_an_ended_part_is_shown_with_its_last_lines() -> None:
    row = Row(name="order", address="localhost:8082", condition="ended", detail="status 1", tail="  | no such table")
    assert "order: status 1\n  | no such table" in shown(FACTS, row)


def test_a_narrow_terminal_is_no_fault() -> None:
    assert "kafka" in shown(FACTS, Row(name="kafka", address="localhost:40093"), width=20)


def test_rates_are_growth_over_the_last_looks() -> None:
    rates = Rates()
    assert rates.of(PUBLISHED) == 0
    for second in range(10):
        rates.take(Facts(sums={PUBLISHED: 3 * second}, seconds=second))
    assert rates.of(PUBLISHED) == 3
    assert rates.of(HANDLED) == 0


def test_the_summary_says_what_failed_only_if_something_did() -> None:
    assert live.summary(FACTS, Tally())[1] == "Events: 60 published, 150 handled, 1 dead letters, lag 4."
    assert len(live.summary(FACTS, Tally())) == 2
    broken = Tally(last_fault="GET /x: no answer")
    broken.failed["view"] = 1
    assert live.summary(FACTS, broken)[-1] == "Failed: 1; last: GET /x: no answer."


def test_metrics_are_summed_over_labels() -> None:
    text = (
        "# TYPE kafka_producer_messages counter\n"
        'kafka_producer_messages_total{topic="a",event_type="X"} 2\n'
        'kafka_producer_messages_total{topic="b",event_type="Y"} 3\n'
    )
    assert sums_of(text)[PUBLISHED] == 5


def test_without_a_terminal_every_change_is_one_line() -> None:
    console = Console(file=io.StringIO(), width=100)
    view = View(console)
    row = Row(name="kafka", address="localhost:40093", condition="ready")
    view.changed(row)
    view.changed(row)
    view.progress(1, 2)
    assert isinstance(console.file, io.StringIO)
    assert console.file.getvalue() == "kafka         ready    localhost:40093\n"
