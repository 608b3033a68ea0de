"""The decisions of the order service: plain functions on plain values."""

from mall.order.domain.life import ILLEGAL, Advanced, Ignored, Order, Refused, Trigger, advance, evolve, order_no
from mall.order.domain.placing import Listing, OutOfStock, Placed, Wanted, place
from mall.order.domain.stock import Move, Stock, move, relist

__all__ = [
    "ILLEGAL",
    "Advanced",
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
    "evolve",
    "move",
    "order_no",
    "place",
    "relist",
]
