"""What people on a campus market do: list goods, look around, order, pay, ship, chat. Which call comes next is decided here.

Nothing is sent here: ``next_call`` says what to ask, ``learn`` takes what came back.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Mapping
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
WEIGHTS = {
    "view": 42, "browse": 3, "search": 5, "ranking": 3, "recommend": 3, "order": 14, "advance": 16, "chat": 12, "list": 3,
    "register": 1,
}  # fmt: skip
LOOKS = 4
"""So often a buyer looks whether the payment is through, before trying again or giving up."""
REFUND_CHANCE = 0.08
CROWD_CHANCE, CROWD_CALLS, CROWD_SHARE = 1 / 150, 100, 0.7
"""How often one thing goes viral, for how many calls, and which share of the views and orders is then for it."""
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
    """One request to a service as one user (0: nobody yet). ``subject`` is the id of the thing that it is about."""

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
    looks: int = 0


@dataclass(slots=True)
class World:
    """What the shoppers know. ``recent`` are users to whom something just happened, newest first; ``viral`` is what everybody
    talks about for the next ``crowd`` calls.
    """

    goods: dict[int, int] = field(default_factory=dict)  # goods id to seller
    orders: dict[int, Deal] = field(default_factory=dict)
    conversations: dict[int, Deal] = field(default_factory=dict)
    todo: deque[Call] = field(default_factory=deque)
    recent: tuple[int, ...] = ()
    viral: int = 0
    crowd: int = 0


def next_call(world: World, rng: Random) -> Call:
    """The next request: what was begun is finished first; then a draw by ``WEIGHTS`` among what is possible."""
    if world.todo:
        return world.todo.popleft()
    if len(world.goods) < ENOUGH_GOODS:
        return list_goods(rng)
    stir(world, rng)
    kind = rng.choices(list(WEIGHTS), weights=list(WEIGHTS.values()))[0]
    if kind == "advance" and not world.orders:
        kind = "view"
    return NEXT[kind](world, rng)


def stir(world: World, rng: Random) -> None:
    """Now and then something goes viral: a crowd comes for one thing, until it is sold out or forgotten."""
    if world.crowd:
        world.crowd -= 1
    elif rng.random() < CROWD_CHANCE:
        world.viral, world.crowd = rng.choice(sorted(world.goods)), CROWD_CALLS


def list_goods(rng: Random) -> Call:
    """A seller offers something new."""
    title, category, price = rng.choice(goods_for_sale())
    pieces = rng.randint(3, 60)
    body = {"title": title, "category": category, "price": price, "description": title, "listed_quantity": pieces}
    user, key = rng.choice(SELLERS), new_key(rng)
    return Call(kind="list", service="goods", method="POST", path="/api/v1/goods", user=user, body=body, key=key)


def register(rng: Random) -> Call:
    """Somebody new opens an account; a welcome comes by mail."""
    name, locale = f"demo{rng.getrandbits(40):010x}", rng.choice(("zh", "en"))
    body = {"username": name, "email": f"{name}@example.com", "password": f"demo-{name}", "locale": locale}
    return Call(kind="register", service="user", method="POST", path="/api/v1/users/register", user=0, body=body)


def read(kind: str, service: str, path: str, rng: Random) -> Call:
    """A buyer reads a page of a service."""
    return Call(kind=kind, service=service, method="GET", path=f"/api/v1/{path}", user=rng.choice(BUYERS))


def browse(rng: Random) -> Call:
    """A buyer looks at the newest goods."""
    return read("browse", "goods", "goods?limit=50", rng)


def search(rng: Random) -> Call:
    """A buyer looks for a word of something that people sell."""
    title = rng.choice(goods_for_sale())[0]
    return read("search", "search", f"search?q={quote(rng.choice(title.split()))}", rng)


def recommend(world: World, rng: Random) -> Call:
    """A buyer asks what others looked at together with something."""
    return read("recommend", "search", f"recommendations/{popular(world, rng)}", rng)


def ranking(rng: Random) -> Call:
    """A buyer asks what is hot."""
    return read("ranking", "cache", "ranking/hot?limit=10", rng)


def view(world: World, rng: Random) -> Call:
    """A buyer opens the page of goods that are known."""
    return view_of(popular(world, rng), source="DIRECT", user=rng.choice(BUYERS))


def view_of(goods: int, *, source: str, user: int) -> Call:
    """A user opens the page of goods, and says from where."""
    path = f"/api/v1/goods/{goods}?source={source}"
    return Call(kind="view", service="goods", method="GET", path=path, user=user, subject=goods)


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
    if deal.status != PAYING and rng.random() < REFUND_CHANCE:
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


NEXT: Mapping[str, Callable[[World, Random], Call]] = {
    "list": lambda _, rng: list_goods(rng),
    "register": lambda _, rng: register(rng),
    "browse": lambda _, rng: browse(rng),
    "search": lambda _, rng: search(rng),
    "ranking": lambda _, rng: ranking(rng),
    "recommend": recommend,
    "view": view,
    "order": order,
    "advance": advance,
    "chat": chat,
}


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
    if call.kind in ("pay", "cancel") and answer.body.get("error") in ("not_found", "payment_in_progress"):
        return  # the payment service has not heard of the order yet, or still waits for the channel
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
        if row.get("status") == "ON_SALE" and int(row.get("seller_id", 0)) in SELLERS:
            world.goods[int(row["goods_id"])] = int(row["seller_id"])


def learn_found(world: World, call: Call, body: Mapping[str, Any]) -> None:
    """Whoever found something opens the first of it."""
    learn_page(world, call, body)
    found = [int(row["goods_id"]) for row in body.get("goods", []) if int(row["goods_id"]) in world.goods]
    if found:
        world.todo.append(view_of(found[0], source=SOURCES[call.kind], user=call.user))


def learn_account(world: World, call: Call, _body: Mapping[str, Any]) -> None:
    """Whoever has an account signs in."""
    told = call.body or {}
    body = {"username": told["username"], "password": told["password"]}
    world.todo.append(Call(kind="login", service="user", method="POST", path="/api/v1/users/login", user=0, body=body))


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
    """The order moved on, its payment is late, or it was declined: after some looks the buyer tries again, or cancels."""
    deal = world.orders.get(call.subject)
    if body["status"] != PAYING:
        learn_order(world, call, body)
    elif deal is not None:
        looks = deal.looks + 1
        again = {"status": PAYING, "looks": 0} if looks >= LOOKS else {"looks": looks}
        world.orders[deal.id] = replace(deal, **again)


def learn_refund(world: World, call: Call, _body: Mapping[str, Any]) -> None:
    """The money is on its way back: nobody has to do anything."""
    world.orders.pop(call.subject, None)


def learn_conversation(world: World, _call: Call, body: Mapping[str, Any]) -> None:
    """A conversation can be continued by both sides."""
    deal = Deal(int(body["conversation_id"]), int(body["buyer_id"]), int(body["seller_id"]))
    world.conversations[deal.id] = deal
    meet(world, deal)


SOURCES = {"search": "SEARCH", "ranking": "RANKING", "recommend": "RECOMMENDATION"}
"""What the goods service is told of where a view came from."""
LESSONS = {
    "list": learn_draft, "approve": learn_goods, "browse": learn_page, "search": learn_found, "ranking": learn_found,
    "recommend": learn_found, "register": learn_account, "order": learn_order,
    "chat": learn_conversation, "pay": learn_payment, "look": learn_looked, "refund": learn_refund,
    "mark-paid": learn_order, "ship": learn_order, "confirm": learn_order, "cancel": learn_order,
}  # fmt: skip


def meet(world: World, deal: Deal) -> None:
    """Notes two people as those whose inboxes are worth a look."""
    people = dict.fromkeys((deal.buyer, deal.seller, *world.recent))
    world.recent = tuple(people)[:RECENT_USERS]


def popular(world: World, rng: Random) -> int:
    """A goods id; the first ones are asked for much more often, so that a ranking has something to rank, and what is viral most."""
    if world.crowd and world.viral in world.goods and rng.random() < CROWD_SHARE:
        return world.viral
    known = sorted(world.goods)
    return known[min(int(rng.expovariate(1.0) * len(known) / 4), len(known) - 1)]


def new_key(rng: Random) -> str:
    """An idempotency key that no other request has."""
    return f"demo-{rng.getrandbits(96):024x}"


def goods_for_sale() -> list[tuple[str, str, str]]:
    """Title, category and price of what the sellers have."""
    rows = json.loads((DATA / "goods.json").read_text(encoding="utf-8"))
    return [(title, category, price) for title, category, price in rows]
