"""Takes events out of what was read of a company, so that its witness has something to find; and which names those are."""

from __future__ import annotations

from collections import Counter

from tests.reliability.told import Telling

ASKED_BY_NOBODY = "<a@mall>"
FOUND = {"order", "phantom", "notices", "pushes", "counters", "ranking", "orders", "order_view", "mails"}
"""What the witness then has to name, and nothing else; ``mails`` for `ASKED_BY_NOBODY`."""


def spoil(telling: Telling) -> None:
    """The tables now say more than the topics do: an order was never told of, and somebody's first push neither.

    An order of which only the beginning is missing is told whole by its later changes, and one that was cancelled adds nothing to
    the ranking. A person who was told of one thing only would leave no gap.
    """
    orders, pushes = telling.events["order-events"], telling.events["user.notifications"]
    cancelled = {told.fields["order_id"] for told in telling.of("ORDER_CANCELLED")}
    paid = next(
        told.fields["order_id"] for told in telling.of("ORDER_PAID") if told.fields["order_id"] not in cancelled
    )
    telling.events["order-events"] = [told for told in orders if told.fields.get("order_id") != paid]
    often = Counter(told.record.key for told in pushes)
    pushes.remove(next(told for told in pushes if often[told.record.key] > 1))
