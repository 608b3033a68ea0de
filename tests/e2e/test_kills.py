"""The order service, which relays, and the notification service are killed again and again under load: nothing is lost, nothing
happens twice, and no key's events change places.
"""

from __future__ import annotations

import os
import secrets
import time
from collections import Counter
from collections.abc import Callable, Iterator
from random import Random

import httpx
import pytest

from tests.e2e.company import Company
from tests.e2e.crowd import Crowd
from tests.e2e.ledger import Ledger
from tests.e2e.load import Load
from tests.e2e.topics import DLQ, Seen, ends, records
from tests.parts.waiting import wait_until
from treaty.local.stack import answers

pytestmark = [
    pytest.mark.chaos,
    pytest.mark.kafka,
    pytest.mark.redis,
    pytest.mark.timeout(1800),
    pytest.mark.xdist_group("e2e"),
]
SIZES = {"sqlite": (300, 10), "postgres": (120, 3)}
"""Orders that must be placed and kills of each service; `TREATY_E2E_SCALE` multiplies both."""

WORKED = {
    "order": "kafka_producer_messages_total",
    "payment": "kafka_producer_messages_total",
    "notification": "kafka_consumer_messages_total",
    "user": "kafka_producer_messages_total",
    "audit": "kafka_consumer_messages_total",
}
"""The counter that says that a service has done since its start what the kill is to interrupt."""


@pytest.mark.parametrize("running", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)], indirect=True)
def test_killed_services_lose_nothing_and_do_nothing_twice(company: Company) -> None:
    seed = int(os.environ.get("TREATY_E2E_SEED") or secrets.randbelow(2**32))
    print(f"TREATY_E2E_SEED={seed}")
    rng, scale = Random(seed), float(os.environ.get("TREATY_E2E_SCALE", "1"))
    orders, kills = (round(size * scale) for size in SIZES[company.layout.database])
    dead = ends(company, *DLQ)

    load = Load(company, goods=20, pieces=orders // 8, buyers=6, rng=rng)
    with load:
        done = let_die(company, load, victims=("order", "notification"), times=kills, rng=rng)
        wait_until(lambda: len(load.keys) >= orders or load.faults, 900)
    company.settle()

    assert not load.faults
    assert done == {"order": kills, "notification": kills}
    ledger = Ledger(company, goods=load.goods)
    print(
        f"{len(ledger.orders)} orders, {len(ledger.messages)} messages, {ledger.copies()} copies, {dict(load.refused)}"
    )
    assert sorted(load.keys.values()) == sorted(
        ledger.orders
    )  # each key's answer is one order, and no order is beside them
    assert sum(load.messages.values()) == len(ledger.messages)
    assert not [
        *ledger.verdicts("order-events", service="notification", group="notification-service"),
        *ledger.verdicts("chat-events", service="notification", group="notification-service"),
        *ledger.verdicts("goods-events", service="goods", group="goods-service"),
        *ledger.verdicts(
            "order-events", service="order", group="order-view", only=("ORDER_CREATED", "ORDER_STATUS_CHANGED")
        ),
    ]
    assert ledger.notices() == ledger.expected_notices()
    assert not ledger.stock_faults()
    assert_projections_agree(company, ledger)
    assert ends(company, *DLQ) == dead


def let_die(company: Company, load: Crowd, *, victims: tuple[str, ...], times: int, rng: Random) -> Counter[str]:
    """Kills each victim so often, side by side; how often each died."""
    died: Counter[str] = Counter()
    lives = {name: life(company, name, times=times, rng=rng, died=died) for name in victims}
    waiting = {name: next(steps) for name, steps in lives.items()}
    end = time.monotonic() + 1200
    while waiting and not load.faults:
        assert time.monotonic() < end, f"only {died} in 1,200 s"
        for name in [name for name, condition in waiting.items() if condition()]:
            following = next(lives[name], None)
            waiting.pop(name) if following is None else waiting.update({name: following})
        load.pause(0.05)
    return died


def life(company: Company, name: str, *, times: int, rng: Random, died: Counter[str]) -> Iterator[Callable[[], bool]]:
    """What is waited for before each death: nothing, readiness, or that it works again; then a random moment."""
    for _ in range(times):
        depth = rng.choice(["begun", "ready", "working", "working"])
        if depth != "begun":
            yield lambda: serves(company, name)
        if depth == "working":
            yield lambda: works(company, name)
        moment = time.monotonic() + rng.uniform(0, 1)
        yield lambda moment=moment: time.monotonic() >= moment  # type: ignore[misc]  # the default binds the loop's value
        company.kill(name)
        died[name] += 1
        company.start(name)


def serves(company: Company, name: str) -> bool:
    """Whether it calls itself ready."""
    assert company.is_alive(name), f"{name} ended by itself: {company.layout.log(name)}"
    return answers(company.part(name))


def works(company: Company, name: str) -> bool:
    """Whether it has relayed or handled something since its start."""
    try:
        return company.metric(name, WORKED[name]) > 0
    except httpx.TransportError:
        return False


def assert_projections_agree(company: Company, ledger: Ledger) -> None:
    """The query side, live pushes and the ranking say what the tables say."""
    views = {row.order_id: row for row in company.rows("order", "SELECT order_id, status, version FROM order_view")}
    assert {order: (views[order].status, views[order].version) for order in ledger.orders} == {
        order: (row.status, row.version) for order, row in ledger.orders.items()
    }
    rows = company.rows(
        "notification", "SELECT user_id, sequence, event_id FROM notification ORDER BY user_id, sequence"
    )
    pushed = [record.key for record in first_copies(records(company, "user.notifications"))]
    assert Counter(pushed) == Counter(str(row.user_id) for row in rows)
    for user in {row.user_id for row in rows}:
        numbers = [row.sequence for row in rows if row.user_id == user]
        assert numbers == list(range(1, len(numbers) + 1))


def first_copies(found: list[Seen]) -> list[Seen]:
    """Records without the later copies of the same event."""
    return list({record.event_id: record for record in reversed(found)}.values())
