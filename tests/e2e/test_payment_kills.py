"""The payment and the order service are killed again and again while people pay: no money is lost, none is moved twice."""

from __future__ import annotations

import os
import secrets
from collections import Counter
from random import Random
from typing import Any

import httpx
import pytest

from tests.e2e.books import channel_faults, money_faults, unended
from tests.e2e.company import ADMIN, Company
from tests.e2e.crowd import Crowd
from tests.e2e.load import PATIENCE_SECONDS
from tests.e2e.looking import Looking
from tests.e2e.market import goods_on_sale, known_to
from tests.e2e.test_kills import let_die
from tests.e2e.topics import DLQ, ends
from tests.parts.waiting import wait_until

pytestmark = [
    pytest.mark.chaos,
    pytest.mark.kafka,
    pytest.mark.redis,
    pytest.mark.timeout(1800),
    pytest.mark.xdist_group("e2e"),
]
SIZES = {"sqlite": (60, 6), "postgres": (40, 3)}
"""Orders that must be placed and kills of each service; `TREATY_E2E_SCALE` multiplies both."""
LOOKS = 20
"""How often the books must have been read meanwhile."""
PRICES = {"3.50": 12, "1.13": 2, "1.14": 3, "1.15": 2}
"""Prices and how often they are asked for: paid, declined, charged but silent once, two refunds refused."""


class Payers(Crowd):
    """Within, buyers order, pay and ask for their money back, each in a thread of their own."""

    def __init__(self, company: Company, *, buyers: int, rng: Random) -> None:
        super().__init__()
        self._company = company
        self.seller = company.new_user()
        self.goods = {
            price: goods_on_sale(company, self.seller, listed_quantity=1_000, price=price, title=f"Lamp for {price}")
            for price in PRICES
        }
        for goods_id in self.goods.values():
            known_to(company, "order", goods_id)
        self.orders: dict[int, int] = {}
        self.answers: Counter[str] = Counter()
        for _ in range(buyers):
            self.joins(self._live, company.new_user(), Random(rng.random()))

    def _live(self, buyer: int, rng: Random) -> None:
        while self.goes_on(rng.uniform(0, 0.2)):
            goods_id = self.goods[rng.choices(list(PRICES), weights=list(PRICES.values()))[0]]
            body: dict[str, Any] = {"lines": [{"goods_id": goods_id, "quantity": 1}]}
            placed = self._ask("order", "/api/v1/orders", buyer, rng, body=body)
            if placed is None or placed.status_code != 201:
                continue
            order_id = int(placed.json()["order_id"])
            self.orders[order_id] = buyer
            for _ in range(rng.choice((1, 1, 2))):
                self._ask("payment", "/api/v1/payments", buyer, rng, body={"order_id": order_id, "method": "CARD"})
            if rng.random() < 0.4:
                self.pause(rng.uniform(0, 2))
                self._ask("order", f"/api/v1/orders/{order_id}/refund", buyer, rng)

    def _ask(
        self, service: str, path: str, user: int, rng: Random, *, body: dict[str, Any] | None = None
    ) -> httpx.Response | None:
        headers = {} if body is None else {"Idempotency-Key": f"{rng.getrandbits(96):024x}"}

        def attempt() -> httpx.Response | None:
            try:
                answer = self._company.call(service, "POST", path, user=user, headers=headers, json=body)
            except httpx.TransportError:
                return None
            # A payment of an order that the payment service has not heard of yet is asked for again.
            return None if answer.status_code in (404, 502, 503, 504) else answer

        try:
            answer = wait_until(attempt, PATIENCE_SECONDS)
        except AssertionError as fault:
            self.faults.append(f"POST {path} as {user}: {fault}")
            return None
        if answer is not None:
            self.answers[answer.json().get("error", "ok")] += 1
        return answer


@pytest.mark.parametrize("running", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)], indirect=True)
def test_killed_services_lose_no_money_and_move_none_twice(company: Company) -> None:
    seed = int(os.environ.get("TREATY_E2E_SEED") or secrets.randbelow(2**32))
    print(f"TREATY_E2E_SEED={seed}")
    rng, scale = Random(seed), float(os.environ.get("TREATY_E2E_SCALE", "1"))
    orders, kills = (round(size * scale) for size in SIZES[company.layout.database])
    dead = ends(company, *DLQ)
    looking = Looking(lambda: money_faults(company), every=0.05)
    with looking, Payers(company, buyers=5, rng=rng) as payers:
        died = let_die(company, payers, victims=("payment", "order"), times=kills, rng=rng)
        wait_until(lambda: (len(payers.orders) >= orders and looking.looks >= LOOKS) or payers.faults, 900)
    company.settle()
    assert not payers.faults
    assert died == {"payment": kills, "order": kills}
    # Refunds that the channel refused are tried again each minute; what nobody answered is given up after five.
    wait_until(lambda: unended(company) == 0, 900)
    company.settle()
    print(f"{len(payers.orders)} orders, {statuses(company)}, books read {looking.looks} times, {dict(payers.answers)}")
    assert not looking.faults(least=LOOKS)
    assert_the_books_agree(company)
    assert ends(company, *DLQ) == dead


def statuses(company: Company) -> dict[str, int]:
    return {row[0]: row[1] for row in company.rows("payment", "SELECT status, count(*) FROM payment GROUP BY status")}


def assert_the_books_agree(company: Company) -> None:
    """The channel's books, ours, and the orders say the same."""
    sums = company.call("payment", "GET", "/api/v1/accounting/conservation", user=ADMIN).json()
    assert sums["difference"] == 0
    assert channel_faults(company) == []
