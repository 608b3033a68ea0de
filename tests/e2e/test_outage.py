"""A server goes away and comes back: requests succeed meanwhile, nothing is dead-lettered, everything arrives afterwards."""

from __future__ import annotations

import os
import signal
import threading
import time

import pytest

from tests.e2e.company import Company
from tests.e2e.ledger import Ledger
from tests.e2e.market import goods_on_sale, inbox, known_to, order
from tests.e2e.topics import DLQ, ends
from tests.parts.waiting import wait_until

pytestmark = [
    pytest.mark.chaos,
    pytest.mark.kafka,
    pytest.mark.redis,
    pytest.mark.timeout(1800),
    pytest.mark.xdist_group("e2e"),
]
AWAY_SECONDS = float(os.environ.get("TREATY_E2E_OUTAGE_SECONDS", "20"))
PAUSE_SECONDS = 0.1
PIECES = 1_000 + int(AWAY_SECONDS / PAUSE_SECONDS)


def test_orders_succeed_while_kafka_is_killed_and_everything_arrives_afterwards(company: Company) -> None:
    goods_id, buyer = some_goods(company), company.new_user()
    dead = ends(company, *DLQ)
    company.kill("kafka")
    placed = order_for(company, buyer, goods_id, seconds=AWAY_SECONDS)
    assert waits_for_kafka(company), company.readiness("order")
    company.restart("kafka")

    company.settle()
    assert_told(company, goods_id, placed)
    assert ends(company, *DLQ) == dead


def test_orders_succeed_while_kafka_hangs(company: Company) -> None:
    goods_id, buyer = some_goods(company), company.new_user()
    dead = ends(company, *DLQ)
    broker = company.part("kafka").process.pid
    os.kill(broker, signal.SIGSTOP)  # its connections stay open and nobody answers: worse than a refusal
    try:
        placed = order_for(company, buyer, goods_id, seconds=AWAY_SECONDS / 2)
        wait_until(lambda: waits_for_kafka(company))
    finally:
        os.kill(broker, signal.SIGCONT)

    company.settle()
    assert_told(company, goods_id, placed)
    assert ends(company, *DLQ) == dead


def test_a_registry_that_is_away_stops_nobody_who_knows_the_schemas(company: Company) -> None:
    goods_id, buyer = some_goods(company), company.new_user()
    placed = [order(company, buyer, goods_id)["order_id"]]
    wait_until(lambda: len(inbox(company, buyer)) == 1)
    company.kill("registry")
    try:
        placed.append(order(company, buyer, goods_id)["order_id"])
        wait_until(lambda: len(inbox(company, buyer)) == 2)
        assert company.readiness("order")[0] == 200
    finally:
        company.restart("registry")
    company.settle()
    assert_told(company, goods_id, placed)


def test_a_service_that_starts_without_the_registry_takes_orders_and_tells_them_later(company: Company) -> None:
    goods_id, buyer = some_goods(company), company.new_user()
    dead = ends(company, *DLQ)
    company.kill("registry")
    try:
        for service in ("order", "notification"):
            company.stop(service)
            company.restart(
                service
            )  # ready: it takes requests; that its schemas are unchecked is no reason to refuse them
        placed = [order(company, buyer, goods_id)["order_id"]]
        assert inbox(company, buyer) == []
    finally:
        company.restart("registry")
    company.settle()
    assert_told(company, goods_id, placed)
    assert ends(company, *DLQ) == dead


def test_a_cache_without_redis_says_so_and_catches_up(company: Company) -> None:
    goods_id, buyer = some_goods(company), company.new_user()
    dead = ends(company, *DLQ)
    company.kill("redis")
    try:
        answer = company.call("cache", "GET", "/api/v1/ranking/hot")
        assert (answer.status_code, answer.json()["error"]) == (503, "cache_unavailable")
        assert answer.headers["Retry-After"] == "5"
        placed = [order(company, buyer, goods_id, quantity=3)["order_id"]]
        wait_until(lambda: company.readiness("cache")[1].get("redis") == "degraded")
        assert company.readiness("cache")[0] == 200
    finally:
        company.restart("redis")
    company.settle()
    assert_told(company, goods_id, placed)
    places = company.call("cache", "GET", "/api/v1/ranking/hot?limit=100").json()["goods"]
    assert next(place["score"] for place in places if place["goods_id"] == goods_id) == 15
    assert ends(company, *DLQ) == dead


def some_goods(company: Company) -> int:
    goods_id = goods_on_sale(company, company.new_user(), listed_quantity=PIECES)
    known_to(company, "order", goods_id)
    wait_until(lambda: not company.behind())
    return goods_id


def order_for(company: Company, buyer: int, goods_id: int, *, seconds: float) -> list[int]:
    """Some orders a second for so long; each must be taken."""
    end, pace = time.monotonic() + seconds, threading.Event()
    placed = []
    while time.monotonic() < end:
        placed.append(order(company, buyer, goods_id)["order_id"])
        pace.wait(PAUSE_SECONDS)
    return placed


def waits_for_kafka(company: Company) -> bool:
    """Whether the order service says that it is ready, though Kafka is not."""
    status, body = company.readiness("order")
    return status == 200 and body["kafka"] == "degraded"


def assert_told(company: Company, goods_id: int, placed: list[int]) -> None:
    """Every order's event is in the topic and had its effects once, in order."""
    ledger = Ledger(company, goods=[goods_id])
    assert sorted(ledger.orders) == placed
    assert not ledger.verdicts("order-events", service="notification", group="notification-service")
    assert not ledger.verdicts("goods-events", service="goods", group="goods-service")
    assert ledger.notices() == ledger.expected_notices()
    assert not ledger.stock_faults()
