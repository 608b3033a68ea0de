"""The reports: a question to the warehouse each, and the records that it asks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mall_events.goods import GoodsViewed
from mall_events.order import OrderCancelled, OrderCreated, OrderPaid, OrderStatusChanged
from mall_events.payment import PaymentFailed, PaymentSucceeded
from mall_events.user import UserActivityRecorded


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A question in DuckDB's SQL; records are tables under their own names, days are UTC."""

    title: str
    sql: str
    records: tuple[type[Any], ...]


SALES_BY_DAY = Report(
    title="Sales by day",
    sql="SELECT CAST(event_time AS DATE) AS day, currency, count(*) AS orders, sum(total) AS paid"
    " FROM OrderPaid GROUP BY day, currency ORDER BY day, currency",
    records=(OrderPaid,),
)
FUNNEL = Report(
    title="From a look to a completed order",
    sql="""
SELECT step, number FROM (
    SELECT 1 AS place, 'viewed' AS step, count(*) AS number FROM GoodsViewed
    UNION ALL SELECT 2, 'ordered', count(*) FROM OrderCreated
    UNION ALL SELECT 3, 'paid', count(*) FROM OrderPaid
    UNION ALL SELECT 4, 'completed', count(*) FROM OrderStatusChanged WHERE current_status = 'COMPLETED'
) ORDER BY place
""",
    records=(GoodsViewed, OrderCreated, OrderPaid, OrderStatusChanged),
)
TOP_GOODS = Report(
    title="Goods most sold",
    sql="""
SELECT goods_id, any_value(title) AS title, sum(quantity) AS pieces FROM (
    SELECT unnest(from_json(lines, '[{"goods_id":"BIGINT","title":"VARCHAR","quantity":"INTEGER"}]'), max_depth := 2)
    FROM OrderCreated WHERE order_id IN (SELECT order_id FROM OrderPaid)
) GROUP BY goods_id ORDER BY pieces DESC, goods_id LIMIT 20
""",
    records=(OrderCreated, OrderPaid),
)
CANCEL_REASONS = Report(
    title="Why orders were cancelled",
    sql="SELECT reason, count(*) AS orders FROM OrderCancelled GROUP BY reason ORDER BY orders DESC, reason",
    records=(OrderCancelled,),
)
PAYMENT_SUCCESS_RATE = Report(
    title="Payments that succeeded, by day",
    sql="""
SELECT day, count(*) AS payments, count(*) FILTER (succeeded) AS succeeded,
       round(count(*) FILTER (succeeded) * 100.0 / count(*), 1) AS percent
FROM (
    SELECT CAST(event_time AS DATE) AS day, true AS succeeded FROM PaymentSucceeded
    UNION ALL SELECT CAST(event_time AS DATE), false FROM PaymentFailed
) GROUP BY day ORDER BY day
""",
    records=(PaymentSucceeded, PaymentFailed),
)
TIME_TO_PAY = Report(
    title="Seconds from order to payment, by day",
    sql="""
SELECT day, count(*) AS orders, round(quantile_cont(seconds, 0.5), 1) AS median, round(quantile_cont(seconds, 0.9), 1) AS of_ten_nine
FROM (
    SELECT CAST(placed.event_time AS DATE) AS day, date_diff('millisecond', placed.event_time, paid.event_time) / 1000.0 AS seconds
    FROM OrderPaid AS paid JOIN OrderCreated AS placed USING (order_id)
) GROUP BY day ORDER BY day
""",
    records=(OrderCreated, OrderPaid),
)
REGISTRATIONS_BY_DAY = Report(
    title="Accounts opened by day",
    sql="SELECT CAST(event_time AS DATE) AS day, count(*) AS accounts FROM UserActivityRecorded"
    " WHERE activity = 'REGISTERED' GROUP BY day ORDER BY day",
    records=(UserActivityRecorded,),
)

REPORTS = {
    "sales_by_day": SALES_BY_DAY,
    "funnel": FUNNEL,
    "top_goods": TOP_GOODS,
    "cancel_reasons": CANCEL_REASONS,
    "payment_success_rate": PAYMENT_SUCCESS_RATE,
    "time_to_pay": TIME_TO_PAY,
    "registrations_by_day": REGISTRATIONS_BY_DAY,
}
