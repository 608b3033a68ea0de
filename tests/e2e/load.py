"""Buyers who do not give up: each request is repeated with the same Idempotency-Key until a service has answered it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from random import Random
from typing import Any

import httpx

from tests.e2e.company import ADMIN, Company
from tests.e2e.crowd import Crowd
from tests.e2e.market import goods_on_sale, known_to
from tests.parts.waiting import wait_until

PATIENCE_SECONDS = 300.0
PAUSE_SECONDS = 0.2
AWAY = frozenset({502, 503, 504})
STEPS = {"PENDING_PAYMENT": "mark-paid", "PAID": "ship", "SHIPPED": "confirm"}


class Load(Crowd):
    """Within, buyers order, pay, cancel and write, each in a thread of their own.

    ``refused`` counts answers that say no by the rules of the mall, ``faults`` are answers that nobody may ever give.
    """

    def __init__(
        self,
        company: Company,
        *,
        goods: int,
        pieces: int,
        buyers: int,
        rng: Random,
        new_user: Callable[[], int] | None = None,
    ) -> None:
        """``new_user``: who buys and sells; None: users without an account, whom no mail reaches."""
        super().__init__()
        self._company = company
        new_user = new_user or company.new_user
        self.sellers = [new_user() for _ in range(4)]
        self.buyers = [new_user() for _ in range(buyers)]
        self.goods = [
            goods_on_sale(company, rng.choice(self.sellers), listed_quantity=pieces, title=f"Lamp {number}")
            for number in range(goods)
        ]
        for goods_id in self.goods:
            known_to(company, "order", goods_id)
            known_to(company, "chat", goods_id)
        self.keys: dict[str, int] = {}
        self.messages: Counter[int] = Counter()
        self.refused = Counter[str]()
        for buyer in self.buyers:
            self.joins(self._live, buyer, Random(rng.random()))

    def _live(self, buyer: int, rng: Random) -> None:
        talks: dict[int, int] = {}
        while self.goes_on(rng.uniform(0, PAUSE_SECONDS)):
            if rng.random() < 0.25:
                self._write(buyer, rng.choice(self.goods), talks)
            elif rng.random() < 0.2:
                self._look(buyer, rng.choice(self.goods))
            else:
                self._order(buyer, rng)

    def _order(self, buyer: int, rng: Random) -> None:
        key = f"order-{buyer}-{rng.getrandbits(64):016x}"
        line = {"goods_id": rng.choice(self.goods), "quantity": rng.randint(1, 3)}
        answer = self._insist("order", "/api/v1/orders", user=buyer, key=key, body={"lines": [line]})
        if answer is None:
            return
        deal = answer.json()
        self.keys[key] = deal["order_id"]
        for status in list(STEPS)[: rng.choice([0, 1, 1, 2, 3])]:
            users = {"PENDING_PAYMENT": ADMIN, "PAID": deal["seller_id"], "SHIPPED": buyer}
            step = "cancel" if status == "PENDING_PAYMENT" and rng.random() < 0.3 else STEPS[status]
            user = buyer if step == "cancel" else users[status]
            self._insist("order", f"/api/v1/orders/{deal['order_id']}/{step}", user=user)
            if step == "cancel":
                return

    def _write(self, buyer: int, goods_id: int, talks: dict[int, int]) -> None:
        if goods_id not in talks:
            answer = self._insist("chat", "/api/v1/conversations", user=buyer, body={"goods_id": goods_id})
            if answer is None:
                return
            talks[goods_id] = answer.json()["conversation_id"]
        path, number = f"/api/v1/conversations/{talks[goods_id]}/messages", self.messages[talks[goods_id]] + 1
        if self._insist(
            "chat", path, user=buyer, key=f"message-{talks[goods_id]}-{number}", body={"text": f"{number}?"}
        ):
            self.messages[talks[goods_id]] = number

    def _look(self, buyer: int, goods_id: int) -> None:
        with suppress(httpx.TransportError):  # who only looks does not insist
            answer = self._company.call("goods", "GET", f"/api/v1/goods/{goods_id}", user=buyer)
            assert answer.status_code in {200, *AWAY}, answer.text

    def _insist(
        self, service: str, path: str, *, user: int, key: str | None = None, body: dict[str, Any] | None = None
    ) -> httpx.Response | None:
        """The answer of the first attempt that got one; None for a refusal by the rules."""
        headers = {} if key is None else {"Idempotency-Key": key}
        attempts = 0

        def attempt() -> httpx.Response | None:
            nonlocal attempts
            attempts += 1
            try:
                answer = self._company.call(service, "POST", path, user=user, headers=headers, json=body)
            except httpx.TransportError:
                return None
            return None if answer.status_code in AWAY else answer

        answer = wait_until(attempt, PATIENCE_SECONDS)
        assert answer is not None
        if answer.is_success:
            return answer
        word = answer.json().get("error", "")
        # A step that is repeated after its answer was lost finds itself done.
        is_allowed = word in ("out_of_stock", "not_on_sale") or (word == "illegal_transition" and attempts > 1)
        assert is_allowed, f"POST {path} as {user}: {answer.status_code} {answer.text}"
        self.refused[word] += 1
        return None
