"""The decisions of the order service: plain functions on plain values."""

from mall.order.domain.holding import Claim, ask_refund, hold, release
from mall.order.domain.life import ILLEGAL, Advanced, Ignored, Order, Refused, Trigger, advance, evolve, order_no
from mall.order.domain.placing import Listing, OutOfStock, Placed, Wanted, place
from mall.order.domain.stock import Move, Stock, move, relist

__all__ = [
    "ILLEGAL",
    "Advanced",
    "Claim",
    "Ignored",
    "Listing",
    "Move",
    "Order",
    "OutOfStock",
    "Placed",
    "Refused",
    "Stock",
    "Trigger",
    "Wanted",
    "advance",
    "ask_refund",
    "evolve",
    "hold",
    "move",
    "order_no",
    "place",
    "release",
    "relist",
]
