"""What people on a campus market do: list goods, look around, order, pay, ship, chat. Which call comes next is decided here.

Nothing is sent here: ``next_call`` says what to ask, ``learn`` takes what came back.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any
from urllib.parse import quote

from treaty.local.jars import DATA
from treaty.local.keys import ADMIN_USER_ID
from treaty.local.rest import Answer

SELLERS = range(11, 17)
BUYERS = range(21, 51)
ENOUGH_GOODS = 12
RECENT_USERS = 6
WEIGHTS = {"view": 50, "browse": 3, "search": 3, "order": 14, "advance": 14, "chat": 12, "list": 4}
SOURCES = ("SEARCH", "RANKING", "RECOMMENDATION", "DIRECT")
SAYINGS = (
    "还在吗?",
    "Is it still available?",
    "可以便宜一点吗?",
    "Where can I pick it up?",
    "明天中午图书馆门口见。",
    "Thanks, see you at six!",
)
PAYING, SHIPPING, CONFIRMING = "PENDING_PAYMENT", "PAID", "SHIPPED"
IN_PAYMENT = "IN_PAYMENT"
"""Our own word for an order whose payment was asked for: its status changes when the payment is through."""
METHODS = ("CARD", "WALLET", "BALANCE")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request to a service as one user. ``subject`` is the id of the thing that it is about."""

    kind: str
    service: str
    method: str
    path: str
    user: int
    body: Mapping[str, Any] | None = None
    key: str | None = None
    subject: int = 0

    @property
    def is_admin(self) -> bool:
        """Whether it needs an admin's token."""
        return self.user == ADMIN_USER_ID


@dataclass(frozen=True, slots=True)
class Deal:
    """An order or a conversation: who is on which side."""

    id: int
    buyer: int
    seller: int
    status: str = ""


@dataclass(slots=True)
class World:
    """What the shoppers know. ``recent`` are users to whom something just happened, newest first."""

    goods: dict[int, int] = field(default_factory=dict)  # goods id to seller
    orders: dict[int, Deal] = field(default_factory=dict)
    conversations: dict[int, Deal] = field(default_factory=dict)
    todo: deque[Call] = field(default_factory=deque)
    recent: tuple[int, ...] = ()


def next_call(world: World, rng: Random) -> Call:
    """The next request: what was begun is finished first; then a draw by ``WEIGHTS`` among what is possible."""
    if world.todo:
        return world.todo.popleft()
    if len(world.goods) < ENOUGH_GOODS:
        return list_goods(rng)
    kind = rng.choices(list(WEIGHTS), weights=list(WEIGHTS.values()))[0]
    if kind == "list":
        return list_goods(rng)
    if kind == "browse":
        return browse(rng)
    if kind == "search":
        return search(rng)
    if kind == "order":
        return order(world, rng)
    if kind == "advance" and world.orders:
        return advance(world, rng)
    if kind == "chat":
        return chat(world, rng)
    return view(world, rng)


def list_goods(rng: Random) -> Call:
    """A seller offers something new."""
    title, category, price = rng.choice(goods_for_sale())
    pieces = rng.randint(3, 60)
    body = {"title": title, "category": category, "price": price, "description": title, "listed_quantity": pieces}
    user, key = rng.choice(SELLERS), new_key(rng)
    return Call(kind="list", service="goods", method="POST", path="/api/v1/goods", user=user, body=body, key=key)


def browse(rng: Random) -> Call:
    """A buyer looks at the newest goods."""
    return Call(kind="browse", service="goods", method="GET", path="/api/v1/goods?limit=50", user=rng.choice(BUYERS))


def search(rng: Random) -> Call:
    """A buyer looks for a word of something that people sell."""
    title = rng.choice(goods_for_sale())[0]
    path = f"/api/v1/search?q={quote(rng.choice(title.split()))}"
    return Call(kind="search", service="search", method="GET", path=path, user=rng.choice(BUYERS))


def view(world: World, rng: Random) -> Call:
    """A buyer opens the page of goods that are known."""
    goods = popular(world, rng)
    path = f"/api/v1/goods/{goods}?source={rng.choice(SOURCES)}"
    return Call(kind="view", service="goods", method="GET", path=path, user=rng.choice(BUYERS), subject=goods)


def order(world: World, rng: Random) -> Call:
    """A buyer orders one to three pieces of one kind of goods."""
    goods = popular(world, rng)
    pieces = rng.choices([1, 2, 3], weights=[8, 2, 1])[0]
    body = {"lines": [{"goods_id": goods, "quantity": pieces}], "note": "demo"}
    user, path, key = rng.choice(BUYERS), "/api/v1/orders", new_key(rng)
    return Call(kind="order", service="order", method="POST", path=path, user=user, body=body, key=key, subject=goods)


def advance(world: World, rng: Random) -> Call:
    """The next step of one order: most are paid, shipped and confirmed, some are cancelled or asked back."""
    deal = rng.choice(list(world.orders.values()))
    if deal.status == PAYING and rng.random() < 0.8:
        return pay(deal, rng)
    if deal.status == IN_PAYMENT:
        path = f"/api/v1/orders/{deal.id}"
        return Call(kind="look", service="order", method="GET", path=path, user=deal.buyer, subject=deal.id)
    step, user = {
        PAYING: ("cancel", deal.buyer), SHIPPING: ("ship", deal.seller), CONFIRMING: ("confirm", deal.buyer),
    }[deal.status]  # fmt: skip
    if deal.status == SHIPPING and rng.random() < 0.05:
        step, user = "refund", deal.buyer
    path = f"/api/v1/orders/{deal.id}/{step}"
    return Call(kind=step, service="order", method="POST", path=path, user=user, subject=deal.id)


def pay(deal: Deal, rng: Random) -> Call:
    """Most pay by the payment service, some in cash, which an admin records."""
    if rng.random() < 0.1:
        path = f"/api/v1/orders/{deal.id}/mark-paid"
        return Call(kind="mark-paid", service="order", method="POST", path=path, user=ADMIN_USER_ID, subject=deal.id)
    body = {"order_id": deal.id, "method": rng.choice(METHODS)}
    return Call(
        kind="pay", service="payment", method="POST", path="/api/v1/payments", user=deal.buyer, body=body,
        key=new_key(rng), subject=deal.id,
    )  # fmt: skip


def chat(world: World, rng: Random) -> Call:
    """A message in a running conversation, or a new one."""
    if world.conversations and rng.random() < 0.7:
        deal = rng.choice(list(world.conversations.values()))
        path, user = f"/api/v1/conversations/{deal.id}/messages", rng.choice((deal.buyer, deal.seller))
        body: dict[str, Any] = {"text": rng.choice(SAYINGS)}
        return Call(kind="message", service="chat", method="POST", path=path, user=user, body=body, subject=deal.id)
    body = {"goods_id": popular(world, rng)}
    return Call(
        kind="chat", service="chat", method="POST", path="/api/v1/conversations", user=rng.choice(BUYERS), body=body
    )


def learn(world: World, call: Call, answer: Answer) -> None:
    """Takes what an answer says about the world."""
    if not answer.is_ok:
        forget(world, call, answer)
    elif call.kind in LESSONS:
        LESSONS[call.kind](world, call, answer.body)


def forget(world: World, call: Call, answer: Answer) -> None:
    """Drops what a refusal shows to be over: goods that are gone, orders that moved on."""
    if not answer.is_refusal:
        return
    if call.kind == "pay" and answer.body.get("error") == "not_found":
        return  # the payment service has not heard of the order yet
    if call.kind in ("view", "order") and answer.body.get("error") in ("not_found", "not_on_sale", "out_of_stock"):
        world.goods.pop(call.subject, None)
    elif call.subject in world.orders:
        del world.orders[call.subject]
    elif call.kind == "message":
        world.conversations.pop(call.subject, None)


def learn_draft(world: World, call: Call, body: Mapping[str, Any]) -> None:
    """A draft has to be submitted and approved before anybody can see it."""
    goods = int(body["goods_id"])
    for step, user in (("submit", call.user), ("approve", ADMIN_USER_ID)):
        path = f"/api/v1/goods/{goods}/{step}"
        world.todo.append(Call(kind=step, service="goods", method="POST", path=path, user=user, subject=goods))


def learn_goods(world: World, _call: Call, body: Mapping[str, Any]) -> None:
    """Approved goods can be viewed, ordered and talked about."""
    world.goods[int(body["goods_id"])] = int(body["seller_id"])


def learn_page(world: World, _call: Call, body: Mapping[str, Any]) -> None:
    """Goods of an earlier run are as good as this run's."""
    for row in body.get("goods", []):
        if row.get("status") == "ON_SALE" and int(row["seller_id"]) in SELLERS:
            world.goods[int(row["goods_id"])] = int(row["seller_id"])


def learn_order(world: World, _call: Call, body: Mapping[str, Any]) -> None:
    """An order can be advanced until its last step."""
    deal = Deal(int(body["order_id"]), int(body["buyer_id"]), int(body["seller_id"]), str(body["status"]))
    meet(world, deal)
    if deal.status in (PAYING, SHIPPING, CONFIRMING):
        world.orders[deal.id] = deal
    else:
        world.orders.pop(deal.id, None)


def learn_payment(world: World, call: Call, _body: Mapping[str, Any]) -> None:
    """The payment is under way: the order is looked at until it is paid."""
    if call.subject in world.orders:
        world.orders[call.subject] = replace(world.orders[call.subject], status=IN_PAYMENT)


def learn_looked(world: World, call: Call, body: Mapping[str, Any]) -> None:
    """The order moved on, or its payment is still under way."""
    if body["status"] != PAYING:
        learn_order(world, call, body)


def learn_refund(world: World, call: Call, _body: Mapping[str, Any]) -> None:
    """The money is on its way back: nobody has to do anything."""
    world.orders.pop(call.subject, None)


def learn_conversation(world: World, _call: Call, body: Mapping[str, Any]) -> None:
    """A conversation can be continued by both sides."""
    deal = Deal(int(body["conversation_id"]), int(body["buyer_id"]), int(body["seller_id"]))
    world.conversations[deal.id] = deal
    meet(world, deal)


LESSONS = {
    "list": learn_draft, "approve": learn_goods, "browse": learn_page, "search": learn_page, "order": learn_order,
    "chat": learn_conversation, "pay": learn_payment, "look": learn_looked, "refund": learn_refund,
    "mark-paid": learn_order, "ship": learn_order, "confirm": learn_order, "cancel": learn_order,
}  # fmt: skip


def meet(world: World, deal: Deal) -> None:
    """Notes two people as those whose inboxes are worth a look."""
    people = dict.fromkeys((deal.buyer, deal.seller, *world.recent))
    world.recent = tuple(people)[:RECENT_USERS]


def popular(world: World, rng: Random) -> int:
    """A goods id; the first ones are asked for much more often, so that a ranking has something to rank."""
    known = sorted(world.goods)
    return known[min(int(rng.expovariate(1.0) * len(known) / 4), len(known) - 1)]


def new_key(rng: Random) -> str:
    """An idempotency key that no other request has."""
    return f"demo-{rng.getrandbits(96):024x}"


def goods_for_sale() -> list[tuple[str, str, str]]:
    """Title, category and price of what the sellers have."""
    rows = json.loads((DATA / "goods.json").read_text(encoding="utf-8"))
    return [(title, category, price) for title, category, price in rows]
