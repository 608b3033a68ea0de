"""Sixty-four buyers want a hundred pieces while the order service is killed again and again and Redis loses everything: nobody gets
a piece that is not there, and what nobody pays comes back, once.
"""

from __future__ import annotations

import os
import secrets
from collections import Counter
from random import Random

import httpx
import pytest

from tests.e2e.books import stock_faults
from tests.e2e.company import Company
from tests.e2e.crowd import Crowd
from tests.e2e.ledger import Ledger
from tests.e2e.load import AWAY, PATIENCE_SECONDS
from tests.e2e.looking import Looking
from tests.e2e.market import goods_on_sale, known_to
from tests.e2e.test_kills import let_die
from tests.e2e.test_rebuild import change, rebuilt, redis_of
from tests.e2e.topics import DLQ, ends
from tests.parts.waiting import wait_until

pytestmark = [
    pytest.mark.chaos,
    pytest.mark.kafka,
    pytest.mark.redis,
    pytest.mark.timeout(1800),
    pytest.mark.xdist_group("e2e"),
]
BUYERS, PIECES, KILLS, FLUSHES = 64, 100, 4, 10
ATTEMPTS, GIVES_BACK = 4, 0.4
"""How often each buyer asks for pieces at least, also when all are gone; how often an order is given back instead."""
LOOK_SECONDS, FLUSH_SECONDS, LOOKS = 0.05, 0.3, 20
"""How often the pieces in the tables are counted and Redis is emptied; so many counts there must have been."""


class Rush(Crowd):
    """Within, each buyer orders one to three pieces again and again, some give theirs back, and Redis is emptied.

    ``placed``: pieces of every order that was answered; ``refused``: what buyers were told is left when they got nothing.
    """

    def __init__(self, company: Company, *, goods_id: int, rng: Random) -> None:
        super().__init__()
        self._company, self._goods_id = company, goods_id
        self.placed: dict[int, int] = {}
        self.refused: Counter[int] = Counter()
        self.asked: Counter[int] = Counter()
        self.flushes = 0
        for _ in range(BUYERS):
            self.joins(self._buy, company.new_user(), Random(rng.random()))
        self.joins(self._empty_redis)

    @property
    def is_enough(self) -> bool:
        """Whether everybody has asked often enough, nothing was left for some, and Redis was emptied meanwhile."""
        has_asked = len(self.asked) == BUYERS and min(self.asked.values()) >= ATTEMPTS
        return has_asked and bool(self.refused[0]) and self.flushes >= FLUSHES

    def _buy(self, buyer: int, rng: Random) -> None:
        mine: list[int] = []
        while self.goes_on(rng.uniform(0, 1)):
            if mine and rng.random() < GIVES_BACK:
                self._give_back(buyer, mine.pop())
            elif order_id := self._order(buyer, rng):
                mine.append(order_id)

    def _order(self, buyer: int, rng: Random) -> int:
        """The number of the order, 0 if there were not enough pieces."""
        pieces = rng.randint(1, 3)
        body = {"lines": [{"goods_id": self._goods_id, "quantity": pieces}]}
        answer = self._ask("/api/v1/orders", buyer, key=f"{buyer}-{rng.getrandbits(96):024x}", body=body)
        self.asked[buyer] += 1
        told = answer.json()
        if answer.status_code == 201:
            self.placed[told["order_id"]] = pieces
            return int(told["order_id"])
        assert (answer.status_code, told["error"]) == (409, "out_of_stock"), answer.text
        assert 0 <= told["available"] < pieces, answer.text
        self.refused[told["available"]] += 1
        return 0

    def _give_back(self, buyer: int, order_id: int) -> None:
        answer = self._ask(f"/api/v1/orders/{order_id}/cancel", buyer)
        # A step that is repeated after its answer was lost finds itself done.
        assert answer.status_code == 200 or answer.json()["error"] == "illegal_transition", answer.text

    def _ask(self, path: str, user: int, *, key: str = "", body: object = None) -> httpx.Response:
        """The first answer; a buyer who got none asks the same once more."""
        headers = {"Idempotency-Key": key} if key else {}

        def attempt() -> httpx.Response | None:
            try:
                answer = self._company.call("order", "POST", path, user=user, headers=headers, json=body)
            except httpx.TransportError:
                return None
            return None if answer.status_code in AWAY else answer

        answer = wait_until(attempt, PATIENCE_SECONDS)
        assert answer is not None
        return answer

    def _empty_redis(self) -> None:
        with redis_of(self._company) as redis:
            while self.goes_on(FLUSH_SECONDS):
                redis.flushall()
                self.flushes += 1


@pytest.mark.parametrize("running", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)], indirect=True)
def test_sixty_four_buyers_never_get_more_than_there_is_whatever_dies_or_is_forgotten(company: Company) -> None:
    seed = int(os.environ.get("TREATY_E2E_SEED") or secrets.randbelow(2**32))
    print(f"TREATY_E2E_SEED={seed}")
    rng, dead = Random(seed), ends(company, *DLQ)
    goods_id = goods_on_sale(company, company.new_user(), listed_quantity=PIECES)
    known_to(company, "order", goods_id)
    rush = Rush(company, goods_id=goods_id, rng=rng)
    with Looking(lambda: stock_faults(company), every=LOOK_SECONDS) as looking, rush:
        died = let_die(company, rush, victims=("order",), times=KILLS, rng=rng)
        wait_until(lambda: (rush.is_enough and looking.looks >= LOOKS) or rush.faults, 900)
    company.settle()
    assert not [*rush.faults, *looking.faults(least=LOOKS)]
    assert len(rush.asked) == BUYERS
    assert died == {"order": KILLS}
    assert_counted(company, goods_id, rush)

    with redis_of(company) as redis:
        redis.flushall()  # the due times too: the service's own look at its table finds what nobody paid
    change(company, "order", "UPDATE orders SET pay_before = '2026-01-01 00:00:00.000000' WHERE status = 0")
    wait_until(lambda: company.rows("order", "SELECT count(*) FROM orders WHERE status = 0")[0][0] == 0, 480)
    company.settle()
    assert stock(company, goods_id) == (PIECES, 0, 0)
    told = assert_counted(company, goods_id, rush)
    assert told.notices() == told.expected_notices()
    code, said = rebuilt(company, "cache")
    assert code == 0, said
    shown = company.call("cache", "GET", f"/api/v1/cache/goods/{goods_id}").json()
    assert shown["available"] == PIECES
    assert ends(company, *DLQ) == dead
    print(
        f"{len(rush.placed)} orders, told is left {dict(rush.refused)}, {looking.looks} looks, {rush.flushes} FLUSHALL"
    )


def stock(company: Company, goods_id: int) -> tuple[int, int, int]:
    """Pieces for sale, reserved and sold."""
    row = company.rows("order", "SELECT available, reserved, sold FROM stock WHERE goods_id = :goods", goods=goods_id)[
        0
    ]
    return int(row.available), int(row.reserved), int(row.sold)


def assert_counted(company: Company, goods_id: int, rush: Rush) -> Ledger:
    """Every answered order is there, no other is, and their pieces are those that are gone; told once, in order."""
    ledger = Ledger(company, goods=[goods_id])
    assert sorted(ledger.orders) == sorted(rush.placed)
    available, reserved, sold = stock(company, goods_id)
    held = sum(pieces for order_id, pieces in rush.placed.items() if ledger.orders[order_id].status == 0)
    assert (reserved, sold, available) == (held, 0, PIECES - held)
    assert not ledger.stock_faults()
    assert not ledger.verdicts("order-events", service="notification", group="notification-service")
    assert not ledger.verdicts("goods-events", service="goods", group="goods-service")
    return ledger
