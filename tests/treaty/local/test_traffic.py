"""The demo's people: what they ask next follows from what they have learned."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

from treaty.local.keys import ADMIN_USER_ID
from treaty.local.rest import Answer
from treaty.local.shoppers import Tally
from treaty.local.traffic import (
    BUYERS,
    ENOUGH_GOODS,
    LOOKS,
    SELLERS,
    SOURCES,
    Call,
    Deal,
    World,
    goods_for_sale,
    learn,
    next_call,
)


def ok(**body: Any) -> Answer:
    return Answer(status=200, body=body)


class Mall:
    """Answers as the services do, at once."""

    def __init__(self) -> None:
        self.number = 9007199254740993
        self.orders: dict[int, dict[str, Any]] = {}
        self.first = 0

    def answer(self, call: Call) -> Answer:
        if call.kind == "list":
            number = self._next()
            self.first = self.first or number
            return ok(goods_id=number, seller_id=call.user)
        if call.kind in ("submit", "approve"):
            return ok(goods_id=call.subject, seller_id=SELLERS[0], status="ON_SALE")
        if call.kind == "order":
            number = self._next()
            people = {"buyer_id": call.user, "seller_id": SELLERS[0]}
            self.orders[number] = {"order_id": number, "status": "PENDING_PAYMENT"} | people
            return ok(**self.orders[number])
        if call.kind == "pay":
            assert call.body is not None
            self.orders[call.body["order_id"]]["status"] = "PAID"
            return ok(payment_id="p", status="CREATED")
        if call.kind in ("look", "refund"):
            return ok(**self.orders[call.subject])
        if call.kind in ("mark-paid", "ship", "confirm", "cancel"):
            states = {"mark-paid": "PAID", "ship": "SHIPPED", "confirm": "COMPLETED", "cancel": "CANCELLED"}
            self.orders[call.subject]["status"] = states[call.kind]
            return ok(**self.orders[call.subject])
        if call.kind in ("search", "ranking", "recommend"):
            return ok(goods=[{"goods_id": self.first}])
        if call.kind == "chat":
            return ok(conversation_id=self._next(), buyer_id=call.user, seller_id=SELLERS[0])
        return ok()

    def _next(self) -> int:
        self.number += 1
        return self.number


def play(calls: int, seed: int = 1) -> tuple[World, Counter[str], list[Call]]:
    world, mall, kinds, made = World(), Mall(), Counter[str](), []
    rng = Random(seed)
    for _ in range(calls):
        call = next_call(world, rng)
        learn(world, call, mall.answer(call))
        kinds[call.kind] += 1
        made.append(call)
    return world, kinds, made


def test_a_market_begins_with_goods_that_an_admin_approved() -> None:
    world, kinds, made = play(3 * ENOUGH_GOODS)
    assert [call.kind for call in made[:3]] == ["list", "submit", "approve"]
    assert made[0].user in SELLERS
    assert made[2].user == ADMIN_USER_ID
    assert len(world.goods) == ENOUGH_GOODS
    assert kinds["approve"] == ENOUGH_GOODS


def test_every_kind_of_thing_happens_and_views_are_most_of_it() -> None:
    _, kinds, _ = play(2_000)
    wanted = {
        "list",
        "submit",
        "approve",
        "browse",
        "search",
        "ranking",
        "recommend",
        "register",
        "login",
        "view",
        "order",
        "pay",
        "look",
        "refund",
        "mark-paid",
        "ship",
        "confirm",
        "cancel",
        "chat",
        "message",
    }
    assert kinds.keys() == wanted
    assert kinds.most_common(1)[0][0] == "view"


def test_whoever_finds_something_opens_it_and_says_from_where() -> None:
    _, _, made = play(2_000)
    for kind, source in SOURCES.items():
        after = [made[place + 1] for place, call in enumerate(made[:-1]) if call.kind == kind]
        assert after
        assert all(call.kind == "view" and call.path.endswith(f"?source={source}") for call in after)


def test_now_and_then_a_crowd_comes_for_one_thing() -> None:
    world, rng = World(goods=dict.fromkeys(range(1, 41), SELLERS[0])), Random(3)
    asked: dict[bool, Counter[bool]] = {True: Counter(), False: Counter()}
    for _ in range(4_000):
        call = next_call(world, rng)
        if call.kind in ("view", "order"):
            asked[bool(world.crowd) and call.subject == world.viral][world.crowd > 0] += 1
    viral, others = asked[True][True], asked[False][True]
    assert viral > others > 0  # most of what a crowd asks for is the one thing
    assert asked[False][False] > 0  # and there are quiet times


def test_a_payment_that_does_not_come_through_is_tried_again_after_some_looks() -> None:
    world = World(orders={5: Deal(5, 21, 11, "IN_PAYMENT")})
    look = Call(kind="look", service="order", method="GET", path="/", user=21, subject=5)
    for _ in range(LOOKS - 1):
        learn(world, look, ok(status="PENDING_PAYMENT", order_id=5, buyer_id=21, seller_id=11))
        assert world.orders[5].status == "IN_PAYMENT"
    learn(world, look, ok(status="PENDING_PAYMENT", order_id=5, buyer_id=21, seller_id=11))
    assert world.orders[5].status == "PENDING_PAYMENT"
    pay = Call(kind="pay", service="payment", method="POST", path="/", user=21, subject=5)
    learn(world, pay, Answer(status=409, body={"error": "payment_in_progress"}))
    assert world.orders[5].status == "PENDING_PAYMENT"  # the channel has not answered yet


def test_some_prices_are_those_that_the_channel_declines_answers_late_or_pays_back_late() -> None:
    cents = Counter(price[-2:] for _, _, price in goods_for_sale())
    assert all(cents[ending] >= 2 for ending in ("13", "14", "15"))


def test_the_same_seed_gives_the_same_calls() -> None:
    assert play(300, seed=7)[2] == play(300, seed=7)[2]
    assert play(300, seed=7)[2] != play(300, seed=8)[2]


def test_each_step_of_an_order_is_asked_by_who_may_do_it() -> None:
    _, _, made = play(1_000)
    for call in made:
        if call.kind == "mark-paid":
            assert call.is_admin
        if call.kind == "ship":
            assert call.user in SELLERS
        if call.kind in ("order", "pay", "look", "refund", "confirm", "cancel", "chat"):
            assert call.user in BUYERS


def test_creating_calls_have_keys_of_their_own() -> None:
    _, _, made = play(1_000)
    keys = [call.key for call in made if call.kind in ("list", "order", "pay")]
    assert None not in keys
    assert len(set(keys)) == len(keys)


def test_sold_out_goods_are_forgotten_and_so_is_an_order_that_moved() -> None:
    world = World(goods={1: 11}, orders={5: Deal(5, 21, 11, "PAID")})
    order = Call(kind="order", service="order", method="POST", path="/", user=21, subject=1)
    learn(world, order, Answer(status=409, body={"error": "out_of_stock"}))
    ship = Call(kind="ship", service="order", method="POST", path="/", user=11, subject=5)
    learn(world, ship, Answer(status=409, body={"error": "illegal_transition"}))
    assert (world.goods, world.orders) == ({}, {})


def test_a_payment_of_an_order_that_is_not_known_yet_is_tried_again() -> None:
    world = World(orders={5: Deal(5, 21, 11, "PENDING_PAYMENT")})
    pay = Call(kind="pay", service="payment", method="POST", path="/", user=21, subject=5)
    learn(world, pay, Answer(status=404, body={"error": "not_found"}))
    assert world.orders[5].status == "PENDING_PAYMENT"
    learn(world, pay, ok(status="CREATED"))
    look = Call(kind="look", service="order", method="GET", path="/", user=21, subject=5)
    people = {"order_id": 5, "buyer_id": 21, "seller_id": 11}
    learn(world, look, ok(status="PENDING_PAYMENT", **people))
    assert world.orders[5].status == "IN_PAYMENT"
    learn(world, look, ok(status="PAID", **people))
    assert world.orders[5].status == "PAID"


def test_an_outage_teaches_nothing_and_counts_as_a_fault() -> None:
    world, tally = World(goods={1: 11}), Tally()
    call = Call(kind="view", service="goods", method="GET", path="/api/v1/goods/1?source=DIRECT", user=21, subject=1)
    learn(world, call, Answer(status=0))
    tally.take(call, Answer(status=0))
    tally.take(call, Answer(status=409, body={"error": "out_of_stock"}))
    assert world.goods == {1: 11}
    assert tally.last_fault == "GET /api/v1/goods/1: no answer"
    assert (tally.requests, tally.failed.total(), tally.refused["out_of_stock"]) == (2, 1, 1)


def test_goods_have_prices_that_the_goods_service_takes() -> None:
    for title, category, price in goods_for_sale():
        assert title
        assert category
        assert price == f"{float(price):.2f}"
