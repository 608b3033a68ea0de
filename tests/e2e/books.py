"""What must be so at every moment, asked while the company works: each look is one statement, so that it sees one moment."""

from __future__ import annotations

from mall.order.paying import by_hand
from tests.e2e.company import Company

MONEY = """
SELECT (SELECT coalesce(sum(amount), 0) FROM payment WHERE charged_at IS NOT NULL)
     - (SELECT coalesce(sum(amount), 0) FROM refund WHERE paid_back_at IS NOT NULL)
     - (SELECT coalesce(sum(balance), 0) FROM ledger_account WHERE account NOT LIKE 'payer:%') AS difference,
       (SELECT coalesce(sum(amount), 0) FROM ledger_entry) AS entries
"""
"""Charged less refunded is what is held for merchants, what they got, and fees; all entries together are nothing."""

STOCK = """
SELECT stock.goods_id, available, reserved, sold, listed, coalesce(held, 0) AS held, coalesce(taken, 0) AS taken
  FROM stock LEFT JOIN (
       SELECT goods_id, sum(CASE WHEN status = 0 THEN quantity ELSE 0 END) AS held,
              sum(CASE WHEN status IN (1, 2, 3) THEN quantity ELSE 0 END) AS taken
         FROM order_line JOIN orders ON orders.id = order_id GROUP BY goods_id) AS ordered
    ON ordered.goods_id = stock.goods_id
 WHERE available < 0 OR reserved < 0 OR sold < 0 OR available + reserved + sold <> listed
    OR reserved <> coalesce(held, 0) OR sold <> coalesce(taken, 0)
"""
"""Goods whose pieces are not conserved, or not those of open orders (held) and of paid, shipped and completed ones (taken)."""

DOUBLED = "SELECT payment_id, kind FROM ledger_entry GROUP BY payment_id, kind HAVING count(*) > 3 OR sum(amount) <> 0"
UNENDED = "SELECT count(*) FROM payment WHERE status NOT IN ('SUCCEEDED', 'FAILED', 'CANCELLED', 'REFUNDED')"


def money_faults(company: Company) -> list[str]:
    """What is wrong with the money now."""
    row = company.rows("payment", MONEY)[0]
    is_right = (row.difference, row.entries) == (0, 0)
    return [] if is_right else [f"conservation: difference {row.difference}, entries {row.entries}"]


def stock_faults(company: Company) -> list[str]:
    """What is wrong with the stock now."""
    return [f"stock: {dict(row._mapping)}" for row in company.rows("order", STOCK)]  # SQLAlchemy's documented name


def unended(company: Company) -> int:
    """Payments that will still be charged, given up or paid back."""
    return int(company.rows("payment", UNENDED)[0][0])


def channel_faults(company: Company) -> list[str]:
    """Where the channel's books, ours and the orders disagree; for a company that has nothing left to do."""
    channel = {
        plain(row.payment_id): row.charges - row.refunds
        for row in company.rows("payment", "SELECT payment_id, charges, refunds FROM sandbox_charge")
    }
    faults, paid = [], {}
    for row in company.rows("payment", "SELECT payment_id, order_id, status FROM payment"):
        if channel.get(plain(row.payment_id), 0) != (row.status == "SUCCEEDED"):
            faults.append(f"channel: {row} with {channel.get(plain(row.payment_id))}")
        if row.status == "SUCCEEDED":
            if row.order_id in paid:
                faults.append(f"paid twice: order {row.order_id}")
            paid[row.order_id] = plain(row.payment_id)
    orders = company.rows("order", "SELECT id, payment_id FROM orders WHERE status IN (1, 2, 3)")
    kept = {
        row.id: payment for row in orders if (payment := plain(row.payment_id)) != plain(by_hand(row.id))
    }  # cash is none of the channel's business
    faults += [
        f"paid: order {order} by {kept.get(order)}, payments say {paid.get(order)}"
        for order in kept.keys() | paid.keys()
        if kept.get(order) != paid.get(order)
    ]
    doubled = company.rows("payment", DOUBLED)
    return [*faults, *(f"booked twice: {row}" for row in doubled)]


def plain(identity: object) -> str:
    """A UUID as both databases' drivers may give it, without its hyphens."""
    return str(identity).replace("-", "")
