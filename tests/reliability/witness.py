"""What must be true of a company that has nothing left to do: its tables, caches and inboxes against a recount of its topics."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from typing import Any
from uuid import UUID

from tests.e2e.books import channel_faults
from tests.e2e.company import ADMIN, Company
from tests.parts.waiting import wait_until
from tests.reliability.told import Telling, Told
from treaty.local.smtp import MailFolder

NO_INBOX = frozenset({"cache-service", "notification-mail", "notification-delivery"})
"""Their effects are in Redis, or outside the mall: counted by what they left behind."""
OUTSIDE = frozenset({("channel-adapter", "saga.payment.start"), ("payment-gateway-group", "saga.payment.compensate")})
"""These handlers ask the channel between two transactions: counted by its books and ours."""
STATUS = {"PENDING_PAYMENT": 0, "PAID": 1, "SHIPPED": 2, "COMPLETED": 3, "CANCELLED": -1, "REFUNDED": -2}
COUNTERS = {
    "orders_created": "ORDER_CREATED",
    "orders_paid": "ORDER_PAID",
    "orders_cancelled": "ORDER_CANCELLED",
    "goods_views": "GOODS_VIEWED",
    "chat_messages": "CHAT_MESSAGE_CREATED",
    "payments_success": "payment.success",
    "payments_failed": "payment.failed",
    "refunds": "payment.refund.success",
}
MAIL_SECONDS = 60.0
BOTH = ("buyer_id", "seller_id")
NOTICES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "ORDER_CREATED": ("order_created", BOTH),
    "ORDER_PAID": ("order_paid", BOTH),
    "ORDER_CANCELLED": ("order_cancelled", BOTH),
    "payment.failed": ("payment_failed", ("payer_id",)),
    "payment.refund.success": ("refund_success", ("payer_id",)),
    "accounting.settlement.completed": ("settlement", ("merchant_id",)),
    "CHAT_MESSAGE_CREATED": ("chat_message", ("recipient_id",)),
}
"""Who is told what, as the mall's table says it."""


def notices_of(told: Told) -> tuple[str, tuple[int, ...]]:
    """Kind of the notices that an event makes, and for whom; nobody for most events."""
    fields = told.fields
    match told.record.type, fields.get("current_status"), fields.get("attempt"):
        case "ORDER_STATUS_CHANGED", "SHIPPED", _:
            return "order_shipped", (fields["buyer_id"],)
        case "ORDER_STATUS_CHANGED", "REFUNDED", _:
            return "order_refunded", (fields["buyer_id"], fields["seller_id"])
        case "payment.refund.failed", _, 1:  # later attempts are for people who mend
            return "refund_failed", (fields["payer_id"],)
        case "risk.alert.high" | "risk.alert.critical", _, _:
            return "risk_alert", (ADMIN,)
        case kind, _, _:
            name, people = NOTICES.get(kind, ("", ()))
            return name, tuple(fields[person] for person in people)


def faults(company: Company, telling: Telling, *, mailed: Collection[str]) -> list[str]:
    """Everything that is wrong, a sentence each. ``mailed``: what had reached the mail server before the topics were read.

    People are reminded of unread messages ten minutes later, so that mails are asked for even when nobody does anything.
    """
    return [
        *telling.order_faults(),
        *_unhandled(company, telling),
        *_orders(company, telling),
        *_notices(company, telling),
        *_mails(company, telling, mailed),
        *_counters(company, telling),
        *_ranking(company, telling),
        *_copies(company),
        *channel_faults(company),
    ]


def _unhandled(company: Company, telling: Telling) -> Iterable[str]:
    """Events without an inbox row of each declared group, and rows of events that no topic holds."""
    for service in company.layout.services:
        for group in company_groups(telling, service):
            due = {told.id for told in telling.handled_by(group) if (group, told.record.type) not in OUTSIDE}
            rows = company.rows(service, "SELECT event_id FROM inbox WHERE consumer = :group", group=group)
            done = {UUID(str(row.event_id)) for row in rows}
            if due - done:
                yield f"unseen: {group}: {len(due - done)} of {len(due)}: {sorted(map(str, due - done))[:3]}"
            if done - due:
                yield f"phantom: {group}: {len(done - due)}: {sorted(map(str, done - due))[:3]}"


def company_groups(telling: Telling, service: str) -> set[str]:
    """The groups of a service whose effects stand beside inbox rows."""
    found = {
        consumer.group
        for topic in telling.catalog.topics.values()
        for consumer in topic.consumers
        if consumer.service == service and topic.events and not consumer.group.endswith("*")
    }
    return found - NO_INBOX


def _orders(company: Company, telling: Telling) -> Iterable[str]:
    """Folding the topic gives the rows; and the query side shows them."""
    folded = {told.fields["order_id"]: (0, 1) for told in telling.of("ORDER_CREATED")}
    for told in telling.of("ORDER_STATUS_CHANGED"):
        fields = told.fields
        newest = max(folded.get(fields["order_id"], (0, 0))[1], fields["order_version"])
        if newest == fields["order_version"]:
            folded[fields["order_id"]] = (STATUS[fields["current_status"]], newest)
    for table, key in (("orders", "id"), ("order_view", "order_id")):
        rows = company.rows("order", f"SELECT {key}, status, version FROM {table}")  # noqa: S608  # our words
        yield from _differences(table, folded, {row[0]: (row.status, row.version) for row in rows})


def _notices(company: Company, telling: Telling) -> Iterable[str]:
    due: Counter[tuple[UUID, int, str]] = Counter()
    for told in (told for found in telling.events.values() for told in found):
        kind, people = notices_of(told)
        due.update((told.id, person, kind) for person in people)
    rows = company.rows("notification", "SELECT event_id, user_id, kind, sequence FROM notification")
    yield from _differences("notices", due, Counter((UUID(str(r.event_id)), r.user_id, r.kind) for r in rows))
    pushed = Counter((told.fields["user_id"], told.fields["sequence"]) for told in telling.of("user.notifications"))
    yield from _differences("pushes", Counter((row.user_id, row.sequence) for row in rows), pushed)


def _mails(company: Company, telling: Telling, mailed: Collection[str]) -> Iterable[str]:
    """Each requested mail reached the mail server; how often is counted by the run."""
    due = {f"<{told.fields['notification_key'].replace(':', '.')}@mall>" for told in telling.of("notification.email")}
    try:
        wait_until(lambda: due <= set(mails(company)), MAIL_SECONDS)
    except AssertionError:
        yield f"mails: {len(due - set(mails(company)))} missing"
    if unasked := set(mailed) - due:
        yield f"mails: {len(unasked)} that nobody asked for: {sorted(unasked)[:3]}"


def mails(company: Company) -> Counter[str]:
    """How often each mail reached the mail server, by its Message-ID."""
    return Counter(mail.message_id for mail in MailFolder(company.layout.mail).mails())


def _counters(company: Company, telling: Telling) -> Iterable[str]:
    due = {name: count for name, kind in COUNTERS.items() if (count := len(telling.of(kind)))}
    rows = company.rows("analytics", "SELECT name, sum(value) AS value FROM counter GROUP BY name")
    yield from _differences("counters", due, {r.name: int(r.value) for r in rows if r.name in COUNTERS and r.value})


def _ranking(company: Company, telling: Telling) -> Iterable[str]:
    """A view counts one, an ordered piece five, a cancelled one takes its five back."""
    due: Counter[int] = Counter(told.fields["goods_id"] for told in telling.of("GOODS_VIEWED"))
    for kind, points in (("ORDER_CREATED", 5), ("ORDER_CANCELLED", -5)):
        for told in telling.of(kind):
            for line in told.fields["lines"]:
                due[line["goods_id"]] += points * line["quantity"]
    answer = company.call("cache", "GET", "/api/v1/ranking/hot?limit=100").json()
    ranked = {place["goods_id"]: place["score"] for place in answer["goods"]}
    yield from _differences("ranking", {goods: due[goods] for goods in ranked}, ranked)
    if not ranked:
        yield "ranking: empty"


def _copies(company: Company) -> Iterable[str]:
    """Other services' copies of goods and stock."""
    goods = company.rows("goods", "SELECT id, version, stock_version, available FROM goods")
    indexed = {
        row.goods_id: row.version for row in company.rows("search", "SELECT goods_id, version FROM search_goods")
    }
    yield from _differences("search", {row.id: row.version for row in goods}, indexed)
    stock = company.rows("order", "SELECT goods_id, version, available FROM stock")
    told = {row.id: (row.stock_version, row.available) for row in goods if row.stock_version}
    yield from _differences("stock shown", {row.goods_id: (row.version, row.available) for row in stock}, told)


def _differences(name: str, due: Mapping[Any, Any], found: Mapping[Any, Any]) -> Iterable[str]:
    """One sentence when two tables differ."""
    other = [key for key in due.keys() | found.keys() if due.get(key) != found.get(key)]
    if other:
        shown = ", ".join(f"{key}: {found.get(key)} instead of {due.get(key)}" for key in other[:3])
        yield f"{name}: {len(other)} differ: {shown}"
